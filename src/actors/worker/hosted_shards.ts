/**
 * The shards that one worker has: their stores, opened at start with every log replayed, and one actor each. Reads go
 * to the stores directly, over any set of shards at once; writes go through the actors.
 */
import { join } from 'node:path';
import { Gauge, type Registry } from 'prom-client';
import { type Clock, CodedError, errorText, type Logger } from '../../base/index.ts';
import { compareBytes, type Labels, type Matcher, type SeriesColumns } from '../../model/index.ts';
import type { SelectRequest } from '../../promql/index.ts';
import type { ExemplarSeries, LocalShards, Unreadable } from '../../query/index.ts';
import type { ActorRef, ActorSystem } from '../../runtime/index.ts';
import {
  type Cardinality,
  copyStore,
  type EngineName,
  engineNamed,
  type FsyncPolicy,
  openStoreDirectory,
  type ShardStore,
  type StoreDirectory,
  type StoreSettings,
} from '../../tsdb/index.ts';
import { type StoreLayout, storeOfShard, storesOfWorker, workerOfShard } from '../store_layout.ts';
import { type ShardMessage, shardProps } from './shard_actor.ts';

export interface HostedShardsOptions {
  readonly dataPath: string;
  readonly layout: StoreLayout;
  readonly workerIndex: number;
  readonly storage: StoreSettings;
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

/** Of pages and indexes that were read lately. */
const cacheBytesOfNode = 256 << 20;
/** Shards that are opened at the same time. */
const opensAtOnce = 4;
const deleteDeadlineMs = 60_000;
const barrierDeadlineMs = 10_000;

export class HostedShards {
  readonly #options: HostedShardsOptions;
  readonly #deps: Deps;
  readonly #directories = new Map<number, StoreDirectory>();
  readonly #shards = new Map<number, HostedShard>();
  readonly #opening = new Map<number, Promise<HostedShard>>();
  /** Shards with data here that can't be read, and why. */
  readonly #unopened = new Map<number, string>();
  readonly #unopenedCount: Gauge;

