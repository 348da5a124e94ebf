/**
 * Group commit: everything that a store's shards log within one tick, and while the previous write is under way,
 * goes to the engine as one batch. Writes are strictly one after another, in the order they were asked for.
 *
 * When a write fails, what is in memory and what is on disk differ. The store then takes nothing, tells everybody who
 * waits, and keeps the work: it opens the engine again with growing pauses and does that work once more, together with
 * what was acknowledged and not yet synced, since a failed fsync may have lost it ("Can applications recover from fsync
 * failures?", Rebello et al., 2020). Memory and disk agree when that is on disk, and only then anything new is taken.
 */
import { type Clock, errorText, type Logger, type Timer } from '../base/index.ts';
import type { KeyOperation, KeyRange } from './engine.ts';
import { StoreError, storeErrorCodes } from './errors.ts';
import { FramePool } from './frame_pool.ts';
import { storeKey } from './log/keys.ts';
import type { TsdbMetrics } from './metrics.ts';
import type { ReopenableEngine } from './reopenable_engine.ts';

/** `always`: on disk before it is acknowledged. `interval`: at most a second later. `os`: when the system likes. */
export type FsyncPolicy = 'always' | 'interval' | 'os';

const syncIntervalMs = 1000;
/** Bytes that may wait for the disk before appends are refused. */
const pendingBytesMax = 256 << 20;
/** Written bytes that are kept until a sync; with more, the sync comes early. */
const unsyncedBytesMax = 32 << 20;
/** Pauses between attempts to write again after a failure: the first, then doubled up to the longest. */
const retryFirstMs = 1000;
const retryLongestMs = 30_000;

type Work =
  | { readonly kind: 'operations'; readonly operations: readonly KeyOperation[]; readonly sync: boolean }
  | { readonly kind: 'clear'; readonly range: KeyRange };

interface Pending {
  readonly work: Work;
  readonly resolve: () => void;
  readonly reject: (error: StoreError) => void;
}

interface Trouble {
  readonly error: StoreError;
  readonly sinceMs: number;
  attempts: number;
  timer?: Timer;
}

export interface GroupCommitDeps {
  readonly engine: ReopenableEngine;
  /** What the store is called in the log. */
  readonly path: string;
  readonly fsync: FsyncPolicy;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: TsdbMetrics;
}

