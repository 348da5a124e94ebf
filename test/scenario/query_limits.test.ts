/** The limits of queries, their statistics, plans and log, of a real node over HTTP. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { randomData, requestsOf } from '../peers/promql/data.ts';
import { until } from './api.ts';
import { startSingleNode } from './single_node.ts';

const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 40 * 60_000;
const rules = `groups:
- name: g
  rules:
  - record: native:sum
    expr: sum(last_over_time(native[1h]))
`;

interface World {
  readonly url: string;
  readonly directory: string;
  config(queryLog: string): void;
}

async function start(context: TestContext, flags: readonly string[]): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'torchring-limits-'));
  const config = (queryLog: string): void =>
    writeFileSync(
      join(directory, 'prometheus.yml'),
      `global: {evaluation_interval: 1s, query_log_file: ${queryLog}}\nrule_files: [rules.yml]\n`,
    );
  config('query.log');
  writeFileSync(join(directory, 'rules.yml'), rules);
  const { url } = await startSingleNode(context, directory, [
    '--web.enable-remote-write-receiver',
    '--workers=2',
    ...flags,
  ]);
  for (const body of requestsOf(randomData(7, startMs), startMs)) {
    const headers = { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' };
    const { status } = await fetch(`${url}/api/v1/write`, { method: 'POST', body, headers });
    assert.equal(status, 204);
  }
  return { url, directory, config };
}

interface Answer {
  readonly code: number;
  readonly error?: string;
  readonly errorType?: string;
  readonly data?: {
    readonly result: { readonly histogram?: unknown }[];
    readonly explain?: string;
    readonly stats?: { readonly timings: object; readonly samples: Record<string, unknown> };
  };
}

async function ask(url: string, query: string, more: Record<string, string> = {}): Promise<Answer> {
  const time = String(startMs / 1000 + 1200);
  const path = more['step'] === undefined ? 'query' : 'query_range';
  const body = new URLSearchParams({ query, ...(path === 'query' ? { time } : {}), ...more });
  const response = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body });
  return { ...((await response.json()) as Omit<Answer, 'code'>), code: response.status };
}

const range = {
  start: String(startMs / 1000 + 400),
  end: String(startMs / 1000 + 1200),
  step: '20',
};
/** Sorts windows of 3,600 values at 8,000 steps for each of twelve series: many seconds. */
const heavy = 'sum(quantile_over_time(0.5, (queue * 2)[1h:1s]))';
const heavyRange = { ...range, step: '0.1' };

test('limits of samples, memory, time and the line end queries with texts and statuses of Prometheus', async (context) => {
  const { url } = await start(context, [
    '--query.max-samples=5000',
    '--query.max-concurrency=1',
    '--query.max-memory=512KB',
    '--query.timeout=10s',
  ]);
  const tooMany = 'query processing would load too many samples into memory in query execution';
  // Of the sum each of the two workers holds about half, which would be allowed.
  for (const query of ['latency_bucket', 'sum(latency_bucket)']) {
    const { code, errorType, error } = await ask(url, query, { ...range, step: '4' });
    assert.deepEqual([code, errorType, error], [422, 'execution', tooMany], query);
    assert.equal((await ask(url, query, { ...range, step: '8' })).code, 200, query);
  }
  const { code, errorType, error = '' } = await ask(url, '{__name__=~".+"}[1h]');
  assert.deepEqual([code, errorType], [422, 'execution']);
  assert.match(error, /more than 524288 bytes of memory/);
  assert.equal((await ask(url, 'sum(ops_total)')).code, 200);
  const steps = await ask(url, '1', { ...range, step: '0.001' });
  assert.match(steps.error ?? '', /^exceeded maximum resolution of 11,000 points per timeseries/);
});

test('a query that takes too long ends, and so does one that waits too long for it', async (context) => {
  const { url } = await start(context, ['--query.max-concurrency=1', '--query.max-samples=1000000000']);
  const abort = new AbortController();
  const body = new URLSearchParams({ query: heavy, ...heavyRange });
  const long = fetch(`${url}/api/v1/query_range`, { method: 'POST', body, signal: abort.signal });
  long.catch(() => undefined);
  await until(
    'the long query runs',
    10_000,
    async () =>
      /^prometheus_engine_queries [1-9]/m.test(await (await fetch(`${url}/metrics`)).text()) || undefined,
  );
  const waiting = await ask(url, '1', { timeout: '300ms' });
  assert.deepEqual([waiting.code, waiting.error], [503, 'query timed out in query queue']);
  // The client goes away, and the place is free again at once.
  abort.abort();
  await until(
    'the next query is answered',
    5_000,
    async () => (await ask(url, '1')).code === 200 || undefined,
  );
  const late = await ask(url, heavy, { ...heavyRange, timeout: '300ms' });
  assert.deepEqual([late.code, late.errorType], [503, 'timeout']);
  assert.equal(late.error, 'query timed out in expression evaluation');
});

test('statistics, plans, the query log and rules that record histograms', async (context) => {
  const { url, directory, config } = await start(context, ['--enable-feature=promql-per-step-stats']);
  const all = await ask(url, 'sum(rate(ops_total[5m]))', { ...range, stats: 'all', explain: 'true' });
  const { totalQueryableSamplesPerStep: perStep, totalQueryableSamples: total } = (all.data?.stats?.samples ??
    {}) as {
    totalQueryableSamplesPerStep: [number, number][];
    totalQueryableSamples: number;
  };
  assert.deepEqual(perStep.map(([t]) => t).slice(0, 2), [startMs / 1000 + 400, startMs / 1000 + 420]);
  assert.equal(perStep.length, 41);
  assert.equal(
    perStep.reduce((sum, [, n]) => sum + n, 0),
    total,
  );
  assert.match(all.data?.explain ?? '', /\[pushed down\].* remote: series=12 samples=\d+/);
  const some = await ask(url, 'sum(ops_total)', { stats: '1' });
  assert.deepEqual(Object.keys(some.data?.stats?.samples ?? {}), ['totalQueryableSamples', 'peakSamples']);
  assert.equal((await ask(url, '1')).data?.stats, undefined);
  await until('a rule has recorded a histogram', 10_000, async () => {
    const { data } = await ask(url, 'native:sum', { time: String(Date.now() / 1000) });
    return data?.result[0]?.histogram;
  });
  const log = join(directory, 'query.log');
  const logged = (path: string): string[] => readFileSync(path, 'utf8').split('\n');
  await until('queries are logged', 5_000, async () => {
    const lines = logged(log).map((line) =>
      line === '' ? {} : (JSON.parse(line) as Record<string, unknown>),
    );
    const [rule, api] = ['ruleGroup', 'httpRequest'].map((key) => lines.find((line) => key in line));
    return rule !== undefined && api !== undefined ? true : undefined;
  });
  renameSync(log, `${log}.1`);
  assert.equal((await fetch(`${url}/-/reload`, { method: 'POST' })).status, 200);
  await ask(url, '42');
  await until(
    'the log is a new file',
    5_000,
    async () => logged(log).some((line) => line.includes('"query":"42"')) || undefined,
  );
  config('missing/query.log');
  assert.equal((await fetch(`${url}/-/reload`, { method: 'POST' })).status, 500);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^prometheus_engine_query_log_enabled 1$/m);
  assert.match(metrics, /^prometheus_engine_query_samples_total [1-9]/m);
});
