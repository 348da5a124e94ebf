/** The head against plain maps: whatever is appended, cut, dropped, deleted or collected, both say the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CounterResetHint,
  compareBytes,
  FloatHistogram,
  Labels,
  Matcher,
  MatchType,
  matchesAll,
  type SeriesColumns,
  SymbolTable,
} from '../../model/index.ts';
import type { HeadCut } from './head_cut.ts';
import { HeadStore } from './head_store.ts';
import { HeadModel, type ModelSeries, type Row, toRows } from './testing/head_model.ts';
import { Verdict } from './verdict.ts';

const bitPatterns = [0n, 0x8000000000000000n, 0x3ff0000000000000n, 0x7ff0000000000002n, 0x7ff8000000000001n];
const exponential = { schema: 3, count: 5, sum: 12.5, zeroThreshold: 0.001, zeroCount: 1 };
const spans = { positiveSpans: [{ offset: -2, length: 2 }], positiveBuckets: Float64Array.of(3, 1) };
const histograms = [
  new FloatHistogram({ ...exponential, ...spans }),
  new FloatHistogram({ ...exponential, ...spans, isStale: true }),
  new FloatHistogram({ schema: -53, count: 2, sum: 1, customValues: Float64Array.of(1, 2) }),
];
/** Another hint makes no other value. */
const histogramTwin = new FloatHistogram({
  ...exponential,
  ...spans,
  counterResetHint: CounterResetHint.Gauge,
});
const labelSets = [
  Labels.fromRecord({ __name__: 'up', job: 'a', Zone: 'x' }),
  Labels.fromRecord({ __name__: 'up', job: 'b' }),
  Labels.fromRecord({ __name__: 'a_total', job: 'a', code: '200' }),
  Labels.fromRecord({ __name__: 'a_total', job: 'é', code: '500', Zone: 'y' }),
  Labels.fromRecord({ __name__: '\u{1f600}', job: 'a' }),
  Labels.fromRecord({ __name__: '\uff00', job: 'a' }),
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
const shards = [0, 7, 1000];
const windowMs = 100;

/** A time, or one at or beside that of a sample that is there: only there do rules meet. */
const time = fc.record({
  plain: fc.integer({ min: -50, max: 600 }),
  sample: fc.option(fc.nat(1000)),
  shift: fc.constantFrom(0, 0, 0, 1, -1, 3),
});
/** Few series mostly, so that much happens to each. */
const target = {
  shard: fc.constantFrom(7, 7, 7, 0, 1000),
  set: fc.oneof({ weight: 5, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(labelSets.length - 1) }),
};
/** Floats, then histograms, then one that equals the first of them. */
const value = fc.nat(bitPatterns.length + histograms.length);
const epoch = fc.constantFrom(0, 1, 1, 1, 2, 5);
const start = fc.constantFrom(0, 0, 0, -7, 1000);
const range = {
  from: time,
  span: fc.oneof(fc.nat(2), fc.nat(400), fc.constant(1e15)),
  matchers: fc.nat(matcherSets.length - 1),
};
const kind = <K extends string>(name: K): { kind: fc.Arbitrary<K> } => ({ kind: fc.constant(name) });

const one = fc.record({ ...kind('one'), ...target, t: time, value, epoch, start, late: fc.boolean() });
const burst = fc.record({
  ...kind('burst'),
  ...target,
  value,
  epoch,
  start,
  step: fc.constantFrom(1, 1, 2, 2, 5, 2 ** 33),
  count: fc.integer({ min: 1, max: 150 }),
});
const removal = fc.record({
  kind: fc.constantFrom('cut' as const, 'lateCut' as const, 'dropCut' as const, 'dropBefore' as const),
  ...target,
  t: time,
  meanwhile: one,
});
const rare = fc.record({ kind: fc.constantFrom('dropShard' as const, 'collectEmpty' as const), ...target });
const command = fc.oneof(
  { weight: 12, arbitrary: one },
  { weight: 8, arbitrary: burst },
  { weight: 6, arbitrary: removal },
  { weight: 1, arbitrary: rare },
  { weight: 3, arbitrary: fc.record({ ...kind('delete'), ...target, ...range }) },
  { weight: 4, arbitrary: fc.record({ ...kind('read'), ...target, ...range }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;
type Time = typeof time extends fc.Arbitrary<infer T> ? T : never;

class Pair {
  readonly symbols = new SymbolTable({ symbolsMax: 1000, bytesMax: 1e6 });
  readonly head = new HeadStore({
    symbols: this.symbols,
    hashSeed: 5,
    seriesPerShardMax: 100,
    outOfOrderSamplesMax: 1e6,
    windowMs,
  });
  readonly model = new HeadModel();
  readonly cuts = new Map<number, HeadCut>();
  readonly refs = new Map<ModelSeries, number>();

  ref(series: ModelSeries): number {
    const { shard, labels, id } = series;
    const known = this.refs.get(series);
    if (known === undefined) assert.equal(this.head.find(shard, labels), -1);
    const ref = known ?? this.head.ref(shard, labels);
    if (known === undefined) this.head.setId(ref, id);
    this.refs.set(series, ref);
    assert.ok(this.head.isOf(ref, shard) && this.head.idOf(ref) === id && !this.head.isOf(ref, shard + 1));
    return ref;
  }

  append(series: ModelSeries, t: number, code: number, epoch: number, start: number, late: boolean): void {
    const ref = this.ref(series);
    const pattern = bitPatterns[code];
    let verdict: Verdict;
    if (!late) this.head.setEpoch(epoch);
    if (pattern !== undefined) {
      const values = new Float64Array(BigUint64Array.of(9n, pattern).buffer);
      verdict = late ? this.head.appendLate(ref, t, values, 1, epoch) : this.head.append(ref, t, values, 1);
    } else {
      const histogram = histograms[code - bitPatterns.length] ?? histogramTwin;
      verdict = late
        ? this.head.appendLateHistogram(ref, t, histogram, epoch)
        : this.head.appendHistogram(ref, t, histogram);
    }
    const text = pattern?.toString(16) ?? `h${(code - bitPatterns.length) % histograms.length}`;
    assert.equal(verdict, this.model.append(series, t, text, epoch, late));
    if (verdict !== Verdict.ok && verdict !== Verdict.replaced) return;
    this.head.setStartTime(ref, t, start);
    series.starts.set(t, start);
  }

  timeOf({ plain, sample, shift }: Time, { shard, set }: { shard: number; set: number }): number {
    const labels = labelSets[set] as Labels;
    const series = this.model.of(shard).find((one) => one.labels === labels);
    if (sample === null || series === undefined || series.samples.size === 0) return plain;
    const times = [...series.samples.keys()];
    return (times[sample % times.length] as number) + shift;
  }

  run(step: Command): void {
    const { shard } = step;
    const at = 't' in step ? this.timeOf(step.t, step) : 0;
    const series = (): ModelSeries => this.model.open(shard, labelSets[step.set] as Labels);
    if (step.kind === 'one') this.append(series(), at, step.value, step.epoch, step.start, step.late);
    else if (step.kind === 'burst') {
      const one = series();
      const newest = Math.max(0, ...one.samples.keys());
      for (let k = 1; k <= step.count; k++) {
        const t = newest + k * step.step;
        const code = k % 7 === 0 ? (step.value + 1) % bitPatterns.length : step.value;
        if (Number.isSafeInteger(t)) this.append(one, t, code, step.epoch, step.start, false);
      }
    } else if (step.kind === 'cut' || step.kind === 'lateCut') {
      const isLate = step.kind === 'lateCut';
      this.cuts.set(shard, isLate ? this.head.lateCut(shard) : this.head.cut(shard, at));
      this.model.cut(shard, isLate ? Number.NEGATIVE_INFINITY : at);
      this.compareCut(shard);
    } else if (step.kind === 'dropCut' || step.kind === 'dropBefore') {
      const cut = this.cuts.get(shard);
      if (step.kind === 'dropBefore')
        this.drop(this.head.dropBefore(shard, at), this.model.dropBefore(shard, at), step.meanwhile);
      else if (cut !== undefined) {
        this.cuts.delete(shard);
        this.drop(this.head.drop(cut), this.model.drop(shard), step.meanwhile);
      }
    } else this.runRare(step);
  }

  runRare(step: Command): void {
    const { shard } = step;
    if (step.kind === 'dropShard') {
      this.head.dropShard(shard);
      this.model.dropBefore(shard, Number.POSITIVE_INFINITY);
      this.model.floors.delete(shard);
      this.cuts.delete(shard);
    } else if (step.kind === 'collectEmpty')
      assert.deepEqual(sorted(this.head.collectEmpty(shard)), sorted(this.model.collect(shard)));
    else if (step.kind === 'delete') {
      const matchers = matcherSets[step.matchers] as Matcher[];
      const from = this.timeOf(step.from, step);
      const to = from + step.span;
      assert.equal(this.head.delete(shard, matchers, from, to), this.model.delete(shard, matchers, from, to));
      this.compare(shard, [], -1e15, 1e15);
    } else if (step.kind === 'read') {
      const from = this.timeOf(step.from, step);
      this.compare(shard, matcherSets[step.matchers] as Matcher[], from, from + step.span);
    }
  }

  /** Something else happens between two steps. */
  drop(steps: Generator<number[], void>, expected: number[], meanwhile: Command): void {
    const gone = steps.next().value ?? [];
    this.run(meanwhile);
    for (const more of steps) gone.push(...more);
    assert.deepEqual(sorted(gone), sorted(expected));
  }

  compare(shard: number, matchers: readonly Matcher[], from: number, to: number): void {
    const floor = this.model.floor(shard);
    const inRange = this.model
      .all(shard)
      .filter(({ series, t }) => matchesAll(matchers, series.labels) && t >= from && t <= to);
    const above = inRange.filter(({ t, stands }) => t >= floor && stands);
    assert.deepEqual(this.head.select(shard, matchers, from, to).map(toRow), toRows(above));
    const late = this.head.selectLate(shard, matchers, from, to);
    const below = inRange.filter(({ t }) => t < floor);
    const epochs = [...new Set(below.map(({ sample }) => sample.epoch))].sort((a, b) => a - b);
    assert.deepEqual(
      late.map(({ epoch, columns }) => [epoch, columns.map(toRow)]),
      epochs.map((epoch) => [epoch, toRows(below.filter(({ sample }) => sample.epoch === epoch))]),
    );
    const sets = [...new Set(inRange.map(({ series }) => series.labels))];
    assert.deepEqual(this.head.labelSets(shard, matchers, from, to).map(String), sets.map(String));
    const names = [...new Set(sets.flatMap((labels) => Object.keys(labels.toRecord())))].sort(compareBytes);
    assert.deepEqual(this.head.labelNames(shard, matchers, from, to), names);
    const jobs = [...new Set(sets.map((labels) => labels.get('job')))].filter((job) => job !== '');
    assert.deepEqual(this.head.labelValues(shard, 'job', matchers, from, to), jobs.sort(compareBytes));
  }

  /** What is to be sealed, window by window and epoch by epoch. */
  compareCut(shard: number): void {
    const cut = this.cuts.get(shard) as HeadCut;
    const found = new Map<string, Row[]>();
    for (const { startMs, epoch } of cut.windows(windowMs)) {
      const rows: Row[] = [];
      for (const part of this.head.window(cut, startMs, startMs + windowMs, epoch)) {
        if (part === undefined) continue;
        const { labels, times, values, count, histograms, startTimes } = part;
        const timestamps = times.subarray(0, count);
        rows.push(
          toRow({
            labels,
            timestamps,
            values: values.subarray(0, count),
            ...(histograms && { histograms }),
            ...(startTimes && { startTimes }),
          }),
        );
      }
      if (rows.length > 0) found.set(`${startMs} ${epoch}`, rows);
    }
    const all = this.model.all(shard).filter(({ sample }) => sample.isCut);
    all.sort(
      ({ series: a }, { series: b }) =>
        compareBytes(a.labels.metricName, b.labels.metricName) || a.labels.compare(b.labels),
    );
    const windowOf = (t: number): number => Math.floor(t / windowMs) * windowMs;
    const keys = all.map(({ t, sample }): [number, number] => [windowOf(t), sample.epoch]);
    keys.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const expected = new Map<string, Row[]>();
    for (const [start, epoch] of keys)
      if (!expected.has(`${start} ${epoch}`))
        expected.set(
          `${start} ${epoch}`,
          toRows(all.filter(({ t, sample }) => windowOf(t) === start && sample.epoch === epoch)),
        );
    assert.deepEqual([...found], [...expected]);
  }

  /** Every point of a range by itself: where runs meet, a sample is easily taken for its neighbour's. */
  comparePoints(shard: number, from: number, to: number): void {
    const floor = this.model.floor(shard);
    const all = this.model.all(shard).filter(({ t, stands }) => t >= floor && stands);
    for (let t = from; t <= to; t++) {
      const expected = all.filter((one) => one.t === t);
      assert.deepEqual(this.head.select(shard, [], t, t).map(toRow), toRows(expected));
    }
  }

  compareAll(): void {
    for (const shard of shards) {
      for (const matchers of matcherSets) this.compare(shard, matchers, -1e15, 1e15);
      const all = this.model.all(shard);
      const floor = this.model.floor(shard);
      assert.equal(this.head.floorMs(shard), floor);
      assert.deepEqual(this.head.stats(shard), {
        series: this.model.of(shard).length,
        samples: all.length,
      });
      const late = all.filter(({ t, sample }) => t < floor && sample.isLate);
      assert.equal(this.head.lateCount(shard), late.length);
      const times = all.map(({ t }) => t).filter((t) => t >= floor);
      assert.equal(this.head.minTimeMs(shard), Math.min(...times));
      assert.equal(this.head.maxTimeMs(shard), Math.max(...times));
    }
  }
}

function sorted(ids: readonly number[]): number[] {
  return [...ids].sort((a, b) => a - b);
}

function toRow({ labels, timestamps, values, histograms: found, startTimes }: SeriesColumns): Row {
  const words = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  const samples = Array.from(timestamps, (t, k) => {
    const histogram = found?.[k];
    const text =
      histogram == null ? words[k]?.toString(16) : `h${histograms.findIndex((one) => one.equals(histogram))}`;
    return `${t} ${text} ${startTimes?.[k] ?? 0}`;
  });
  return [labels.toString(), samples];
}

test('the head says what plain maps say, and lets go of everything', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40, size: 'max' }), (steps) => {
      const pair = new Pair();
      for (const step of steps) pair.run(step);
      pair.compareAll();
      pair.comparePoints(7, 1, 300);
      for (const shard of shards) pair.head.dropShard(shard);
      assert.equal(pair.symbols.size, 0);
      assert.equal(pair.head.memory().runsLive, 0);
    }),
    { numRuns: 200 },
  );
});