export class GroupCommit {
  /** For the values of operations: what is taken here comes back when it is written for good. */
  readonly frames: FramePool = new FramePool();
  readonly #deps: GroupCommitDeps;
  #queue: Pending[] = [];
  #pendingBytes = 0;
  #running: Promise<void> | undefined;
  /** Work that is done but may not be on the disk yet; under the policy `os` nobody asks for it. */
  #unsynced: Work[] = [];
  /** Works that were ever unsynced; `#unsynced` holds the last of them. */
  #noted = 0;
  #unsyncedBytes = 0;
  #lastSyncMs: number;
  #syncTimer: Timer | undefined;
  /** Set once nothing new is ever taken: closed, or stopped. */
  #refusal: StoreError | undefined;
  #trouble: Trouble | undefined;
  #retrying: Promise<void> | undefined;

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps;
    this.#lastSyncMs = deps.clock.monotonicMs();
    deps.engine.beforeSync = () => this.#beforeSync();
  }

  /** Throws StoreError when nothing more can be taken now. Call it before changing anything in memory. */
  assertReady(): void {
    const refusal = this.#refusal ?? this.#trouble?.error;
    if (refusal !== undefined) throw refusal;
    if (this.#pendingBytes > pendingBytesMax) {
      throw new StoreError(
        storeErrorCodes.overloaded,
        `${this.#pendingBytes} bytes already wait for the disk`,
      );
    }
  }

  /** Whether writing has failed, and what failed is still to be done. */
  get isInTrouble(): boolean {
    return this.#trouble !== undefined;
  }

  /**
   * Resolves when the operations are written as the policy demands, or synced where `sync` says so; no operations: when
   * all before them are. They stand on the disk all or not at all. When it rejects with `store_failed` they are only
   * late, unless the store is closed before the trouble ends.
   */
  write(operations: readonly KeyOperation[], sync = false): Promise<void> {
    return this.#enqueue({ kind: 'operations', operations, sync });
  }

  /**
   * Deletes a key range, after everything asked for before and ahead of everything after. When it rejects with
   * `store_failed` it is only late: it is done ahead of anything new.
   */
  clear(range: KeyRange): Promise<void> {
    return this.#enqueue({ kind: 'clear', range });
  }

  /**
   * Ends all writing because memory and log disagree in a way that no writing mends; everything queued is refused.
   * Returns the error that appends get from now on.
   */
  stop(cause: unknown): StoreError {
    const error = failure(cause);
    this.#refusal = error;
    this.#syncTimer?.cancel();
    this.#trouble?.timer?.cancel();
    this.#deps.log.error(
      { err: cause, store: this.#deps.path },
      'A record cannot be logged; the store accepts nothing until it is opened again',
    );
    for (const { reject } of this.#queue.splice(0)) reject(error);
    return error;
  }

  /** Writes what is queued, syncs unless the policy is `os`, then refuses all else. */
  async close(): Promise<void> {
    this.#refusal ??= new StoreError(storeErrorCodes.closed, 'the store is closed');
    this.#syncTimer?.cancel();
    this.#trouble?.timer?.cancel();
    await this.#running;
    await this.#retrying;
    if (this.#trouble !== undefined) await this.#closeInTrouble(this.#trouble);
    else if (this.#unsynced.length > 0) await this.#deps.engine.write([syncMarker()], true);
  }

  #enqueue(work: Work): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    const error = this.#trouble?.error;
    if (error !== undefined && work.kind === 'operations') return Promise.reject(error);
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#pendingBytes += workBytes(work);
      if (error !== undefined) reject(error);
      else this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // Lets the rest of this tick's appends join before the first write.
    await Promise.resolve();
    try {
      while (this.#queue.length > 0 && this.#trouble === undefined) await this.#runGroup(this.#nextGroup());
    } finally {
      this.#running = undefined;
    }
  }

  /** The longest run of operations at the head of the queue, or one clear; they stay in the queue. */
  #nextGroup(): readonly Pending[] {
    const end = this.#queue.findIndex((pending) => pending.work.kind === 'clear');
    const count = end === 0 ? 1 : end === -1 ? this.#queue.length : end;
    return this.#queue.slice(0, count);
  }

  async #runGroup(group: readonly Pending[]): Promise<void> {
    const { clock, metrics } = this.#deps;
    const startedMs = clock.monotonicMs();
    let isKept: boolean;
    try {
      const works = group.map(({ work }) => work);
      isKept = await this.#perform(works, this.#syncDue(works));
    } catch (cause) {
      if (this.#refusal?.code !== storeErrorCodes.failed) this.#beginTrouble(cause);
      return;
    }
    metrics.commitSeconds.observe((clock.monotonicMs() - startedMs) / 1000);
    this.#finish(group.length, isKept);
  }

  /** Takes the first `count` of the queue out as done. One that was refused already stays refused. */
  #finish(count: number, isKept: boolean): void {
    for (const { work, resolve } of this.#queue.splice(0, count)) {
      this.#pendingBytes -= workBytes(work);
      if (!isKept) this.#release(work);
      resolve();
    }
  }

  #release(work: Work): void {
    if (work.kind === 'clear') return;
    for (const operation of work.operations)
      if (operation.type === 'put') this.frames.release(operation.value);
  }

  /** One clear, or operations as one write. Gives whether they are kept until a sync. */
  async #perform(works: readonly Work[], sync: boolean): Promise<boolean> {
    const { engine, fsync } = this.#deps;
    for (const work of works) if (work.kind === 'clear') await engine.clear(work.range);
    // A cleared range is not synced by itself; the marker carries it along as the policy demands.
    const operations = works.flatMap((work) => (work.kind === 'clear' ? [syncMarker()] : work.operations));
    if (operations.length === 0) return false;
    await engine.write(operations, sync);
    if (sync) this.#noteSynced();
    else if (fsync === 'interval') this.#noteUnsynced(works);
    return !sync && fsync === 'interval';
  }

  #noteSynced(): void {
    this.#forgetUnsynced(this.#noted);
    this.#lastSyncMs = this.#deps.clock.monotonicMs();
  }

  /**
   * Sealing syncs past this queue, several shards at a time: what was written before such a write is on the disk when it
   * has succeeded, and must not be done again.
   */
  #beforeSync(): () => void {
    const noted = this.#noted;
    return () => this.#forgetUnsynced(noted);
  }

  /** Up to the `noted`-th that there ever was. */
  #forgetUnsynced(noted: number): void {
    const count = noted - (this.#noted - this.#unsynced.length);
    if (count <= 0) return;
    for (const work of this.#unsynced.splice(0, count)) {
      this.#unsyncedBytes -= workBytes(work);
      this.#release(work);
    }
  }

  #noteUnsynced(works: readonly Work[]): void {
    for (const work of works) this.#unsynced.push(work);
    this.#noted += works.length;
    this.#unsyncedBytes += bytesOf(works);
    if (this.#refusal === undefined) this.#armSync();
  }

  #syncDue(works: readonly Work[]): boolean {
    const { fsync, clock } = this.#deps;
    if (fsync === 'always' || works.some((work) => work.kind === 'operations' && work.sync)) return true;
    if (fsync === 'os') return false;
    const isLate = clock.monotonicMs() - this.#lastSyncMs >= syncIntervalMs;
    return isLate || this.#unsyncedBytes + bytesOf(works) > unsyncedBytesMax;
  }

  #armSync(): void {
    this.#syncTimer ??= this.#deps.clock.after(syncIntervalMs, () => {
      this.#syncTimer = undefined;
      const isBlocked = this.#refusal !== undefined || this.#trouble !== undefined;
      if (this.#unsynced.length === 0 || isBlocked) return;
      this.#lastSyncMs = Number.NEGATIVE_INFINITY;
      // A failure begins the trouble and is logged there; nobody waits for this write.
      this.write([syncMarker()]).catch(() => undefined);
    });
  }

  /** Refuses what is queued and keeps it, behind what a failed sync may have lost. */
  #beginTrouble(cause: unknown): void {
    const { clock, log, metrics, path } = this.#deps;
    const error = failure(cause);
    for (const { reject } of this.#queue) reject(error);
    const lost = this.#unsynced.map((work): Pending => ({ work, resolve: noop, reject: noop }));
    this.#pendingBytes += bytesOf(this.#unsynced);
    this.#queue = [...lost, ...this.#queue];
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
    this.#trouble = { error, sinceMs: clock.monotonicMs(), attempts: 0 };
    metrics.failedWrites.inc();
    metrics.failingStores.inc();
    log.error(
      { err: cause, store: path },
      'Writing to the disk failed; samples are refused until it takes data again',
    );
    this.#armRetry(this.#trouble);
  }

  #armRetry(trouble: Trouble): void {
    if (this.#refusal !== undefined) return;
    const delayMs = Math.min(retryFirstMs * 2 ** trouble.attempts, retryLongestMs);
    trouble.timer = this.#deps.clock.after(delayMs, () => {
      this.#retrying = this.#retry(trouble).finally(() => {
        this.#retrying = undefined;
      });
    });
  }

  async #retry(trouble: Trouble): Promise<void> {
    trouble.attempts++;
    try {
      await this.#writeAgain();
    } catch {
      // The same trouble as before: it was logged when it began.
      this.#deps.metrics.failedWrites.inc();
      this.#armRetry(trouble);
      return;
    }
    this.#endTrouble(trouble);
    this.#deps.log.info(
      {
        store: this.#deps.path,
        seconds: (this.#deps.clock.monotonicMs() - trouble.sinceMs) / 1000,
        attempts: trouble.attempts,
      },
      'The disk takes data again; samples are accepted',
    );
  }

  /** Synced whatever the policy, because only that shows that the disk takes data. */
  async #writeAgain(): Promise<void> {
    await this.#deps.engine.reopen();
    while (this.#queue.length > 0) {
      const group = this.#nextGroup();
      const works = group.map(({ work }) => work);
      await this.#perform(works, true);
      this.#finish(group.length, false);
    }
  }

  #endTrouble(trouble: Trouble): void {
    if (this.#trouble !== trouble) return;
    this.#trouble = undefined;
    this.#deps.metrics.failingStores.dec();
  }

  async #closeInTrouble(trouble: Trouble): Promise<void> {
    try {
      await this.#writeAgain();
    } catch (cause) {
      this.#deps.log.warn(
        { err: cause, store: this.#deps.path, writes: this.#queue.length },
        'Closing while the disk takes no data; what it refused is given up',
      );
    }
    this.#endTrouble(trouble);
  }
}

function failure(cause: unknown): StoreError {
  const message = `writing the log failed: ${errorText(cause)}`;
  return new StoreError(storeErrorCodes.failed, message, { cause });
}

function noop(): void {}

/** An entry whose only purpose is to be written with a sync, which carries everything before it to the disk. */
function syncMarker(): KeyOperation {
  return { type: 'put', key: storeKey('S'), value: new Uint8Array(0) };
}

function workBytes(work: Work): number {
  if (work.kind === 'clear') return 0;
  return work.operations.reduce((sum, op) => sum + (op.type === 'put' ? op.value.length : 0), 0);
}

function bytesOf(works: readonly Work[]): number {
  return works.reduce((sum, work) => sum + workBytes(work), 0);
}
