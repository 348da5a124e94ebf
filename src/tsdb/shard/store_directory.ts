/**
 * A store directory: one engine database, open in exactly one worker, that holds the shards assigned to it. They share a
 * head, a group commit and a cache; a shard is a number in memory and a key prefix on the disk, so an empty one
 * costs nothing and dropping one is deleting a key range.
 */
import { setImmediate } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { type Clock, errorText, type Logger, systemClock, systemRandom } from '../../base/index.ts';
import { SymbolTable } from '../../model/index.ts';
import type { Cardinality } from '../cardinality.ts';
import type { OpenEngine, StoreEngine } from '../engine.ts';
import { isDiskTrouble, StoreError, storeErrorCodes } from '../errors.ts';
import { type FsyncPolicy, GroupCommit } from '../group_commit.ts';
import { openLevelEngine } from '../level_engine.ts';
import { kindRange, LogKeyKind, shardOfKey, shardsFrom, storeKey } from '../log/keys.ts';
import { type LogMetrics, logMetrics } from '../log/metrics.ts';
import { ShardLog } from '../log/shard_log.ts';
import { ExemplarRing } from '../memory/exemplar_ring.ts';
import { HeadStore } from '../memory/head_store.ts';
import { type TsdbMetrics, tsdbMetrics } from '../metrics.ts';
import { ReopenableEngine } from '../reopenable_engine.ts';
import { ByteCache } from '../window/byte_cache.ts';
import { windowMetrics } from '../window/metrics.ts';
import { Pace } from '../window/pace.ts';
import { enforceSize } from '../window/size_retention.ts';
import { WindowSet, type WindowSetDeps } from '../window/window_set.ts';
import { Admission } from './admission.ts';
import { Maintenance } from './maintenance.ts';
import type { ShardStore } from './shard_store.ts';
import { type ShardRules, TsdbShard } from './tsdb_shard.ts';

/** The layout of keys in a store; see docs/formats/log-frame.md. */
const storeFormatVersion = 2;
/** Versions that this program reads, and marks as its own. */
const olderVersions: readonly number[] = [1];
/** Series that one shard takes unless configured otherwise. */
const seriesMaxDefault = 1_000_000;
const exemplarsMaxDefault = 100_000;
const cacheBytesDefault: number = 64 << 20;
/** Samples of all shards that wait in memory because they came late. */
const lateSamplesMax = 4_000_000;
const symbolLimits = { symbolsMax: 2 ** 26, bytesMax: 2 ** 31 } as const;

/** What may change while the store is open. */
export interface StoreSettings {
  readonly retentionMs: number;
  /** Sealed windows above so many bytes go, the oldest first; 0: no limit. */
  readonly retentionBytes: number;
  /** How late a sample may come behind newer ones of its series; 0: never. */
  readonly outOfOrderWindowMs: number;
  /** Exemplars in memory, all shards together. */
  readonly exemplarsMax: number;
}

export interface StoreOptions extends Partial<StoreSettings> {
  readonly retentionMs: number;
  readonly fsync: FsyncPolicy;
  readonly log: Logger;
  readonly registry: Registry;
  readonly clock?: Clock;
  /** Series per shard; samples of further ones are refused. */
  readonly seriesMax?: number;
  readonly openEngine?: OpenEngine;
  /** Of pages and indexes that were read lately. */
  readonly cacheBytes?: number;
}

