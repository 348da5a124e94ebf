import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { CodedError, type Random, seededRandom, silentLogger, systemClock } from '../../base/index.ts';
import type { ShardEntry, ShardTable } from '../../cluster/index.ts';
import { Labels, WriteBatchBuilder } from '../../model/index.ts';
import { encodeRemoteWrite } from '../../remote/index.ts';
import { type ActorRef, ActorSystem, connectThread } from '../../runtime/index.ts';
import type { AppendOutcome } from '../../tsdb/index.ts';
import { controlProps, type Peers } from '../control/control_actor.ts';
import { LocalWorkers, type ShardExecution, type ShardWrite } from '../control/local_workers.ts';
import type { VectorMessage, WorkerMessage } from './messages.ts';
import type { RemoteWriteOutcome } from './remote_messages.ts';
import { controlName, startWorker, workerName } from './start_worker.ts';

const shards = 8;
const layout = { shards, stores: 2, workers: 1 };
const limits = { samplesMax: 1_000_000, timeoutMs: 5_000, lookbackMs: 3_600_000 };
const nowMs = Math.floor(systemClock.nowMs() / 1000) * 1000;

/** Nodes with one worker each over real stores, calls between them, and a table that is told to them one by one. */
class Cluster {
  readonly nodes = new Map<string, Member>();
  table: ShardTable = { version: 0, shards: [] };
  readonly random: Random;
  #onCommit: () => void = () => undefined;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** Shards get owners; who held data of them keeps it until it says otherwise. */
  own(owner: (shard: number) => string): void {
    const before = this.table.shards;
    const entries = Array.from({ length: shards }, (_, shard): ShardEntry => {
      const known = before[shard];
      const next = owner(shard);
      if (known?.owner === next) return known;
      const holders = [next, ...(known?.holders ?? []).filter((holder) => holder !== next)];
      return { owner: next, epoch: (known?.epoch ?? 0) + 1, holders };
    });
    this.#commit(entries);
  }

