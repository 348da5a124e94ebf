/**
 * The shards that one worker has: their stores, opened at start with every log replayed, and one actor each. Reads go
 * to the stores directly, over any set of shards at once; writes go through the actors.
 */
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { Clock, Logger } from '../../base/index.ts';
import { compareBytes, type Labels, type Matcher, type SeriesColumns } from '../../model/index.ts';
import type { SelectRequest } from '../../promql/index.ts';
import type { LocalShards } from '../../query/index.ts';
import type { ActorRef, ActorSystem } from '../../runtime/index.ts';
import {
  type EngineName,
  engineNamed,
  type FsyncPolicy,
  openStoreDirectory,
  type ShardStore,
  type StoreDirectory,
} from '../../tsdb/index.ts';
import { type StoreLayout, storeOfShard, storesOfWorker, workerOfShard } from '../store_layout.ts';
import { type ShardMessage, shardProps } from './shard_actor.ts';

export interface HostedShardsOptions {
  readonly dataPath: string;
  readonly layout: StoreLayout;
  readonly workerIndex: number;
  readonly retentionMs: number;
  readonly fsync: FsyncPolicy;
  readonly engine: EngineName;
}

interface Deps {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
}

interface HostedShard {
  readonly store: ShardStore;
  readonly actor: ActorRef<ShardMessage>;
}

const retentionDeadlineMs = 60_000;
const deleteDeadlineMs = 60_000;
const barrierDeadlineMs = 10_000;

export class HostedShards {
  readonly #options: HostedShardsOptions;
  readonly #deps: Deps;
  readonly #directories = new Map<number, StoreDirectory>();
  readonly #shards = new Map<number, HostedShard>();
  readonly #opening = new Map<number, Promise<HostedShard>>();

  private constructor(options: HostedShardsOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Opens this worker's stores and replays every shard that has data. Rejects with StoreError. */
  static async open(options: HostedShardsOptions, deps: Deps): Promise<HostedShards> {
    const hosted = new HostedShards(options, deps);
    const { clock, log, registry } = deps;
    for (const store of storesOfWorker(options.workerIndex, options.layout)) {
      const directory = await openStoreDirectory(join(options.dataPath, `store-${store}`), {
        retentionMs: options.retentionMs,
        fsync: options.fsync,
        openEngine: engineNamed(options.engine),
        log,
        registry,
        clock,
      });
      hosted.#directories.set(store, directory);
      for (const shard of await directory.listShards()) await hosted.host(shard);
    }
    return hosted;
  }

  isMine(shard: number): boolean {
    return workerOfShard(shard, this.#options.layout) === this.#options.workerIndex;
  }

  /** Shards with a store open here. */
  get hosted(): number[] {
    return [...this.#shards.keys()];
  }

  /** The shard's actor, opening the shard at its first use. */
  async host(shard: number): Promise<HostedShard> {
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const opening = this.#opening.get(shard) ?? this.#open(shard);
    this.#opening.set(shard, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(shard);
    }
  }

  async #open(shard: number): Promise<HostedShard> {
    const directory = this.#directories.get(storeOfShard(shard, this.#options.layout));
    if (directory === undefined) throw new RangeError(`shard ${shard} belongs to another worker`);
    const store = await directory.openShard(shard);
    const actor = this.#deps.system.spawn(shardProps(store, this.#deps.clock), `shard-${shard}`);
    const hosted = { store, actor };
    this.#shards.set(shard, hosted);
    return hosted;
  }

  store(shard: number): ShardStore | undefined {
    return this.#shards.get(shard)?.store;
  }

  /** Resolves when every append that the shard had taken before is in its store. */
  async settled(shard: number): Promise<void> {
    await this.#shards
      .get(shard)
      ?.actor.ask<void>((replyTo) => ({ type: 'barrier', replyTo }), barrierDeadlineMs);
  }

  /** Forgets a shard's data; it may be hosted again later. */
  async deleteShard(shard: number): Promise<void> {
    await this.#shards
      .get(shard)
      ?.actor.ask<void>((replyTo) => ({ type: 'deleteAll', replyTo }), deleteDeadlineMs);
  }

  /** Of one shard after the other. A shard where it fails holds up no other; rejects with the last failure then. */
  async enforceRetention(): Promise<void> {
    let failure: unknown;
    for (const { actor } of [...this.#shards.values()]) {
      try {
        await actor.ask<void>((replyTo) => ({ type: 'retention', replyTo }), retentionDeadlineMs);
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** The given shards, as far as they are here, as one thing to read. */
  view(shards: readonly number[]): LocalShards {
    const stores = shards.flatMap((shard) => this.#shards.get(shard)?.store ?? []);
    return new ShardsView(stores);
  }

  async close(): Promise<void> {
    for (const directory of this.#directories.values()) await directory.close();
  }
}

/** A series lives in one shard only, so joining shards is concatenating and sorting. */
class ShardsView implements LocalShards {
  readonly #stores: readonly ShardStore[];

  constructor(stores: readonly ShardStore[]) {
    this.#stores = stores;
  }

  async select({ matchers, fromMs, toMs }: SelectRequest): Promise<readonly SeriesColumns[]> {
    const perShard = await this.#all((store) => store.select(matchers, fromMs, toMs));
    return perShard.flat().sort((a, b) => a.labels.compare(b.labels));
  }

  async series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<Labels[]> {
    return (await this.#all((store) => store.series(matchers, fromMs, toMs))).flat();
  }

  async labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<string[]> {
    const names = await this.#all((store) => store.labelNames(matchers, fromMs, toMs));
    return [...new Set(names.flat())].sort(compareBytes);
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<string[]> {
    const values = await this.#all((store) => store.labelValues(name, matchers, fromMs, toMs));
    return [...new Set(values.flat())].sort(compareBytes);
  }

  /** Asked in one go, so that all answer from the same moment. */
  #all<T>(read: (store: ShardStore) => T | Promise<T>): Promise<T[]> {
    return Promise.all(this.#stores.map(read));
  }
}
