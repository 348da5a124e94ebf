import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { CodedError, seededRandom, silentLogger, systemClock } from '../../base/index.ts';
import type { ShardEntry } from '../../cluster/index.ts';
import { placementShard } from '../../cluster/index.ts';
import { encodeWriteBatch, Labels, setStaleNaN, WriteBatchBuilder } from '../../model/index.ts';
import { encodeRemoteWrite } from '../../remote/index.ts';
import { type ActorRef, ActorSystem, connectThread } from '../../runtime/index.ts';
import { controlProps, type Peers } from '../control/control_actor.ts';
import { LocalWorkers, type ShardExecution } from '../control/local_workers.ts';
import type { AnswerMessage, QuerySpec, VectorMessage, WorkerMessage } from './messages.ts';
import type { RemoteWriteOutcome } from './remote_messages.ts';
import { controlName, startWorker, workerName } from './start_worker.ts';

const layout = { shards: 8, stores: 2, workers: 1 };
const limits = { samplesMax: 1000, timeoutMs: 5_000, lookbackMs: 300_000 };

/** One worker over real stores in this thread, with a real link and a control thread's actors beside it. */
class Node implements Peers {
  readonly self = 'a';
  readonly workers = new LocalWorkers(layout);
  readonly #system: ActorSystem;
  readonly #channel = new MessageChannel();
  readonly worker: ActorRef<WorkerMessage>;
  shards: ShardEntry[] = [];
  version = 0;
  stop: () => Promise<void> = async () => undefined;