export interface StoreDirectory {
  /** Replays the shard's log; the same store every time until it is closed. */
  openShard(shard: number): Promise<ShardStore>;
  /** Shards that have something on disk, ascending. */
  listShards(): Promise<number[]>;
  configure(settings: StoreSettings): void;
  /** Seals, compacts and deletes what is due in all open shards, one after another. */
  maintain(): Promise<void>;
  /** Of everything in memory. */
  cardinality(topMax: number): Promise<Cardinality>;
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
  const value = await engine.get(key);
  const version = value?.length === 1 ? (value[0] as number) : undefined;
  if (version === storeFormatVersion) return;
  if (value !== undefined && (version === undefined || !olderVersions.includes(version))) {
    const message = `the store in ${path} has format version ${version ?? 'unreadable'}, this program knows ${storeFormatVersion}`;
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
  readonly #logMetrics: LogMetrics;
  readonly #commit: GroupCommit;
  readonly #head: HeadStore;
  readonly #exemplars: ExemplarRing;
  readonly #admission: Admission;
  readonly #windowDeps: WindowSetDeps;
  readonly #rules: ShardRules;
  #retentionBytes: number;
  readonly #maintenance: Maintenance;
  readonly #shards = new Map<number, Promise<TsdbShard>>();
  readonly #windows = new Map<number, WindowSet>();
  /** Shards whose logs have become shorter. */
  readonly #truncated = new Set<number>();
  #closed: Promise<void> | undefined;

  constructor(path: string, engine: ReopenableEngine, options: StoreOptions) {
    const { fsync, log, registry, seriesMax = seriesMaxDefault } = options;
    this.#engine = engine;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = tsdbMetrics(registry);
    this.#logMetrics = logMetrics(registry, this.#metrics);
    const clock = this.#clock;
    this.#commit = new GroupCommit({ engine, path, fsync, clock, log, metrics: this.#metrics });
    this.#head = new HeadStore({
      symbols: new SymbolTable(symbolLimits),
      hashSeed: systemRandom().below(2 ** 32),
      seriesPerShardMax: seriesMax,
      outOfOrderSamplesMax: lateSamplesMax,
    });
    this.#exemplars = new ExemplarRing(options.exemplarsMax ?? exemplarsMaxDefault);
    this.#exemplars.outOfOrderWindowMs = options.outOfOrderWindowMs ?? 0;
    this.#admission = new Admission(this.#head, this.#exemplars);
    this.#rules = {
      retentionMs: options.retentionMs,
      outOfOrderWindowMs: options.outOfOrderWindowMs ?? 0,
    };
    this.#retentionBytes = options.retentionBytes ?? 0;
    this.#windowDeps = {
      engine,
      cache: new ByteCache(options.cacheBytes ?? cacheBytesDefault),
      clock,
      log,
      breathe: setImmediate,
      metrics: windowMetrics(registry),
    };
    this.#maintenance = new Maintenance(() => clock.nowMs(), log);
  }

  openShard(shard: number): Promise<ShardStore> {
    if (this.#closed !== undefined) {
      return Promise.reject(new StoreError(storeErrorCodes.closed, 'the store is closed'));
    }
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const opening = this.#openShard(shard);
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

  configure(settings: StoreSettings): void {
    this.#rules.retentionMs = settings.retentionMs;
    this.#rules.outOfOrderWindowMs = settings.outOfOrderWindowMs;
    this.#retentionBytes = settings.retentionBytes;
    this.#exemplars.outOfOrderWindowMs = settings.outOfOrderWindowMs;
    this.#exemplars.resize(settings.exemplarsMax);
  }

  async maintain(): Promise<void> {
    for (const opening of [...this.#shards.values()]) {
      const shard = await opening.catch(() => undefined);
      if (shard !== undefined) await this.#maintenance.request(shard);
    }
    if (this.#retentionBytes > 0 && this.#windows.size > 0) await this.#enforceSize(this.#retentionBytes);
    await this.#compactLogs();
  }

  /**
   * Most of what is ever written are log records that are deleted hours later, and LevelDB gives their space back only when
   * something else is written in their place: without this three bytes a sample stayed, beside less than one that is sealed.
   */
  async #compactLogs(): Promise<void> {
    for (const shard of [...this.#truncated]) {
      if (this.#closed !== undefined) return;
      this.#truncated.delete(shard);
      try {
        await this.#engine.compact(kindRange(shard, LogKeyKind.Record));
      } catch (error) {
        if (!isDiskTrouble(error))
          this.#options.log.error({ shard, err: errorText(error) }, 'Compacting a log failed');
      }
    }
  }

  async #enforceSize(bytesMax: number): Promise<void> {
    try {
      await enforceSize([...this.#windows.values()], bytesMax);
    } catch (error) {
      this.#options.log.error({ err: errorText(error) }, 'Enforcing the retention size failed');
    }
  }

  async cardinality(topMax: number): Promise<Cardinality> {
    const steps = this.#head.cardinality(undefined, topMax);
    const pace = new Pace(this.#clock, this.#windowDeps.breathe);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      await pace.pause();
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#maintenance.stop();
    const opened = await Promise.allSettled(this.#shards.values());
    const shards = opened.flatMap((shard) => (shard.status === 'fulfilled' ? [shard.value] : []));
    try {
      await this.#commit.close();
    } finally {
      for (const shard of shards) await shard.close();
      for (const windows of this.#windows.values()) await windows.settle();
      await this.#engine.close();
    }
  }

  async #openShard(shard: number): Promise<TsdbShard> {
    const startedMs = this.#clock.monotonicMs();
    const windows = await WindowSet.open(shard, this.#windowDeps);
    const store = new TsdbShard(shard, {
      engine: this.#engine,
      commit: this.#commit,
      head: this.#head,
      exemplars: this.#exemplars,
      admission: this.#admission,
      log: new ShardLog(shard, { commit: this.#commit, metrics: this.#logMetrics, log: this.#options.log }),
      windows,
      metrics: this.#metrics,
      rules: this.#rules,
      clock: this.#clock,
      breathe: this.#windowDeps.breathe,
      requestMaintenance: (due) => this.#maintenance.request(due),
      onTruncated: (one) => this.#truncated.add(one),
    });
    try {
      await store.replay();
      await this.#enforceRetention(store);
    } catch (error) {
      await store.close();
      throw error;
    }
    this.#windows.set(shard, windows);
    this.#metrics.replaySeconds.inc((this.#clock.monotonicMs() - startedMs) / 1000);
    return store;
  }

  /** A disk that takes no deletions is no reason not to show what is on it; retention comes round again. */
  async #enforceRetention(store: TsdbShard): Promise<void> {
    try {
      await store.enforceRetention(this.#clock.nowMs());
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
    }
  }
}
