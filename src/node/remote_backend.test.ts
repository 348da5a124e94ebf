import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { LocalWorkers, type WorkerMessage } from '../actors/index.ts';
import type { ActorRef } from '../runtime/index.ts';
import { VirtualClock } from '../runtime/testing/index.ts';
import type { PrometheusConfig } from './config_types.ts';
import { NodeRemoteBackend } from './remote_backend.ts';

type Message = Extract<WorkerMessage, { readonly replyTo?: unknown }>;

/** A worker that streams one part and then waits for `finish`. */
function backendWith(readsMax: number): { backend: NodeRemoteBackend; told: string[]; registry: Registry } {
  const told: string[] = [];
  const worker = {
    tell: (message: WorkerMessage) => {
      told.push(message.type);
      return 'queued';
    },
    ask: async (make: (replyTo: unknown) => Message) => {
      const { type } = make(undefined);
      told.push(type);
      return type === 'remoteRead' ? { type: 'chunks' } : { bytes: Buffer.from('part'), isLast: false };
    },
  } as unknown as ActorRef<WorkerMessage>;
  const workers = new LocalWorkers({ shards: 1, stores: 1, workers: 1 });
  workers.set(0, worker);
  const registry = new Registry();
  const config = { global: { externalLabels: {} } } as unknown as PrometheusConfig;
  const limits = { readSamplesMax: 0, readsMax, frameBytesMax: 1, lookbackMs: 1 };
  const clock = new VirtualClock();
  const backend = new NodeRemoteBackend({
    workers,
    features: [],
    limits,
    config: () => config,
    clock,
    registry,
  });
  return { backend, told, registry };
}

test('a client that goes gives its place to the next, whether it has taken anything or not', async () => {
  const { backend, told, registry } = backendWith(1);
  const queries = registry.getSingleMetric('prometheus_remote_read_handler_queries');
  const running = async (): Promise<number | undefined> => (await queries?.get())?.values[0]?.value;
  const body = new Uint8Array(1);
  const first = new AbortController();
  assert.equal((await backend.read(body, first.signal)).type, 'chunks');
  const waiting = backend.read(body, new AbortController().signal);
  assert.equal(await running(), 2);
  first.abort();
  const second = await waiting;
  assert.deepEqual(told, ['remoteRead', 'remoteReadEnd', 'remoteRead']);
  assert.equal(second.type, 'chunks');
  if (second.type !== 'chunks') return;
  for await (const piece of second.pieces) {
    assert.equal(String(piece), 'part');
    break;
  }
  assert.equal(told.at(-1), 'remoteReadEnd');
  assert.equal(await running(), 0);
});