  constructor() {
    this.#system = new ActorSystem({
      clock: systemClock,
      random: seededRandom(1),
      log: silentLogger,
      name: 'control',
    });
    this.worker = connectThread(this.#system, this.#channel.port1).remoteRef(`/${workerName}`);
    this.workers.set(0, this.worker);
    this.#system.spawn(controlProps(this.workers, this), controlName);
  }

  static async start(dataPath: string): Promise<Node> {
    const node = new Node();
    const settings = {
      nodeId: 'a',
      clusterName: 'c',
      version: '0',
      dataPath,
      layout,
      storage: {
        retentionMs: 86_400_000,
        retentionBytes: 0,
        outOfOrderWindowMs: 0,
        exemplarsMax: 100,
      },
      fsync: 'os',
      limits,
      features: {},
    } as const;
    const deps = { clock: systemClock, random: seededRandom(2), log: silentLogger };
    const stopWorker = await startWorker(0, settings, node.#channel.port2, deps);
    node.stop = async () => {
      await stopWorker();
      node.#channel.port1.close();
      node.#channel.port2.close();
      await node.#system.shutdown(1_000);
    };
    return node;
  }

  own(owner: (shard: number) => string, live: readonly string[] = ['a']): void {
    this.version++;
    this.shards = Array.from({ length: layout.shards }, (_, shard) => {
      return { owner: owner(shard), epoch: this.version, holders: [owner(shard)] };
    });
    this.worker.tell({ type: 'cluster', state: { self: 'a', table: this.table(), live } });
  }

  table(): { version: number; shards: ShardEntry[] } {
    return { version: this.version, shards: this.shards };
  }

  write(): Promise<never> {
    return Promise.reject(new CodedError('store_failed', 'the other node is broken'));
  }

  execute(_nodeId: string, _execution: ShardExecution): Promise<Uint8Array[]> {
    return Promise.reject(new CodedError('transport_unavailable', 'refused'));
  }

  handedOver(): Promise<void> {
    return Promise.resolve();
  }

  remoteWrite(body: Uint8Array): Promise<RemoteWriteOutcome> {
    return this.worker.ask(
      (replyTo) => ({ type: 'remoteWrite', request: { body, protocol: 1, zeroSamples: false }, replyTo }),
      5_000,
    );
  }

  query(expr: string): Promise<AnswerMessage> {
    return this.worker.ask(
      (replyTo) => ({ type: 'query', id: ++this.#id, spec: specOf(expr), replyTo }),
      5_000,
    );
  }

  vector(expr: string): Promise<VectorMessage> {
    return this.worker.ask(
      (replyTo) => ({ type: 'vector', id: ++this.#id, spec: specOf(expr), replyTo }),
      5_000,
    );
  }

  #id = 0;
}

const nowMs = Math.floor(systemClock.nowMs() / 1000) * 1000;
const specOf = (expr: string): QuerySpec => ({
  expr,
  startMs: nowMs,
  endMs: nowMs,
  stepMs: 1,
  instant: true,
  limits,
  partialResponse: true,
  seriesMax: 0,
});

function request(
  samples: readonly (readonly [instance: string, timestampMs: number, value: number])[],
): Uint8Array {
  const builder = new WriteBatchBuilder();
  for (const [instance, timestampMs, value] of samples) {
    builder.add(Labels.fromRecord({ __name__: 'm', instance, job: 'j' }), timestampMs, value);
  }
  return encodeRemoteWrite(builder.finish());
}

const instances = Array.from({ length: 20 }, (_, i) => `i${i}`);
const text = (answer: AnswerMessage): string => new TextDecoder().decode(answer.data);

async function withNode(run: (node: Node, restart: () => Promise<Node>) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'torchring-worker-'));
  let node = await Node.start(path);
  try {
    await run(node, async () => {
      await node.stop();
      node = await Node.start(path);
      return node;
    });
  } finally {
    await node.stop();
    await rm(path, { recursive: true, force: true });
  }
}

test('what a remote write is answered with tells the sender what to do', async () => {
  await withNode(async (node) => {
    node.own(() => 'a');
    const good = request(instances.map((instance) => [instance, nowMs - 1000, 1]));
    const all = { samplesWritten: 20, histogramsWritten: 0, exemplarsWritten: 0, refused: 0 };
    assert.deepEqual(await node.remoteWrite(good), { status: 204, ...all });
    assert.deepEqual(await node.remoteWrite(good), { status: 204, ...all }, 'sent again');
    const mixed = await node.remoteWrite(
      request([
        ['i0', nowMs - 2000, 1],
        ['i1', nowMs, 2],
      ]),
    );
    assert.equal(mixed.status, 400);
    assert.equal(mixed.samplesWritten, 1);
    assert.match(mixed.message ?? '', /out of order sample/);
    const conflict = await node.remoteWrite(request([['i0', nowMs - 1000, 5]]));
    assert.match(conflict.message ?? '', /duplicate sample for timestamp/);
    assert.equal((await node.remoteWrite(request([['i0', nowMs + 3_600_000, 5]]))).status, 400);
    assert.equal((await node.remoteWrite(new Uint8Array([1, 2, 3]))).status, 400);
    const shard = placementShard(Labels.fromRecord({ job: 'j', instance: 'i3' }), layout.shards);
    node.own((each) => (each === shard ? 'b' : 'a'), ['a', 'b']);
    const away = await node.remoteWrite(request([['i3', nowMs, 1]]));
    assert.equal(away.status, 503);
    assert.match(away.message ?? '', /broken/);
  });
});

test('what was acknowledged is there after a restart, staleness markers too', async () => {
  await withNode(async (node, restart) => {
    node.own(() => 'a');
    await node.remoteWrite(request(instances.map((instance, i) => [instance, nowMs - 1000, i])));
    const stale = new WriteBatchBuilder();
    const marker = new Float64Array(1);
    setStaleNaN(marker, 0);
    stale.addFrom(Labels.fromRecord({ __name__: 'm', instance: 'i5', job: 'j' }), nowMs, marker, 0);
    const batch = encodeWriteBatch(stale.finish());
    await node.worker.ask((replyTo) => ({ type: 'ingest', batch, replyTo }), 5_000);
    const again = await restart();
    again.own(() => 'a');
    const { samples, isUnsettled } = await again.vector('sum by (job) (m)');
    assert.equal(samples[0]?.value, 190 - 5);
    assert.equal(isUnsettled, false);
    assert.match(text(await again.query('count(m)')), /"19"/);
  });
});

test('a worker that knows no table answers "not now" instead of with nothing, and takes no appends', async () => {
  await withNode(async (node) => {
    await assert.rejects(node.query('up'), { code: 'shard_unavailable' });
    const batch = encodeWriteBatch(new WriteBatchBuilder().finish());
    const append = (shard: number): Promise<unknown> =>
      node.worker.ask(
        (replyTo) => ({ type: 'append', shard, epoch: 1, bypassOutOfOrder: false, batch, replyTo }),
        1_000,
      );
    await assert.rejects(append(0), { code: 'not_owner' });
    await assert.rejects(append(8), { code: 'unknown_shard' });
  });
});

test('bytes that make no sense cost the worker nothing', async () => {
  await withNode(async (node) => {
    node.own(() => 'a');
    const batch = new Uint8Array([9, 9, 9]);
    await assert.rejects(node.worker.ask((replyTo) => ({ type: 'ingest', batch, replyTo }), 1_000));
    const execute = node.worker.ask<Uint8Array>(
      (replyTo) => ({ type: 'execute', id: 1, shards: [0], payload: batch, deadlineMs: 1_000, replyTo }),
      1_000,
    );
    assert.equal((await execute)[0], 1, 'an error answer');
    assert.match(text(await node.query('vector(1)')), /"1"/);
  });
});

test('a node that does not answer is named, and its part alone is missing', async () => {
  await withNode(async (node) => {
    node.own(() => 'a');
    await node.remoteWrite(request(instances.map((instance) => [instance, nowMs - 1000, 1])));
    node.own((shard) => (shard === 0 ? 'b' : 'a'), ['a', 'b']);
    const { warnings } = await node.query('count(m)');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /node b did not answer \(transport_unavailable\).*shard 0 is missing/);
    assert.equal((await node.vector('count(m)')).isUnsettled, true);
  });
});

test('a cancelled query ends at once, also where another node works on it', { timeout: 10_000 }, async () => {
  await withNode(async (node) => {
    node.own((shard) => (shard === 0 ? 'b' : 'a'), ['a', 'b']);
    const toldThere = new Promise<void>((resolve) => {
      node.execute = (_nodeId, { signal }) =>
        new Promise<never>(() => signal.addEventListener('abort', () => resolve()));
    });
    const spec = { what: 'labelNames', label: '', selectors: [], fromMs: 0, toMs: nowMs, limit: 0 } as const;
    const found = node.worker.ask<AnswerMessage>(
      (replyTo) => ({ type: 'lookup', id: 99, spec, replyTo }),
      4_000,
    );
    found.catch(() => undefined);
    node.worker.tell({ type: 'cancel', id: 99 });
    await assert.rejects(found, { code: 'canceled' });
    await toldThere;
  });
});

test('what is done for another place ends when nobody waits for it any more', async () => {
  await withNode(async (node) => {
    node.own((shard) => (shard === 0 ? 'b' : 'a'), ['a', 'b']);
    const asked = new Promise<ShardExecution>((resolve) => {
      node.execute = (_nodeId, execution) => {
        resolve(execution);
        return Promise.resolve([]);
      };
    });
    await node.query('sum(m)');
    const { kind, payload } = await asked;
    // The same for the shards that are here.
    const execution = { kind, payload, shards: [1, 2, 3], deadlineMs: 60_000 };
    const abort = new AbortController();
    const answers = node.workers.execute({ ...execution, signal: abort.signal });
    abort.abort();
    const [answer = new Uint8Array()] = await answers;
    assert.match(new TextDecoder().decode(answer), /"code":"canceled"/);
    const [whole = new Uint8Array()] = await node.workers.execute({
      ...execution,
      signal: new AbortController().signal,
    });
    assert.equal(whole[0], 0);
    await assert.rejects(node.workers.execute({ ...execution, signal: abort.signal }));
  });
});

test('a query whose data takes more memory than it may is refused, and the next one is answered', async () => {
  await withNode(async (node) => {
    node.own(() => 'a');
    await node.remoteWrite(request(instances.map((instance) => [instance, nowMs - 1000, 1])));
    const small = { ...specOf('m'), limits: { ...limits, memoryMax: 1_500 } };
    const ask = (spec: QuerySpec): Promise<AnswerMessage> =>
      node.worker.ask((replyTo) => ({ type: 'query', id: 7, spec, replyTo }), 5_000);
    await assert.rejects(ask(small), { code: 'execution', message: /--query.max-memory/ });
    assert.match(text(await ask({ ...small, expr: 'count(m)', limits })), /"resultType":"vector"/);
  });
});
