import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Registry } from 'prom-client';
import { QueryMetrics, type QueryRecord } from '../actors/index.ts';
import { silentLogger, systemClock } from '../base/index.ts';
import { QueryLog } from './query_log.ts';

const timings = {
  ...{ evalTotalTime: 0.3, resultSortTime: 0, queryPreparationTime: 0.1, innerEvalTime: 0.2 },
  ...{ execQueueTime: 0, execTotalTime: 0.3 },
};
const record: QueryRecord = {
  spec: {
    ...{
      expr: 'sum(up)',
      startMs: 1_700_000_000_000,
      endMs: 1_700_000_060_500,
      stepMs: 15_500,
      instant: false,
    },
    limits: { samplesMax: 1, timeoutMs: 1, lookbackMs: 1 },
    partialResponse: true,
    seriesMax: 0,
  },
  origin: { ruleGroup: { file: 'rules.yml', name: 'g' } },
  stats: { timings, samples: { totalQueryableSamples: 5, peakSamples: 2 } },
};

async function world(context: TestContext): Promise<{ log: QueryLog; path: string; registry: Registry }> {
  const directory = await mkdtemp(join(tmpdir(), 'torchring-query-log-'));
  context.after(() => rm(directory, { recursive: true }));
  const registry = new Registry();
  const log = new QueryLog({ clock: systemClock, log: silentLogger, metrics: new QueryMetrics(registry, 1) });
  return { log, path: join(directory, 'query.log'), registry };
}

const lines = async (path: string): Promise<Record<string, unknown>[]> =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('a query is a line with the keys of Prometheus in their order, an error stands before the statistics', async (context) => {
  const { log, path, registry } = await world(context);
  log.use(await log.open(path));
  assert.match(await registry.metrics(), /^prometheus_engine_query_log_enabled 1$/m);
  log.write(record);
  log.write({ ...record, error: 'no', spec: { ...record.spec, instant: true } });
  await log.close();
  const [first = {}, second = {}] = await lines(path);
  const keys = ['time', 'level', 'msg', 'params', 'stats', 'spanID', 'ruleGroup'];
  assert.deepEqual(Object.keys(first), keys);
  assert.deepEqual(first['params'], {
    end: '2023-11-14T22:14:20.500Z',
    query: 'sum(up)',
    start: '2023-11-14T22:13:20.000Z',
    step: 15,
  });
  assert.deepEqual(first['stats'], record.stats);
  assert.deepEqual(first['ruleGroup'], { file: 'rules.yml', name: 'g' });
  assert.deepEqual(Object.keys(second), keys.toSpliced(4, 0, 'error'));
  assert.equal((second['params'] as { step: number }).step, 0);
});

test('the file is opened anew, so that the old one can be moved away; without a name there is no log', async (context) => {
  const { log, path, registry } = await world(context);
  log.use(await log.open(path));
  log.write(record);
  await rename(path, `${path}.1`);
  log.use(await log.open(path));
  log.write({ ...record, spec: { ...record.spec, expr: 'later' } });
  await log.close();
  assert.equal((await lines(`${path}.1`)).length, 1);
  const [later = {}] = await lines(path);
  assert.equal((later['params'] as { query: string }).query, 'later');
  log.use(await log.open(''));
  log.write(record);
  assert.match(await registry.metrics(), /^prometheus_engine_query_log_enabled 0$/m);
});

test('a file that can not be opened is told', async (context) => {
  const { log, path } = await world(context);
  await assert.rejects(log.open(join(path, 'below')), { code: 'query_log' });
});
