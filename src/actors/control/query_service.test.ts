import assert from 'node:assert/strict';
import test from 'node:test';
import { Registry } from 'prom-client';
import { CodedError } from '../../base/index.ts';
import { QueryError } from '../../promql/index.ts';
import { TestInbox, VirtualClock } from '../../runtime/testing/index.ts';
import type { AnswerMessage, QuerySpec, WorkerMessage } from '../worker/messages.ts';
import { LocalWorkers } from './local_workers.ts';
import { QueryMetrics } from './query_metrics.ts';
import { type QueryRecord, QueryService } from './query_service.ts';

const spec: QuerySpec = {
  expr: 'up',
  startMs: 0,
  endMs: 0,
  stepMs: 1,
  instant: true,
  limits: { samplesMax: 10, timeoutMs: 1_000, lookbackMs: 10 },
  partialResponse: true,
  seriesMax: 0,
};
const answer: AnswerMessage = { data: new Uint8Array(1), warnings: [], infos: [] };
const never = new AbortController().signal;
type Query = Extract<WorkerMessage, { type: 'query' }>;

class World {
  readonly clock = new VirtualClock();
  readonly worker = new TestInbox<WorkerMessage>('/worker');
  readonly workers = new LocalWorkers({ shards: 8, stores: 1, workers: 1 });
  readonly registry = new Registry();
  readonly records: QueryRecord[] = [];
  readonly service: QueryService;

  constructor(concurrencyMax: number) {
    this.workers.set(0, this.worker);
    const metrics = new QueryMetrics(this.registry, concurrencyMax);
    const onDone = (record: QueryRecord): void => void this.records.push(record);
    this.service = new QueryService({
      workers: this.workers,
      concurrencyMax,
      clock: this.clock,
      metrics,
      onDone,
    });
  }

  async messages(): Promise<WorkerMessage[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.worker.takeAll();
  }

  async queries(): Promise<Query[]> {
    return (await this.messages()).filter((message) => message.type === 'query');
  }
}

test('so many queries run at a time, the others in the order in which they came', async () => {
  const world = new World(2);
  const done = [1, 2, 3, 4].map((i) => world.service.query({ ...spec, expr: `q${i}` }, never, {}));
  const [first, second, ...more] = await world.queries();
  assert.equal(more.length, 0);
  assert.equal(world.service.running, 2);
  second?.replyTo.ok(answer);
  assert.deepEqual(
    (await world.queries()).map((query) => query.spec.expr),
    ['q3'],
  );
  first?.replyTo.fail(new CodedError('bad_data', 'no'));
  await assert.rejects(done[0] as Promise<unknown>, /no/);
  assert.deepEqual(
    (await world.queries()).map((query) => query.spec.expr),
    ['q4'],
  );
});

test('every place in the line is given back, however a query ends', async () => {
  const world = new World(1);
  for (let i = 0; i < 5; i++) {
    const done = world.service.query(spec, never, {});
    const [query] = await world.queries();
    if (i % 2 === 0) query?.replyTo.ok(answer);
    else query?.replyTo.fail(new Error('failed'));
    await done.catch(() => undefined);
  }
  world.workers.set(0, undefined);
  await assert.rejects(world.service.query(spec, never, {}), { code: 'shard_unavailable' });
  assert.equal(world.service.running, 0);
});

test('the line has an end', async () => {
  const world = new World(1);
  const abort = new AbortController();
  const waiting = Promise.allSettled(
    Array.from({ length: 51 }, () => world.service.query(spec, abort.signal, {})),
  );
  await assert.rejects(world.service.query(spec, never, {}), { code: 'too_many_queries' });
  abort.abort(new Error('gone'));
  const [first] = await world.queries();
  first?.replyTo.fail(new Error('cancelled'));
  assert.ok((await waiting).every(({ status }) => status === 'rejected'));
  assert.equal(world.service.running, 0);
});

