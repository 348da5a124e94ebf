/** What queries look at, as `stats=all` of a real Prometheus and of our engine tell it of the same data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/index.ts';
import { Engine } from '../../../src/promql/index.ts';
import { GivenStorage } from '../../../src/promql/testing/storage.ts';
import { freePorts, skipWithoutPeers, startReal, testDirectory } from '../programs.ts';
import { randomData, requestsOf } from './data.ts';
import { emptyReceiver } from './receiver.ts';

/** Without those that read totals of histograms only: we do not look at their buckets. Of ranges of histograms Prometheus 3.5 loses some that it holds, which it has mended since. */
const queries = [
  ...['1', 'time()', 'queue', 'queue + 1', '-queue', 'abs(queue)', 'sort(queue)', 'queue offset 5m'],
  ...['sum(queue)', 'sum by (job) (queue * 2)', 'topk(2, queue)', 'quantile(0.5, queue)', 'stddev(queue)'],
  ...['rate(ops_total[5m])', 'sum(rate(ops_total[5m]))', 'rate(ops_total[5m]) * 2', 'uneven', 'count(mixed)'],
  ...['native', 'histogram_quantile(0.5, native)', 'timestamp(queue)', 'sum(native)'],
  ...[
    'histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))',
    'scalar(sum(queue))',
    'vector(time())',
  ],
  ...['queue * on (job, instance, mode) ops_total', 'count_values("v", build_info)', 'queue > bool 5'],
  ...['label_replace(queue, "x", "$1", "job", "(.*)")', 'sum(queue) / sum(ops_total)', 'clamp(queue, 0, 10)'],
];
/**
 * Only what they look at: the last window held depends on the order in which a storage has its series, and what is the same
 * at every step Prometheus holds once.
 */
const ranges = [
  ...['quantile_over_time(0.5, queue[5m])', 'sum_over_time(queue[10m:1m])', 'predict_linear(queue[5m], 600)'],
  ...['rate(native[5m])', 'rate(mixed[5m])', 'sum_over_time(native[5m])', 'absent_over_time(queue[5m])'],
  ...['1 + 1', 'sum(ops_total @ end())', 'rate(queue[5m] @ end())'],
  ...['max_over_time(rate(ops_total[5m])[10m:30s])', 'sum_over_time((queue * 2)[10m:1m])'],
];

interface Samples {
  readonly totalQueryableSamplesPerStep: readonly (readonly [number, number])[];
  readonly peakSamples: number;
}

test('queries look at and hold as many samples as at a real Prometheus, step by step', {
  skip: skipWithoutPeers,
  timeout: 120_000,
}, async (context) => {
  const [port = 0] = await freePorts(1);
  const flags = emptyReceiver(testDirectory(context)).map((flag) =>
    flag.startsWith('--enable-feature=') ? `${flag},promql-per-step-stats` : flag,
  );
  const { url } = await startReal(context, 'prometheus', port, flags);
  const startMs = Math.floor(systemClock.nowMs() / 60_000) * 60_000 - 40 * 60_000;
  const data = randomData(7, startMs);
  for (const body of requestsOf(data, startMs)) {
    const headers = { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' };
    assert.equal((await fetch(`${url}/api/v1/write`, { method: 'POST', body, headers })).status, 204);
  }
  const engine = new Engine({
    limits: { samplesMax: 1e7, timeoutMs: 60_000, lookbackMs: 300_000 },
    clock: systemClock,
    features: { experimentalFunctions: true },
  });
  const range = { startMs: startMs + 400_000, endMs: startMs + 1_200_000, stepMs: 20_000, instant: false };
  for (const query of [...queries, ...ranges]) {
    const body = new URLSearchParams({
      ...{ query, stats: 'all', step: '20' },
      ...{ start: String(range.startMs / 1000), end: String(range.endMs / 1000) },
    });
    const answer = await fetch(`${url}/api/v1/query_range`, { method: 'POST', body });
    const { data: real } = (await answer.json()) as { data: { stats: { samples: Samples } } };
    const { stats } = await engine.evaluate(
      query,
      range,
      { storage: new GivenStorage(data) },
      new AbortController().signal,
      { countsSteps: true },
    );
    const { samplesPerStep = [], peakSamples } = stats.samples;
    const wanted = real.stats.samples.totalQueryableSamplesPerStep.map(([, count]) => count);
    assert.deepEqual([...samplesPerStep], wanted, query);
    if (queries.includes(query)) assert.equal(peakSamples, real.stats.samples.peakSamples, query);
  }
});
