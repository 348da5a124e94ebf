/** The head against plain maps: whatever is appended, in order or late, dropped or collected, both say the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareBytes, Labels, Matcher, MatchType, matchesAll, SymbolTable } from '../../model/index.ts';
import { HeadStore } from './head_store.ts';
import { Verdict } from './verdict.ts';

const bitPatterns = [0n, 0x8000000000000000n, 0x3ff0000000000000n, 0x7ff0000000000002n, 0x7ff8000000000001n];
const labelSets = [
  Labels.fromRecord({ __name__: 'up', job: 'a', Zone: 'x' }),
  Labels.fromRecord({ __name__: 'up', job: 'b' }),
  Labels.fromRecord({ __name__: 'a_total', job: 'a', code: '200' }),
  Labels.fromRecord({ __name__: 'a_total', job: 'é', code: '500', Zone: 'y' }),
  Labels.fromRecord({ job: 'a' }),
  Labels.empty,
];
const matcherSets = [
  [],
  [Matcher.create(MatchType.Equal, '__name__', 'up')],
  [Matcher.create(MatchType.Regexp, 'job', 'a|é'), Matcher.create(MatchType.NotEqual, 'code', '500')],
  [Matcher.create(MatchType.Regexp, 'code', '.+'), Matcher.create(MatchType.Equal, 'Zone', '')],
  [Matcher.create(MatchType.NotRegexp, 'job', 'b.*')],
  [Matcher.create(MatchType.Equal, 'code', '')],
];
const shards = [0, 7, 65_535];

interface ModelSeries {
  readonly shard: number;
  readonly labels: Labels;
  readonly samples: Map<number, bigint>;
}

/** The slow and obvious head. */
class MapModel {
  readonly series = new Map<string, ModelSeries>();

  append(shard: number, labels: Labels, t: number, bits: bigint, late: boolean): Verdict {
    const key = `${shard} ${labels.key()}`;
    const series = this.series.get(key) ?? { shard, labels, samples: new Map<number, bigint>() };
    this.series.set(key, series);
    const newest = Math.max(...series.samples.keys());
    const there = series.samples.get(t);
    if (t < newest && !late) return Verdict.outOfOrder;
    if (there !== undefined) return there === bits ? Verdict.duplicate : Verdict.conflict;
    series.samples.set(t, bits);
    return Verdict.ok;
  }

  dropBefore(shard: number, floor: number): number {
    let dropped = 0;
    for (const [key, series] of this.series) {
      if (series.shard !== shard) continue;
      for (const t of series.samples.keys()) if (t < floor && series.samples.delete(t)) dropped++;
      if (series.samples.size === 0) this.series.delete(key);
    }
    return dropped;
  }

  select(shard: number, matchers: readonly Matcher[], from: number, to: number): [Labels, string[]][] {
    const answer: [Labels, string[]][] = [];
    for (const series of this.series.values()) {
      if (series.shard !== shard || !matchesAll(matchers, series.labels)) continue;
      const times = [...series.samples.keys()].filter((t) => t >= from && t <= to).sort((a, b) => a - b);
      if (times.length > 0)
        answer.push([series.labels, times.map((t) => `${t} ${series.samples.get(t)?.toString(16)}`)]);
    }
    return answer.sort((a, b) => a[0].compare(b[0]));
  }
}

const time = fc.integer({ min: -50, max: 1200 });
const target = { shard: fc.constantFrom(...shards), set: fc.nat(labelSets.length - 1) };
const bits = fc.nat(bitPatterns.length - 1);
const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('one' as const), ...target, t: time, bits, late: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('burst' as const),
      ...target,
      bits,
      step: fc.constantFrom(1, 2, 5, 2 ** 33),
      count: fc.integer({ min: 1, max: 150 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), ...target, t: time }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dropShard' as const), ...target }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      ...target,
      from: time,
      span: fc.nat(400),
      matchers: fc.nat(matcherSets.length - 1),
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

const symbolLimits = { symbolsMax: 1000, bytesMax: 1e6 };

class Pair {
  readonly symbols = new SymbolTable(symbolLimits);
  readonly head = new HeadStore({
    symbols: this.symbols,
    hashSeed: 5,
    seriesPerShardMax: 100,
    outOfOrderSamplesMax: 1e6,
  });
  readonly model = new MapModel();
  readonly refs = new Map<string, number>();

  append(shard: number, labels: Labels, t: number, pattern: bigint, late: boolean): void {
    const values = new Float64Array(BigUint64Array.of(9n, pattern).buffer);
    const key = `${shard} ${labels.key()}`;
    const put = (ref: number): Verdict =>
      late ? this.head.appendOutOfOrder(ref, t, values, 1) : this.head.append(ref, t, values, 1);
    let verdict = put(this.refs.get(key) ?? this.head.ref(shard, labels));
    if (verdict === Verdict.unknown) {
      assert.ok(!this.model.series.has(key), 'only a series without samples loses its reference');
      this.refs.set(key, this.head.ref(shard, labels));
      verdict = put(this.head.ref(shard, labels));
    } else if (!this.refs.has(key)) this.refs.set(key, this.head.find(shard, labels));
    assert.equal(verdict, this.model.append(shard, labels, t, pattern, late));
  }

