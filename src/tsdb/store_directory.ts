/**
 * A store directory: one engine database, open in exactly one worker, that holds the logs of the shards assigned to it.
 * A shard is a key prefix, so an empty one costs nothing and dropping one is deleting a key range.
 */
import type { Registry } from 'prom-client';
import { type Clock, errorText, type Logger, systemClock } from '../base/index.ts';
import type { OpenEngine, StoreEngine } from './engine.ts';
import { isDiskTrouble, StoreError, storeErrorCodes } from './errors.ts';
import { type FsyncPolicy, GroupCommit } from './group_commit.ts';
import { openLevelEngine } from './level_engine.ts';
import { shardOfKey, shardsFrom, storeKey } from './log_frame.ts';
import { type TsdbMetrics, tsdbMetrics } from './metrics.ts';
import { ReopenableEngine } from './reopenable_engine.ts';
import { ShardLog } from './shard_log.ts';
import { HeadShardStore, type ShardStore } from './shard_store.ts';

/** The layout of keys in a store; see docs/formats/log-frame.md. */
const storeFormatVersion = 1;
/** Series that one shard takes unless configured otherwise. */
const seriesMaxDefault = 1_000_000;

export interface StoreOptions {
  readonly retentionMs: number;
  readonly fsync: FsyncPolicy;
  readonly log: Logger;
  readonly registry: Registry;
  readonly clock?: Clock;
  /** Series per shard; samples of further ones are refused. */
  readonly seriesMax?: number;
  readonly openEngine?: OpenEngine;
}

export interface StoreDirectory {
  /** Replays the shard's log; the same store every time until it is closed. */
  openShard(shard: number): Promise<ShardStore>;
  /** Shards that have something on disk, ascending. */
  listShards(): Promise<number[]>;
  /** Writes what is pending and lets go of the folder. */
  close(): Promise<void>;
}

/** Opens or creates the folder. Throws StoreError (`store_open`) when it is in use or of an unknown version. */
export async function openStoreDirectory(path: string, options: StoreOptions): Promise<StoreDirectory> {
  const engine = await ReopenableEngine.open(path, options.openEngine ?? openLevelEngine);
  try {
    await checkVersion(engine, path);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return new EngineStoreDirectory(path, engine, options);
}

async function checkVersion(engine: StoreEngine, path: string): Promise<void> {
  const key = storeKey('V');
  const behind = new Uint8Array([...key, 0]);
  for await (const [, value] of engine.entries({ from: key, to: behind })) {
    if (value.length === 1 && value[0] === storeFormatVersion) return;
    const found = value.length === 1 ? `${value[0]}` : 'unreadable';
    const message = `the store in ${path} has format version ${found}, this program knows ${storeFormatVersion}`;
    throw new StoreError(storeErrorCodes.open, message);
  }
  try {
    await engine.write([{ type: 'put', key, value: new Uint8Array([storeFormatVersion]) }], true);
  } catch (cause) {
    const message = `cannot write to the store in ${path}: ${errorText(cause)}`;
    throw new StoreError(storeErrorCodes.open, message, { cause });
  }
}

class EngineStoreDirectory implements StoreDirectory {
  readonly #engine: ReopenableEngine;
  readonly #options: StoreOptions;
  readonly #clock: Clock;
  readonly #metrics: TsdbMetrics;
  readonly #commit: GroupCommit;
  readonly #shards = new Map<number, Promise<HeadShardStore>>();
  #closed: Promise<void> | undefined;

  constructor(path: string, engine: ReopenableEngine, options: StoreOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = tsdbMetrics(options.registry);
    this.#commit = new GroupCommit({
      engine,
      path,
      fsync: options.fsync,
      clock: this.#clock,
      log: options.log,
      metrics: this.#metrics,
    });
  }

  openShard(shard: number): Promise<ShardStore> {
    if (this.#closed !== undefined) {
      return Promise.reject(new StoreError(storeErrorCodes.closed, 'the store is closed'));
    }
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const opening = this.#replayShard(shard);
    this.#shards.set(shard, opening);
    // A shard that could not be read may be tried again.
    opening.catch(() => this.#shards.delete(shard));
    return opening;
  }

  async listShards(): Promise<number[]> {
    const shards: number[] = [];
    let key = await this.#engine.firstKey(shardsFrom(0));
    while (key !== undefined) {
      const shard = shardOfKey(key);
      shards.push(shard);
      key = await this.#engine.firstKey(shardsFrom(shard + 1));
    }
    return shards;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const opened = await Promise.allSettled(this.#shards.values());
    try {
      await this.#commit.close();
    } finally {
      for (const shard of opened) if (shard.status === 'fulfilled') shard.value.forget();
      await this.#engine.close();
    }
  }

  async #replayShard(shard: number): Promise<HeadShardStore> {
    const { log, retentionMs, seriesMax = seriesMaxDefault } = this.#options;
    const startedMs = this.#clock.monotonicMs();
    const shardLog = new ShardLog(shard, { commit: this.#commit, metrics: this.#metrics, log });
    const store = new HeadShardStore(shard, {
      commit: this.#commit,
      log: shardLog,
      metrics: this.#metrics,
      retentionMs,
      seriesMax,
    });
    try {
      await store.replay(this.#engine);
      await this.#enforceRetention(store);
    } catch (error) {
      store.forget();
      throw error;
    }
    this.#metrics.replaySeconds.inc((this.#clock.monotonicMs() - startedMs) / 1000);
    return store;
  }

  /** A disk that takes no deletions is no reason not to show what is on it; retention comes round again. */
  async #enforceRetention(store: HeadShardStore): Promise<void> {
    try {
      await store.enforceRetention(this.#clock.nowMs());
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
    }
  }
}
