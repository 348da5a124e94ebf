import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Labels, type Lookups, SymbolTable } from '../../model/index.ts';
import { HeadStore } from './head_store.ts';

const shard = 3;

/** What was appended to one series. */
interface Plain {
  readonly labels: Labels;
  readonly times: number[];
  readonly values: number[];
}

/** Targets of three series each; a series in `gaps` misses some scrapes of its target, so that its times are its own. */
function filled(targets: readonly { rounds: number; stepMs: number; gaps: number }[]): {
  head: HeadStore;
  series: Plain[];
} {
  const head = new HeadStore({
    symbols: new SymbolTable({ symbolsMax: 10_000, bytesMax: 1e6 }),
    hashSeed: 3,
    seriesPerShardMax: 1000,
    outOfOrderSamplesMax: 10,
  });
  const series: Plain[] = [];
  const column = new Float64Array(1);
  for (const [t, { rounds, stepMs, gaps }] of targets.entries()) {
    for (let s = 0; s < 3; s++) {
      const one: Plain = { labels: Labels.fromRecord({ t: String(t), s: String(s) }), times: [], values: [] };
      const ref = head.ref(shard, one.labels);
      for (let round = 0; round < rounds; round++) {
        if (s === 1 && gaps > 0 && round % (gaps + 1) === gaps) continue;
        const timeMs = t * 7 + round * stepMs;
        column[0] = s === 2 ? (round >> 4) * 0.5 : round * (s + 1) + 1 / (round + 1);
        head.append(ref, timeMs, column, 0);
        one.times.push(timeMs);
        one.values.push(column[0]);
      }
      series.push(one);
    }
  }
  return { head, series };
}

function shown(
  head: HeadStore,
  fromMs: number,
  toMs: number,
  newestAt?: Lookups,
): Map<string, [number, number][]> {
  const found = head.select(shard, [], fromMs, toMs, newestAt);
  return new Map(
    found.map(({ labels, timestamps, values }) => [
      labels.toString(),
      Array.from(timestamps, (time, k): [number, number] => [time, values[k] as number]),
    ]),
  );
}

const targets = fc.array(
  fc.record({
    rounds: fc.constantFrom(1, 15, 16, 17, 100, 300),
    stepMs: fc.constantFrom(10, 15),
    gaps: fc.nat(4),
  }),
  { minLength: 1, maxLength: 4 },
);

test('series are read whole within the range, whoever was read before them', () => {
  fc.assert(
    fc.property(
      targets,
      fc.integer({ min: -20, max: 4600 }),
      fc.integer({ min: 0, max: 4600 }),
      (some, fromMs, length) => {
        const { head, series } = filled(some);
        const toMs = fromMs + length;
        const expected = new Map<string, [number, number][]>();
        for (const { labels, times, values } of series) {
          const samples = times.map((time, k): [number, number] => [time, values[k] as number]);
          const kept = samples.filter(([time]) => time >= fromMs && time <= toMs);
          if (kept.length > 0) expected.set(labels.toString(), kept);
        }
        assert.deepEqual(shown(head, fromMs, toMs), expected);
      },
    ),
    { numRuns: 60 },
  );
});

test('what is thinned still has the newest sample of each instant, and no sample that is not there', () => {
  const lookups = fc.record({
    firstMs: fc.integer({ min: 0, max: 4600 }),
    stepMs: fc.integer({ min: 1, max: 400 }),
    steps: fc.integer({ min: 1, max: 30 }),
  });
  fc.assert(
    fc.property(targets, lookups, fc.integer({ min: 1, max: 500 }), (some, newestAt, lookbackMs) => {
      const { head } = filled(some);
      const fromMs = newestAt.firstMs - lookbackMs + 1;
      const toMs = newestAt.firstMs + (newestAt.steps - 1) * newestAt.stepMs;
      const all = shown(head, fromMs, toMs);
      const thinned = shown(head, fromMs, toMs, newestAt);
      assert.deepEqual([...thinned.keys()], [...all.keys()]);
      for (const [labels, samples] of all) {
        const kept = thinned.get(labels) ?? [];
        for (const [time, value] of kept) assert.equal(samples.find(([t]) => t === time)?.[1], value);
        for (let step = 0; step < newestAt.steps; step++) {
          const atMs = newestAt.firstMs + step * newestAt.stepMs;
          const newest = (one: readonly [number, number][]): [number, number] | undefined =>
            one.findLast(([time]) => time <= atMs);
          assert.deepEqual(newest(kept), newest(samples));
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('an instant brings one sample of each series, and the bits of a NaN', () => {
  const { head } = filled([{ rounds: 300, stepMs: 10, gaps: 0 }]);
  const stale = new Float64Array(new BigUint64Array([0x7ff0000000000002n]).buffer);
  const ref = head.ref(shard, Labels.fromRecord({ s: 'stale' }));
  head.append(ref, 2000, stale, 0);
  const found = head.select(shard, [], 1900, 2000, { firstMs: 2000, stepMs: 1, steps: 1 });
  assert.equal(found.length, 4);
  for (const { timestamps } of found) assert.deepEqual([...timestamps], [2000]);
  const bits = found.map(({ values }) => new BigUint64Array(values.slice().buffer)[0]);
  assert.ok(bits.includes(0x7ff0000000000002n));
});