test('a client that goes away is told to the worker, and gives up its place in the line', async () => {
  const world = new World(1);
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = world.service.query(spec, running.signal, {});
  const second = world.service.query(spec, waiting.signal, {});
  const [query] = await world.queries();
  waiting.abort(new Error('gone'));
  await assert.rejects(second, { message: 'query was canceled in query queue' });
  running.abort(new Error('gone'));
  const [cancel] = await world.messages();
  assert.deepEqual(cancel, { type: 'cancel', id: query?.id });
  query?.replyTo.fail(new Error('cancelled'));
  await assert.rejects(first);
  assert.equal(world.service.running, 0);
});

test('a client that has gone already starts nothing', async () => {
  const world = new World(1);
  await assert.rejects(world.service.query(spec, AbortSignal.abort(new Error('gone')), {}), /gone/);
  const first = world.service.query(spec, never, {});
  await assert.rejects(world.service.query(spec, AbortSignal.abort(new Error('gone')), {}), /gone/);
  assert.equal((await world.queries()).length, 1);
  assert.equal(world.service.running, 1);
  void first;
});

test('the time in the line counts: a query times out there, or has less left to run', async () => {
  const world = new World(1);
  const first = world.service.query({ ...spec, limits: { ...spec.limits, timeoutMs: 60_000 } }, never, {});
  const late = world.service.query(spec, never, {});
  const patient = world.service.query({ ...spec, limits: { ...spec.limits, timeoutMs: 5_000 } }, never, {});
  const [query] = await world.queries();
  world.clock.advance(1_000);
  await assert.rejects(late, (error) => error instanceof QueryError && error.errorType === 'timeout');
  query?.replyTo.ok(answer);
  await first;
  const [next] = await world.queries();
  assert.equal(next?.spec.limits.timeoutMs, 4_000);
  next?.replyTo.ok(answer);
  await patient;
  assert.equal(world.clock.pending, 0);
});

test('a query whose worker gave no answer in time is cancelled there', async () => {
  const world = new World(1);
  const done = world.service.query(spec, never, {});
  const [query] = await world.queries();
  query?.replyTo.fail(new CodedError('ask_deadline', 'no reply'));
  await assert.rejects(done, { code: 'ask_deadline' });
  assert.deepEqual(await world.messages(), [{ type: 'cancel', id: query?.id }]);
});

test('what a query looked at is counted and told when it is over, with how long it waited', async () => {
  const world = new World(1);
  const origin = { httpRequest: { clientIP: '127.0.0.1', method: 'GET', path: '/api/v1/query' } };
  const first = world.service.query(spec, never, origin);
  const second = world.service.query({ ...spec, expr: 'late' }, never, {});
  assert.match(await world.registry.metrics(), /^prometheus_engine_queries 2$/m);
  const [query] = await world.queries();
  world.clock.advance(250);
  const samples = { totalSamples: 7, peakSamples: 3, peakShared: 0, series: 1, workMs: 1 };
  const timings = { preparation: 0.1, evaluation: 0.2, sorting: 0.05 };
  query?.replyTo.ok({ ...answer, stats: { samples, timings } });
  await first;
  const [late] = await world.queries();
  assert.equal(late?.spec.queueSeconds, 0.25);
  late?.replyTo.fail(new CodedError('execution', 'too much'));
  await assert.rejects(second);
  assert.deepEqual(
    world.records.map((record) => [record.spec.expr, record.origin, record.error, record.stats.samples]),
    [
      ['up', origin, undefined, { totalQueryableSamples: 7, peakSamples: 3 }],
      ['late', {}, 'too much', { totalQueryableSamples: 0, peakSamples: 0 }],
    ],
  );
  assert.equal(world.records[0]?.stats.timings.innerEvalTime, 0.15);
  assert.equal(world.records[1]?.stats.timings.execQueueTime, 0.25);
  const metrics = await world.registry.metrics();
  assert.match(metrics, /^prometheus_engine_queries 0$/m);
  assert.match(metrics, /^prometheus_engine_queries_concurrent_max 1$/m);
  assert.match(metrics, /^prometheus_engine_query_samples_total 7$/m);
});