  handedOver(nodeId: string, done: ReadonlyMap<number, number>): void {
    this.#commit(
      this.table.shards.map((entry, shard) =>
        done.get(shard) === entry.epoch && entry.owner !== nodeId
          ? { ...entry, holders: entry.holders.filter((holder) => holder !== nodeId) }
          : entry,
      ),
    );
  }

  /** A change that concerns nobody, after which everybody looks again at what is to be done. */
  touch(): void {
    this.#commit([...this.table.shards]);
  }

  /** Resolves when every shard is with its owner alone. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCommit = () => {
        if (this.table.shards.every(({ holders }) => holders.length === 1)) resolve();
      };
      this.#onCommit();
    });
  }

  #commit(entries: ShardEntry[]): void {
    this.table = { version: this.table.version + 1, shards: entries };
    this.#onCommit();
    const { table } = this;
    // Nodes hear of tables at different times, and of some that follow closely only the last.
    for (const node of this.nodes.values()) {
      node.unheard.push(table);
      setTimeout(() => node.hear(), this.random.below(8));
    }
  }

  async stop(): Promise<void> {
    for (const node of this.nodes.values()) await node.stop();
  }
}

class Member implements Peers {
  readonly self: string;
  readonly #cluster: Cluster;
  readonly workers = new LocalWorkers(layout);
  readonly worker: ActorRef<WorkerMessage>;
  readonly #system: ActorSystem;
  readonly #channel = new MessageChannel();
  readonly unheard: ShardTable[] = [];
  #known: ShardTable = { version: 0, shards: [] };
  #stopWorker: () => Promise<void> = async () => undefined;
  #id = 0;

  constructor(self: string, cluster: Cluster) {
    this.self = self;
    this.#cluster = cluster;
    this.#system = new ActorSystem({
      clock: systemClock,
      random: seededRandom(1),
      log: silentLogger,
      name: self,
    });
    this.worker = connectThread(this.#system, this.#channel.port1).remoteRef(`/${workerName}`);
    this.workers.set(0, this.worker);
    this.#system.spawn(controlProps(this.workers, this), controlName);
  }

  static async start(self: string, path: string, cluster: Cluster): Promise<void> {
    const member = new Member(self, cluster);
    const settings = {
      nodeId: self,
      clusterName: 'c',
      version: '0',
      dataPath: join(path, self),
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
    member.#stopWorker = await startWorker(0, settings, member.#channel.port2, deps);
    cluster.nodes.set(self, member);
  }

  async stop(): Promise<void> {
    await this.#stopWorker();
    this.#channel.port1.close();
    await this.#system.shutdown(1_000);
  }

  /** One more table, or all of them as one. */
  hear(): void {
    const isMerged = this.#cluster.random.below(2) === 0;
    const table = isMerged ? this.unheard.at(-1) : this.unheard.shift();
    if (table === undefined) return;
    if (isMerged) this.unheard.length = 0;
    this.#known = table;
    this.worker.tell({
      type: 'cluster',
      state: { self: this.self, table, live: [...this.#cluster.nodes.keys()] },
    });
  }

  catchUp(): void {
    while (this.unheard.length > 0) this.hear();
  }

  table(): ShardTable {
    return this.#known;
  }

  write(nodeId: string, write: ShardWrite, deadlineMs: number): Promise<AppendOutcome> {
    return this.#peer(nodeId).workers.append(write, deadlineMs);
  }

  execute(nodeId: string, execution: ShardExecution): Promise<Uint8Array[]> {
    return this.#peer(nodeId).workers.execute(execution);
  }

  async handedOver(done: readonly number[], epochs: readonly number[]): Promise<void> {
    if (this.#cluster.random.below(3) === 0) {
      setImmediate(() => this.#cluster.touch());
      throw new CodedError('no_leader', 'nobody leads at present');
    }
    this.#cluster.handedOver(this.self, new Map(done.map((shard, i) => [shard, epochs[i] as number])));
  }

  #peer(nodeId: string): Member {
    const peer = this.#cluster.nodes.get(nodeId);
    if (peer === undefined) throw new CodedError('transport_unavailable', `no node ${nodeId}`);
    return peer;
  }

  remoteWrite(body: Uint8Array): Promise<RemoteWriteOutcome> {
    return this.worker.ask(
      (replyTo) => ({ type: 'remoteWrite', request: { body, protocol: 1, zeroSamples: false }, replyTo }),
      20_000,
    );
  }

  vector(expr: string): Promise<VectorMessage> {
    const range = { startMs: nowMs, endMs: nowMs, stepMs: 1, instant: true };
    const spec = { expr, ...range, limits, partialResponse: true, seriesMax: 0 };
    return this.worker.ask((replyTo) => ({ type: 'vector', id: ++this.#id, spec, replyTo }), 10_000);
  }
}

const instances = Array.from({ length: 24 }, (_, i) => `i${i}`);

/** One sample of every series. */
function round(timestampMs: number): Uint8Array {
  const builder = new WriteBatchBuilder();
  for (const instance of instances) {
    builder.add(Labels.fromRecord({ __name__: 'm', job: 'j', instance }), timestampMs, timestampMs % 1000);
  }
  return encodeRemoteWrite(builder.finish());
}

for (const seed of [7, 8])
  test(`seed ${seed}: while shards move between nodes and back, every acknowledged sample is counted exactly once, at every node`, async () => {
    const path = await mkdtemp(join(tmpdir(), 'torchring-moving-'));
    const cluster = new Cluster(seed);
    try {
      for (const id of ['a', 'b', 'c']) await Member.start(id, path, cluster);
      const members = [...cluster.nodes.values()];
      const { random } = cluster;
      cluster.own((shard) => 'abc'[shard % 3] as string);
      const firstMs = nowMs - 60_000;
      let rounds = 0;
      for (; rounds < 40; rounds++) {
        if (rounds % 4 === 3) cluster.own(() => 'abc'[random.below(3)] as string);
        const writer = members[random.below(3)] as Member;
        const outcome = await writer.remoteWrite(round(firstMs + rounds * 1000));
        assert.equal(outcome.status, 204, outcome.message);
        const reader = members[random.below(3)] as Member;
        // Whoever asks by the newest table is answered in full, whatever the others have heard of by then.
        reader.catchUp();
        const { samples, warnings } = await reader.vector('sum(count_over_time(m[1h]))');
        assert.deepEqual(warnings, []);
        assert.equal(samples[0]?.value, instances.length * (rounds + 1), `round ${rounds}`);
      }
      await cluster.settled();
      for (const member of members) {
        member.catchUp();
        const { samples } = await member.vector('sum(count_over_time(m[1h]))');
        assert.equal(samples[0]?.value, instances.length * rounds);
      }
    } finally {
      await cluster.stop();
      await rm(path, { recursive: true, force: true });
    }
  });
