import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Labels, Matcher, MatchType } from '../../model/index.ts';
import { ExemplarRing, ExemplarVerdict, type StoredExemplar } from './exemplar_ring.ts';

const sets = ['a', 'b', 'c'].map((job) => Labels.fromRecord({ __name__: 'm', job }));

function exemplar(timestampMs: number, value: number, trace = 'x'): StoredExemplar {
  return { labels: Labels.fromRecord({ trace }), value, timestampMs };
}

interface Kept {
  readonly shard: number;
  readonly labels: Labels;
  readonly exemplar: StoredExemplar;
}

/** The last so many, and the rules, without lists. */
class Model {
  kept: Kept[] = [];
  max = 5;

  of(shard: number, labels: Labels): StoredExemplar[] {
    const own = this.kept.filter((one) => one.shard === shard && one.labels === labels);
    return own.map((one) => one.exemplar).sort((a, b) => a.timestampMs - b.timestampMs);
  }

  add(shard: number, labels: Labels, one: StoredExemplar, windowMs: number): ExemplarVerdict {
    if (this.max === 0) return ExemplarVerdict.disabled;
    const own = this.of(shard, labels);
    const newest = own.at(-1);
    const t = one.timestampMs;
    if (newest !== undefined && t === newest.timestampMs && one.value <= newest.value)
      return one.value === newest.value ? ExemplarVerdict.duplicate : ExemplarVerdict.outOfOrder;
    if (newest !== undefined && t < newest.timestampMs) {
      if (t <= newest.timestampMs - windowMs) return ExemplarVerdict.outOfOrder;
      if (own.some((other) => other.timestampMs === t)) return ExemplarVerdict.duplicate;
    }
    this.kept = [...this.kept, { shard, labels, exemplar: one }].slice(-this.max);
    return ExemplarVerdict.ok;
  }
}

const add = fc.record({
  kind: fc.constant('add' as const),
  shard: fc.nat(1),
  set: fc.nat(2),
  t: fc.nat(30),
  value: fc.nat(2),
});
const command = fc.oneof(
  { weight: 20, arbitrary: add },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), max: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), shard: fc.nat(1) }) },
);

test('the ring holds what a list of the last ones holds', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), fc.constantFrom(0, 10), (steps, windowMs) => {
      const ring = new ExemplarRing(5);
      ring.outOfOrderWindowMs = windowMs;
      const model = new Model();
      for (const step of steps) {
        if (step.kind === 'add') {
          const labels = sets[step.set] as Labels;
          const one = exemplar(step.t, step.value);
          assert.equal(ring.add(step.shard, labels, one), model.add(step.shard, labels, one, windowMs));
        } else if (step.kind === 'resize') {
          ring.resize(step.max);
          model.max = step.max;
          model.kept = step.max === 0 ? [] : model.kept.slice(-step.max);
        } else {
          ring.dropShard(step.shard);
          model.kept = model.kept.filter(({ shard }) => shard !== step.shard);
        }
        assert.equal(ring.count, model.kept.length);
        for (const shard of [0, 1]) {
          const expected = sets.map((labels) => ({
            labels,
            exemplars: model.of(shard, labels).filter(({ timestampMs: t }) => t >= 5 && t <= 25),
          }));
          assert.deepEqual(
            ring.select(shard, [[]], 5, 25),
            expected.filter(({ exemplars }) => exemplars.length > 0),
          );
        }
      }
    }),
  );
});

test('a series answers when it passes any of the matcher sets', () => {
  const ring = new ExemplarRing(10);
  for (const labels of sets) ring.add(1, labels, exemplar(1, 1));
  const job = (value: string): Matcher[] => [Matcher.create(MatchType.Equal, 'job', value)];
  const found = ring.select(1, [job('c'), job('a')], 0, 9);
  assert.deepEqual(
    found.map(({ labels }) => labels.get('job')),
    ['a', 'c'],
  );
  assert.deepEqual(ring.select(1, [], 0, 9), []);
});

test('labels of more than 128 characters are refused, whatever their bytes', () => {
  const ring = new ExemplarRing(10);
  const one = (length: number): StoredExemplar => exemplar(length, 1, '\u{1f600}'.repeat(length - 5));
  assert.equal(ring.add(1, Labels.empty, one(128)), ExemplarVerdict.ok);
  assert.equal(ring.add(1, Labels.empty, one(129)), ExemplarVerdict.tooLong);
  assert.equal(new ExemplarRing(0).add(1, Labels.empty, one(9)), ExemplarVerdict.disabled);
});