  run(step: Command): void {
    const { shard } = step;
    const labels = labelSets[step.set] as Labels;
    if (step.kind === 'one') this.append(shard, labels, step.t, bitPatterns[step.bits] as bigint, step.late);
    else if (step.kind === 'burst') {
      const newest = this.newest(shard, labels);
      for (let k = 1; k <= step.count; k++) {
        const pattern = bitPatterns[(step.bits + (k % 7 === 0 ? 1 : 0)) % bitPatterns.length] as bigint;
        const t = newest + k * step.step;
        if (Number.isSafeInteger(t)) this.append(shard, labels, t, pattern, false);
      }
    } else if (step.kind === 'drop') {
      assert.equal(this.head.dropBefore(shard, step.t), this.model.dropBefore(shard, step.t));
    } else if (step.kind === 'dropShard') {
      this.head.dropShard(shard);
      this.model.dropBefore(shard, Number.POSITIVE_INFINITY);
    } else this.compare(shard, matcherSets[step.matchers] as Matcher[], step.from, step.from + step.span);
  }

  newest(shard: number, labels: Labels): number {
    const samples = this.model.series.get(`${shard} ${labels.key()}`)?.samples;
    return samples === undefined ? 0 : Math.max(...samples.keys());
  }

  compare(shard: number, matchers: readonly Matcher[], from: number, to: number): void {
    const expected = this.model.select(shard, matchers, from, to);
    const found = this.head.select(shard, matchers, from, to);
    const printed = found.map(({ labels, timestamps, values }) => [
      labels.toString(),
      print(timestamps, values),
    ]);
    assert.deepEqual(
      printed,
      expected.map(([labels, rows]) => [labels.toString(), rows]),
    );
    const sets = expected.map(([labels]) => labels);
    assert.deepEqual(this.head.labelSets(shard, matchers, from, to).map(String), sets.map(String));
    const names = [...new Set(sets.flatMap((labels) => Object.keys(labels.toRecord())))].sort(compareBytes);
    assert.deepEqual(this.head.labelNames(shard, matchers, from, to), names);
    const jobs = [...new Set(sets.map((labels) => labels.get('job')))].filter((job) => job !== '');
    assert.deepEqual(this.head.labelValues(shard, 'job', matchers, from, to), jobs.sort(compareBytes));
    const seen: unknown[] = [];
    for (const { labels, times, values, count } of this.head.window(shard, from, to))
      seen.push([labels.toString(), print(times.subarray(0, count), values.subarray(0, count))]);
    const sealed = this.model.select(shard, [], from, to - 1);
    sealed.sort(([a], [b]) => compareBytes(a.metricName, b.metricName) || a.compare(b));
    assert.deepEqual(
      seen,
      sealed.map(([labels, rows]) => [labels.toString(), rows]),
    );
  }

  /** Every point of a range by itself: where runs meet, a sample is easily taken for its neighbour's. */
  comparePoints(shard: number, from: number, to: number): void {
    for (let t = from; t <= to; t++) {
      const found = this.head.select(shard, [], t, t);
      const expected = this.model.select(shard, [], t, t);
      assert.deepEqual(
        found.map(({ timestamps, values }) => print(timestamps, values)),
        expected.map(([, rows]) => rows),
      );
    }
  }

  compareAll(): void {
    for (const shard of shards) {
      for (const matchers of matcherSets) this.compare(shard, matchers, -1e15, 1e15);
      const series = [...this.model.series.values()].filter((one) => one.shard === shard);
      const times = series.flatMap(({ samples }) => [...samples.keys()]);
      assert.deepEqual(this.head.stats(shard), {
        series: series.length,
        samples: times.length,
        minTimeMs: Math.min(...times),
        maxTimeMs: Math.max(...times),
      });
    }
  }
}

function print(times: Float64Array, values: Float64Array): string[] {
  const words = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  return Array.from(times, (t, k) => `${t} ${words[k]?.toString(16)}`);
}

test('the head says what plain maps say, and lets go of everything', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (steps) => {
      const pair = new Pair();
      for (const step of steps) pair.run(step);
      pair.compareAll();
      pair.comparePoints(7, 1, 300);
      for (const shard of shards) pair.head.dropShard(shard);
      assert.equal(pair.symbols.size, 0);
      assert.equal(pair.head.memory().runsLive, 0);
    }),
    { numRuns: 300 },
  );
});