  private constructor(options: HostedShardsOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#unopenedCount = new Gauge({
      name: 'torchring_shards_unopened',
      help: 'Shards with data on this node that could not be opened.',
      registers: [deps.registry],
    });
  }

  /**
   * Opens this worker's stores and replays every shard that has data. One that can't be read is left out until it can
   * be. Rejects with StoreError when a store can't be opened.
   */
  static async open(options: HostedShardsOptions, deps: Deps): Promise<HostedShards> {
    const hosted = new HostedShards(options, deps);
    const { clock, log, registry } = deps;
    for (const store of storesOfWorker(options.workerIndex, options.layout)) {
      const directory = await openStoreDirectory(join(options.dataPath, storeFolder(store)), {
        ...shareOf(options.storage, options.layout),
        cacheBytes: Math.ceil(cacheBytesOfNode / options.layout.stores),
        fsync: options.fsync,
        openEngine: engineNamed(options.engine),
        log,
        registry,
        clock,
      });
      hosted.#directories.set(store, directory);
      await hosted.#openAll(await directory.listShards());
    }
    return hosted;
  }

  /** A few at a time, so that reading and replaying overlap. */
  async #openAll(shards: readonly number[]): Promise<void> {
    const waiting = [...shards];
    const open = async (): Promise<void> => {
      for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
        await this.host(shard).catch((error: unknown) => this.#noteUnopened(shard as number, error));
      }
    };
    await Promise.all(Array.from({ length: opensAtOnce }, open));
  }

  #noteUnopened(shard: number, error: unknown): void {
    this.#unopened.set(shard, errorText(error));
    this.#unopenedCount.set(this.#unopened.size);
    this.#deps.log.error(
      { shard, err: errorText(error) },
      'A shard can not be opened; the node goes on without it and tries again',
    );
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
    this.#unopened.delete(shard);
    this.#unopenedCount.set(this.#unopened.size);
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

  configure(settings: StoreSettings): void {
    const share = shareOf(settings, this.#options.layout);
    for (const directory of this.#directories.values()) directory.configure(share);
  }

  /** Seals, compacts and deletes what is due, one shard after the other. */
  async maintain(): Promise<void> {
    for (const directory of this.#directories.values()) await directory.maintain();
  }

  /** Of what is in memory, one for each store. */
  cardinality(topMax: number): Promise<Cardinality[]> {
    return Promise.all([...this.#directories.values()].map((directory) => directory.cardinality(topMax)));
  }

  /** Copies every store to a folder below `path` that has the name it has here. Rejects with StoreError. */
  async copyTo(path: string): Promise<void> {
    for (const store of this.#directories.keys()) {
      const shards = this.hosted.filter((shard) => storeOfShard(shard, this.#options.layout) === store);
      const stores = shards.flatMap((shard) => this.store(shard) ?? []);
      await copyStore(join(path, storeFolder(store)), stores, engineNamed(this.#options.engine));
    }
  }

  /** The given shards, as far as they are here, as one thing to read. */
  view(shards: readonly number[]): ShardsView {
    const stores = shards.flatMap((shard) => this.#shards.get(shard)?.store ?? []);
    const unopened = new Map<number, string>();
    for (const shard of shards) {
      const reason = this.#unopened.get(shard);
      if (reason !== undefined) unopened.set(shard, reason);
    }
    return new ShardsView(stores, unopened);
  }

  /** Tries again what could not be opened. */
  async reopen(): Promise<void> {
    await this.#openAll([...this.#unopened.keys()]);
  }

  async close(): Promise<void> {
    for (const directory of this.#directories.values()) await directory.close();
  }
}

const storeFolder = (store: number): string => `store-${store}`;

/** Limits of the node as those of one store. */
function shareOf(settings: StoreSettings, { stores }: StoreLayout): StoreSettings {
  return {
    ...settings,
    retentionBytes: Math.ceil(settings.retentionBytes / stores),
    exemplarsMax: Math.ceil(settings.exemplarsMax / stores),
  };
}

/** Codes of a disk's errors: that shard has to be left out of an answer, the others have not. */
const unreadableCodes: readonly string[] = [
  'window_damaged',
  'window_unreadable',
  'store_failed',
  'store_open',
];

const distinct = (found: string[]): string[] => [...new Set(found)].sort(compareBytes);

/** A series lives in one shard only, so joining shards is concatenating and sorting. */
export class ShardsView implements LocalShards {
  readonly #stores: readonly ShardStore[];
  readonly #unread: Map<number, string>;

  constructor(stores: readonly ShardStore[], unopened: Map<number, string>) {
    this.#stores = stores;
    this.#unread = unopened;
  }

  /** What had to be left out of the answers until now. */
  get unreadable(): Unreadable | undefined {
    const [reason] = this.#unread.values();
    return reason === undefined ? undefined : { shards: [...this.#unread.keys()], reason };
  }

  async select({ matchers, fromMs, toMs, newestAt }: SelectRequest): Promise<readonly SeriesColumns[]> {
    const series = await this.#all((store) => store.select(matchers, fromMs, toMs, newestAt));
    return series.sort((a, b) => a.labels.compare(b.labels));
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number, limit: number): Promise<Labels[]> {
    return this.#first(
      limit,
      (store) => store.series(matchers, fromMs, toMs),
      (found) => found.sort((a, b) => a.compare(b)),
    );
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number, limit: number): Promise<string[]> {
    return this.#first(limit, (store) => store.labelNames(matchers, fromMs, toMs), distinct);
  }

  labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    limit: number,
  ): Promise<string[]> {
    return this.#first(limit, (store) => store.labelValues(name, matchers, fromMs, toMs), distinct);
  }

  exemplars(
    anyOf: readonly (readonly Matcher[])[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly ExemplarSeries[]> {
    return this.#all((store) => store.exemplars(anyOf, fromMs, toMs));
  }

  /** The first `limit` of all stores in order, 0: all. One store after the other, so that few are held at a time. */
  async #first<T>(
    limit: number,
    read: (store: ShardStore) => Promise<T[]>,
    inOrder: (found: T[]) => T[],
  ): Promise<T[]> {
    let found: T[] = [];
    for (const store of this.#stores) {
      const part = await this.#read(store, read);
      if (part.length === 0) continue;
      for (const one of part) found.push(one);
      if (limit > 0 && found.length > limit) found = inOrder(found).slice(0, limit);
    }
    return inOrder(found);
  }

  /** Asked in one go, so that all answer from the same moment. */
  async #all<T>(read: (store: ShardStore) => T[] | Promise<T[]>): Promise<T[]> {
    const parts = await Promise.all(this.#stores.map((store) => this.#read(store, read)));
    return parts.flat();
  }

  async #read<T>(store: ShardStore, read: (store: ShardStore) => T[] | Promise<T[]>): Promise<T[]> {
    try {
      return await read(store);
    } catch (error) {
      if (!(error instanceof CodedError) || !unreadableCodes.includes(error.code)) throw error;
      this.#unread.set(store.shard, errorText(error));
      return [];
    }
  }
}
