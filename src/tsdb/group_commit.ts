/**
 * Group commit: everything that a store's shards log within one tick, and while the previous write is under way,
 * goes to the engine as one batch. Writes are strictly one after another, in the order they were asked for.
 *
 * When a write fails the store stops for good (as databases do after a failed fsync): what is in memory and what is
 * on disk may differ from then on, and only a fresh replay tells the truth.
 */
import { type Clock, errorText, type Logger, type Timer } from '../base/index.ts';
import type { KeyOperation, KeyRange, StoreEngine } from './engine.ts';
import { StoreError, storeErrorCodes } from './errors.ts';
import { storeKey } from './log_frame.ts';
import type { TsdbMetrics } from './metrics.ts';

/** `always`: on disk before it is acknowledged. `interval`: at most a second later. `os`: when the system likes. */
export type FsyncPolicy = 'always' | 'interval' | 'os';

const syncIntervalMs = 1000;
/** Bytes that may wait for the disk before appends are refused. */
const pendingBytesMax = 256 << 20;

type Work =
  | { readonly kind: 'operations'; readonly operations: readonly KeyOperation[] }
  | { readonly kind: 'clear'; readonly range: KeyRange };

interface Pending {
  readonly work: Work;
  readonly resolve: () => void;
  readonly reject: (error: StoreError) => void;
}

export class GroupCommit {
  readonly #engine: StoreEngine;
  readonly #fsync: FsyncPolicy;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: TsdbMetrics;
  #queue: Pending[] = [];
  #pendingBytes = 0;
  #running: Promise<void> | undefined;
  #unsynced = false;
  #lastSyncMs: number;
  #syncTimer: Timer | undefined;
  /** Set once nothing new is taken: closed or failed. */
  #refusal: StoreError | undefined;

  constructor(deps: {
    engine: StoreEngine;
    fsync: FsyncPolicy;
    clock: Clock;
    log: Logger;
    metrics: TsdbMetrics;
  }) {
    this.#engine = deps.engine;
    this.#fsync = deps.fsync;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#metrics = deps.metrics;
    this.#lastSyncMs = deps.clock.monotonicMs();
  }

  /** Throws StoreError when nothing more can be taken now. Call it before changing anything in memory. */
  assertReady(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#pendingBytes > pendingBytesMax) {
      throw new StoreError(
        storeErrorCodes.overloaded,
        `${this.#pendingBytes} bytes already wait for the disk`,
      );
    }
  }

  /** Resolves when the operations are written as the policy demands; no operations: when all before them are. */
  write(operations: readonly KeyOperation[]): Promise<void> {
    return this.#enqueue({ kind: 'operations', operations });
  }

  /** Deletes a key range, after everything asked for before and ahead of everything after. */
  clear(range: KeyRange): Promise<void> {
    return this.#enqueue({ kind: 'clear', range });
  }

  /**
   * Ends all writing because memory and log no longer agree; everything queued is refused. Returns the error that
   * appends get from now on.
   */
  stop(cause: unknown): StoreError {
    const message = `writing the log failed: ${errorText(cause)}`;
    const error = new StoreError(storeErrorCodes.failed, message, { cause });
    this.#refusal = error;
    this.#syncTimer?.cancel();
    this.#log.error(
      { err: cause },
      'Writing the log failed; the store accepts nothing until it is opened again',
    );
    for (const { reject } of this.#queue.splice(0)) reject(error);
    return error;
  }

  /** Writes what is queued, syncs unless the policy is `os`, then refuses all else. */
  async close(): Promise<void> {
    this.#refusal ??= new StoreError(storeErrorCodes.closed, 'the store is closed');
    this.#syncTimer?.cancel();
    await this.#running;
    const failed = this.#refusal.code === storeErrorCodes.failed;
    if (this.#unsynced && !failed && this.#fsync !== 'os') await this.#engine.write([syncMarker()], true);
  }

  #enqueue(work: Work): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#pendingBytes += workBytes(work);
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // Lets the rest of this tick's appends join before the first write.
    await Promise.resolve();
    try {
      while (this.#queue.length > 0) await this.#runGroup(this.#takeGroup());
    } finally {
      this.#running = undefined;
    }
  }

  /** The longest run of operations at the head of the queue, or one clear. */
  #takeGroup(): Pending[] {
    const end = this.#queue.findIndex((pending) => pending.work.kind === 'clear');
    const count = end === 0 ? 1 : end === -1 ? this.#queue.length : end;
    return this.#queue.splice(0, count);
  }

  async #runGroup(group: readonly Pending[]): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    try {
      for (const { work } of group) if (work.kind === 'clear') await this.#engine.clear(work.range);
      // A cleared range is not synced by itself; the marker carries it along as the policy demands.
      const operations = group.flatMap(({ work }) =>
        work.kind === 'clear' ? [syncMarker()] : work.operations,
      );
      if (operations.length > 0) await this.#writeGroup(operations);
    } catch (cause) {
      const error = this.stop(cause);
      for (const { reject } of group) reject(error);
      return;
    }
    this.#metrics.commitSeconds.observe((this.#clock.monotonicMs() - startedMs) / 1000);
    for (const { work, resolve } of group) {
      this.#pendingBytes -= workBytes(work);
      resolve();
    }
  }

  async #writeGroup(operations: readonly KeyOperation[]): Promise<void> {
    const sync = this.#fsync === 'always' || (this.#fsync === 'interval' && this.#syncDue());
    await this.#engine.write(operations, sync);
    this.#unsynced = !sync;
    if (sync) this.#lastSyncMs = this.#clock.monotonicMs();
    else if (this.#fsync === 'interval' && this.#refusal === undefined) this.#armSync();
  }

  #syncDue(): boolean {
    return this.#clock.monotonicMs() - this.#lastSyncMs >= syncIntervalMs;
  }

  #armSync(): void {
    this.#syncTimer ??= this.#clock.after(syncIntervalMs, () => {
      this.#syncTimer = undefined;
      if (!this.#unsynced || this.#refusal !== undefined) return;
      this.#lastSyncMs = Number.NEGATIVE_INFINITY;
      // A failure stops the store and is logged in `stop`; nobody waits for this write.
      this.write([syncMarker()]).catch(() => undefined);
    });
  }
}

/** An entry whose only purpose is to be written with a sync, which carries everything before it to the disk. */
function syncMarker(): KeyOperation {
  return { type: 'put', key: storeKey('S'), value: new Uint8Array(0) };
}

function workBytes(work: Work): number {
  if (work.kind === 'clear') return 0;
  return work.operations.reduce((sum, op) => sum + (op.type === 'put' ? op.value.length : 0), 0);
}
