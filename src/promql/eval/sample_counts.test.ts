import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../base/index.ts';
import { FloatHistogram, Labels, type SeriesColumns } from '../../model/index.ts';
import { Engine } from '../engine.ts';
import { GivenStorage } from '../testing/storage.ts';
import type { SampleStats } from '../types.ts';
import { joinStats } from './sample_counts.ts';

const minuteMs = 60_000;
const limits = { samplesMax: 10_000, timeoutMs: 60_000, lookbackMs: 5 * minuteMs };
const engine = new Engine({ limits, clock: systemClock, features: { experimentalFunctions: true } });
const never = new AbortController().signal;
const range = { startMs: 10 * minuteMs, endMs: 12 * minuteMs, stepMs: minuteMs, instant: false };
const histogram = new FloatHistogram({
  count: 3,
  positiveSpans: [{ offset: 0, length: 2 }],
  positiveBuckets: Float64Array.of(1, 2),
});
/** 176 bytes of fields, a span and two buckets of 8 bytes, in samples of 16. */
const histogramSamples = 12;

/** `c` of 21 samples a minute apart, on three series, and `h` of histograms on two. */
function storage(): GivenStorage {
  const timestamps = Float64Array.from({ length: 21 }, (_, i) => i * minuteMs);
  const values = Float64Array.from(timestamps, (_, i) => i);
  const series: SeriesColumns[] = ['0', '1', '2'].map((i) => ({
    labels: Labels.fromRecord({ __name__: 'c', i }),
    timestamps,
    values,
  }));
  for (const i of ['0', '1']) {
    const labels = Labels.fromRecord({ __name__: 'h', i });
    const histograms = Array.from(timestamps, () => histogram);
    series.push({ labels, timestamps, values: new Float64Array(21), histograms });
  }
  return new GivenStorage(series);
}

async function counted(query: string, asked = range): Promise<SampleStats> {
  const options = { countsSteps: true };
  const { stats } = await engine.evaluate(query, asked, { storage: storage() }, never, options);
  return stats.samples;
}

// As a real Prometheus 3.5 counts them, except where it is said.
const wanted: readonly [query: string, perStep: number, peak: number][] = [
  ['1', 0, 3],
  ['c', 3, 9],
  ['c + 1', 3, 9 + 3 + 9 + 4],
  ['sum(c)', 3, 9],
  ['-c', 3, 9],
  ['abs(c)', 3, 9 + 9 + 3],
  ['label_replace(c, "x", "$1", "i", "(.)")', 3, 9],
  ['timestamp(c)', 3, 9 + 3],
  ['c * on (i) group_left c', 6, 18 + 9 + 6],
  ['rate(c[5m])', 15, 9 + 5],
  ['sum(rate(c[5m]))', 15, 9 + 5],
  ['sum(rate(c[5m]) * 2)', 15, 9 + 3 + 9 + 4],
  ['quantile_over_time(0.5, c[5m])', 15, 3 + 9 + 5],
  ['topk(2, c)', 3, 3 + 9],
  ['sum_over_time(c[4m:1m])', 12, 3 * 6 + 9 + 4],
  ['h', 2 * histogramSamples, 6 * histogramSamples],
  // Without the buckets, which we do not look at.
  ['histogram_count(h)', 2 * 11, 6 * 11 + 6 + 2],
  ['count(h)', 2 * histogramSamples, 6 * histogramSamples],
];

test('samples are counted as Prometheus counts them, at each step and in all, and the most held at once', async () => {
  for (const [query, perStep, peak] of wanted) {
    const { totalSamples, samplesPerStep, peakSamples } = await counted(query);
    assert.deepEqual([...(samplesPerStep ?? [])], [perStep, perStep, perStep], query);
    assert.equal(totalSamples, 3 * perStep, query);
    assert.equal(peakSamples, peak, query);
  }
});

test('windows that are a result count once, of a subquery what its steps look at', async () => {
  const at = { ...range, startMs: range.endMs, instant: true };
  assert.deepEqual(
    await Promise.all(
      ['c[5m]', 'h[5m]', 'c[4m:2m]'].map(async (query) => (await counted(query, at)).totalSamples),
    ),
    [15, 10 * histogramSamples, 6],
  );
});

test('the samples of each step are only counted where they are asked for', async () => {
  const { stats } = await engine.evaluate('c', range, { storage: storage() }, never);
  assert.equal(stats.samples.totalSamples, 9);
  assert.equal(stats.samples.samplesPerStep, undefined);
});

test('the most that may be held is the most that is: one less is too many', async () => {
  for (const [query, , peak] of wanted) {
    const run = (samplesMax: number): Promise<unknown> =>
      engine.evaluate(query, range, { storage: storage() }, never, { limits: { samplesMax } });
    await run(peak);
    await assert.rejects(run(peak - 1), /too many samples/, query);
  }
});

test('data that takes more memory than a query may is refused', async () => {
  const run = (memoryMax: number): Promise<unknown> =>
    engine.evaluate('c', range, { storage: storage() }, never, { limits: { memoryMax } });
  await run(5_000);
  await assert.rejects(run(500), { errorType: 'execution', message: /more than 500 bytes of memory/ });
});

test('of two places series are added up, and what both have for themselves counts once', () => {
  const base = { totalSamples: 10, series: 2, workMs: 1 };
  const a = { ...base, peakSamples: 12, peakShared: 4, samplesPerStep: Float64Array.of(4, 6) };
  const b = { ...base, peakSamples: 20, peakShared: 3, samplesPerStep: Float64Array.of(10, 0) };
  const { samplesPerStep, ...joined } = joinStats(a, b);
  assert.deepEqual(joined, {
    totalSamples: 20,
    peakSamples: 8 + 17 + 4,
    peakShared: 4,
    series: 4,
    workMs: 2,
  });
  assert.deepEqual([...(samplesPerStep ?? [])], [14, 6]);
});
