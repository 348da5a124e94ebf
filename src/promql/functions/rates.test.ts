import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import { Labels } from '../../model/index.ts';
import { Engine, type EngineFeatures } from '../engine.ts';
import { GivenStorage } from '../testing/storage.ts';

const limits = { samplesMax: 1e6, timeoutMs: 60_000, lookbackMs: 300_000 };

async function infos(
  query: string,
  metrics: readonly Record<string, string>[],
  features: EngineFeatures,
): Promise<string[]> {
  const engine = new Engine({ limits, clock: systemClock, features });
  const storage = new GivenStorage(
    metrics.map((labels) => ({
      labels: Labels.fromRecord(labels),
      timestamps: Float64Array.of(0, 60_000),
      values: Float64Array.of(1, 2),
    })),
  );
  const at = { startMs: 60_000, endMs: 60_000, stepMs: 1, instant: true };
  const result = await engine.evaluate(query, at, { storage }, new AbortController().signal);
  return [...result.infos];
}

test('a metric whose name is no counter is told of', async () => {
  const series = { __name__: 'series', __type__: 'counter' };
  const told =
    'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "series" (1:6)';
  assert.deepEqual(await infos('rate(series[2m])', [series], {}), [`PromQL info: ${told}`]);
  assert.deepEqual(await infos('rate(series_total[2m])', [{ __name__: 'series_total' }], {}), []);
});

test('with types as labels a metric whose type is no counter is told of, whatever its name', async () => {
  const on = { typeAndUnitLabels: true };
  const told = (type: string, at: string): string =>
    `PromQL info: metric might not be a counter, __type__ label is not set to "counter" or "histogram", got "${type}": "m_total" ${at}`;
  for (const type of ['counter', 'histogram']) {
    assert.deepEqual(await infos('rate(m[2m])', [{ __name__: 'm', __type__: type }], on), []);
  }
  const none = [{ __name__: 'm_total' }];
  assert.deepEqual(await infos('increase(m_total[2m])', none, on), [told('', '(1:10)')]);
  // Series that pass by have the same name, but not the same type.
  const several = ['counter', 'gauge'].map((type) => ({ __name__: 'm_total', __type__: type, of: type }));
  assert.deepEqual(await infos('sum(rate(m_total[2m]))', several, on), [told('gauge', '(1:10)')]);
});
