/**
 * One shard replica: its newest samples in the head that all shards of a store share, older ones in sealed windows, and a
 * log of what is not sealed. An append is judged against the head and applied to it at once, then acknowledged when its
 * record is in the log; a batch that brings nothing new waits for what is being logged too, since the samples that it
 * repeats may not be there yet. Answers are taken from the head and from the list of windows in one synchronous step.
 */
import { assert, ByteWriter, type Clock } from '../../base/index.ts';
import type {
  BatchMetadata,
  Labels,
  Lookups,
  Matcher,
  SeriesColumns,
  WriteBatch,
} from '../../model/index.ts';
import { compareBytes } from '../../model/index.ts';
import type { Cardinality } from '../cardinality.ts';
import type { KeyOperation, StoreEngine } from '../engine.ts';
import { StoreError, storeErrorCodes } from '../errors.ts';
import type { GroupCommit } from '../group_commit.ts';
import { shardRange } from '../log/keys.ts';
import { encodeDeletion, encodeSamples } from '../log/record.ts';
import type { ShardLog } from '../log/shard_log.ts';
import type { ExemplarRing } from '../memory/exemplar_ring.ts';
import type { HeadStore } from '../memory/head_store.ts';
import type { TsdbMetrics } from '../metrics.ts';
import { windowMs } from '../window/limits.ts';
import { Pace } from '../window/pace.ts';
import type { Overlay } from '../window/select_windows.ts';
import type { SnapshotEntry } from '../window/snapshot.ts';
import { assertDeletion } from '../window/tombstone.ts';
import type { WindowSet } from '../window/window_set.ts';
import { type Admission, type AdmitRules, futureToleranceMs } from './admission.ts';
import { type ExportedBatch, exportShard } from './export.ts';
import { HeadReplay } from './replay.ts';
import { dropped, dueFloorMs, lateSealCount, sealCut } from './sealing.ts';
import type { AppendOptions, ExemplarSeries, ShardStats, ShardStore } from './shard_store.ts';
import type { AppendOutcome } from './verdicts.ts';

/** What the configuration may change while the store is open; shared by the shards of a store. */
export interface ShardRules {
  retentionMs: number;
  outOfOrderWindowMs: number;
}

export interface ShardDeps {
  readonly engine: StoreEngine;
  readonly commit: GroupCommit;
  readonly head: HeadStore;
  readonly exemplars: ExemplarRing;
  readonly admission: Admission;
  readonly log: ShardLog;
  readonly windows: WindowSet;
  readonly metrics: TsdbMetrics;
  readonly rules: ShardRules;
  readonly clock: Clock;
  readonly breathe: () => Promise<void>;
  /** Asks for `maintain` soon, because something is due; at most one of a store runs at a time. */
  readonly requestMaintenance: (shard: TsdbShard) => Promise<void>;
  /** Records of the shard's log were deleted. */
  readonly onTruncated: (shard: number) => void;
}

/** With so many windows in memory, appends wait for the sealing. */
const openWindowsMax = 4;
/** Compactions of one shard in one round of maintenance. */
const compactionsMax = 4;

export class TsdbShard implements ShardStore {
  readonly shard: number;
  readonly #deps: ShardDeps;
  readonly #metadata = new Map<string, BatchMetadata>();
  readonly #payload = new ByteWriter(16 * 1024);
  #lastAppendMs: number;
  /** Log ids of series that are gone and whose definitions may still be on the disk. */
  #gone: number[] = [];
  /** Counts the times that everything was deleted. */
  #incarnation = 0;
  #isSealing = false;
  /** A round failed: what it had cut off is still in memory below the floor. */
  #isCutOpen = false;
  /** The shard was deleted in memory; on the disk it is not for certain. */
  #isEraseDue = false;
  #erasing: Promise<void> | undefined;
  /** Changes of what is on the disk beside the log, one after another. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(shard: number, deps: ShardDeps) {
    this.shard = shard;
    this.#deps = deps;
    this.#lastAppendMs = deps.clock.nowMs();
  }

  /** Rebuilds the head from the log; to be called once, before anything else. Rejects with what the engine throws. */
  async replay(): Promise<void> {
    const { head, log, exemplars, engine } = this.#deps;
    const replay = new HeadReplay(this.shard, head, exemplars, this.#metadata);
    await log.replay(engine, replay, (sealed) => head.cut(this.shard, sealed.floorMs));
    this.#gone = replay.unmadeIds();
    this.#countSeries();
  }

  async append(batch: WriteBatch, options: AppendOptions): Promise<AppendOutcome> {
    const { admission, commit, log, rules } = this.#deps;
    assertEpoch(options.epoch);
    commit.assertReady();
    if (this.#isEraseDue) {
      await this.#erase();
      commit.assertReady();
    }
    if (this.#isOverfull()) {
      await this.#deps.requestMaintenance(this);
      commit.assertReady();
    }
    const merge = options.bypassOutOfOrder === true;
    const admitRules: AdmitRules = {
      epoch: options.epoch,
      merge,
      floorMs: options.nowMs - rules.retentionMs,
      ceilingMs: merge ? Number.POSITIVE_INFINITY : options.nowMs + futureToleranceMs,
      outOfOrderWindowMs: rules.outOfOrderWindowMs,
    };
    const place = { shard: this.shard, nextId: () => log.nextId(), metadata: this.#metadata };
    const { outcome, parts, newestMs } = admission.admit(place, batch, admitRules);
    this.#count(outcome, batch);
    if (outcome.appended > 0) this.#lastAppendMs = options.nowMs;
    if (parts === undefined) {
      if (outcome.duplicates > 0) await log.settled();
      return outcome;
    }
    const written = this.#write(options.epoch, newestMs, () => encodeSamples(this.#payload, parts));
    if (!this.#isCutOpen && this.#isSealDue(options.nowMs)) void this.#deps.requestMaintenance(this);
    await written;
    return outcome;
  }

  async select(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    newestAt?: Lookups,
  ): Promise<SeriesColumns[]> {
    const { head, windows } = this.#deps;
    const newest = head.select(this.shard, matchers, fromMs, toMs, newestAt);
    const late = head.selectLate(this.shard, matchers, fromMs, toMs);
    const overlays: Overlay[] = [{ epoch: Number.POSITIVE_INFINITY, columns: newest }, ...late];
    return windows.select(matchers, fromMs, toMs, overlays);
  }

  async series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<Labels[]> {
    const newest = this.#deps.head.labelSets(this.shard, matchers, fromMs, toMs);
    const sealed = await this.#deps.windows.series(matchers, fromMs, toMs);
    if (sealed.length === 0) return newest;
    const all = new Map(sealed.map((labels) => [labels.key(), labels]));
    for (const labels of newest) all.set(labels.key(), labels);
    return [...all.values()].sort((a, b) => a.compare(b));
  }

  async labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<string[]> {
    const newest = this.#deps.head.labelNames(this.shard, matchers, fromMs, toMs);
    return joined(newest, await this.#deps.windows.labelNames(matchers, fromMs, toMs));
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<string[]> {
    const newest = this.#deps.head.labelValues(this.shard, name, matchers, fromMs, toMs);
    return joined(newest, await this.#deps.windows.labelValues(name, matchers, fromMs, toMs));
  }

  exemplars(anyOf: readonly (readonly Matcher[])[], fromMs: number, toMs: number): ExemplarSeries[] {
    return this.#deps.exemplars.select(this.shard, anyOf, fromMs, toMs);
  }

  metadata(): ReadonlyMap<string, BatchMetadata> {
    return this.#metadata;
  }

  async cardinality(topMax: number): Promise<Cardinality> {
    const steps = this.#deps.head.cardinality([this.shard], topMax);
    const pace = this.#pace();
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      await pace.pause();
    }
  }

  stats(): ShardStats {
    const { head, log, windows } = this.#deps;
    const { series, samples } = head.stats(this.shard);
    const late = head.timesBelowFloor(this.shard);
    const sealed = windows.stats();
    return {
      series,
      samples: samples + sealed.samples,
      minTimeMs: Math.min(head.minTimeMs(this.shard), late.minTimeMs, sealed.minTimeMs),
      maxTimeMs: Math.max(head.maxTimeMs(this.shard), late.maxTimeMs, sealed.maxTimeMs),
      logBytes: log.bytes,
      windows: sealed.windows,
      windowBytes: sealed.bytes,
    };
  }

  delete(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<void> {
    const { commit, head, windows } = this.#deps;
    // While a window is being sealed, what is deleted could be in it or not.
    return this.#exclusively(async () => {
      commit.assertReady();
      assertDeletion(matchers, fromMs, toMs);
      // Late samples may be all there is, and are older than the floor.
      const newestMs = Math.min(toMs, Math.max(head.maxTimeMs(this.shard), head.floorMs(this.shard)));
      // All in one step in memory and in one write on the disk: of a late and a sealed sample for one time the one that
      // lost must never be seen. What the disk refuses goes on holding, and is written when the trouble ends.
      await windows.delete(matchers, fromMs, toMs, (alongside) => {
        if (head.delete(this.shard, matchers, fromMs, toMs) === 0) return commit.write(alongside, true);
        const encode = (): void => encodeDeletion(this.#payload, { matchers, fromMs, toMs });
        return this.#write(0, newestMs, encode, { alongside, sync: true });
      });
    });
  }

  async *export(samplesMax: number): AsyncGenerator<ExportedBatch> {
    assert(samplesMax >= 1, `batches of at most ${samplesMax} samples`);
    const { head, windows } = this.#deps;
    // What is sealed between reading the windows and reading the head would be in neither.
    const leave = await this.#enter();
    try {
      yield* exportShard(this.shard, head, windows, samplesMax);
    } finally {
      leave();
    }
  }

  async *snapshot(): AsyncIterable<SnapshotEntry> {
    if (this.#isEraseDue) await this.#erase();
    await this.#deps.log.settled();
    yield* this.#deps.engine.entries(shardRange(this.shard));
  }

  async deleteAll(): Promise<void> {
    const { commit, log, windows } = this.#deps;
    commit.assertReady();
    this.#incarnation++;
    this.#forgetMemory();
    this.#gone = [];
    this.#isCutOpen = false;
    log.beginDeleteAll();
    this.#isEraseDue = true;
    await this.#erase();
    await windows.settle();
  }

  /**
   * Makes it true on the disk that the shard was deleted. One write does, so that a crash leaves all or nothing; what is
   * appended meanwhile, or after a failure, waits for it: beside samples that come back it could lose.
   */
  #erase(): Promise<void> {
    this.#erasing ??= this.#eraseOnce().finally(() => {
      this.#erasing = undefined;
    });
    return this.#erasing;
  }

  async #eraseOnce(): Promise<void> {
    const { log, windows } = this.#deps;
    await windows.dropAll((removals) => log.writeDeleted(removals));
    try {
      await log.sweep();
    } finally {
      // Late at worst: the group commit does it ahead of anything new.
      this.#isEraseDue = false;
    }
  }

  maintain(nowMs: number): Promise<void> {
    const { commit, windows } = this.#deps;
    return this.#exclusively(async () => {
      if (this.#isEraseDue) await this.#erase();
      if (this.#isSealDue(nowMs)) await this.#seal(this.#dueMs(nowMs));
      // A deletion that the disk has refused must not reach it in part, by a window that is rewritten without what it deleted.
      for (let round = 0; round < compactionsMax && !commit.isInTrouble; round++)
        if (!(await windows.compact(nowMs))) break;
      await this.#dropBefore(nowMs - this.#deps.rules.retentionMs);
    });
  }

  /** Deletes what is older than the retention time: in memory to the sample, on the disk by whole windows. */
  enforceRetention(nowMs: number): Promise<void> {
    return this.#exclusively(() => this.#dropBefore(nowMs - this.#deps.rules.retentionMs));
  }

  sealNow(): Promise<void> {
    const newestMs = this.#deps.head.maxTimeMs(this.shard);
    return this.#exclusively(() => this.#seal((Math.floor(newestMs / windowMs) + 1) * windowMs));
  }

  /** Takes this shard out of memory and of the metrics when its directory closes. Waits for what is under way. */
  async close(): Promise<void> {
    await this.#changing;
    this.#forgetMemory();
    this.#deps.log.forget();
    this.#deps.windows.forget();
  }

  #forgetMemory(): void {
    this.#deps.head.dropShard(this.shard);
    this.#deps.exemplars.dropShard(this.shard);
    this.#metadata.clear();
    this.#countSeries();
  }

  /** The batch is in memory already: if it can't be written down, the store must not go on as if it were. */
  #write(
    epoch: number,
    newestMs: number,
    encode: () => void,
    more?: { readonly alongside: readonly KeyOperation[]; readonly sync: boolean },
  ): Promise<void> {
    this.#countSeries();
    try {
      this.#payload.reset();
      encode();
    } catch (cause) {
      throw this.#deps.commit.stop(cause);
    }
    return this.#deps.log.append(epoch, newestMs, this.#payload, more);
  }

  /** Seals what is older than `floorMs`, and what came late or was left behind by a round that failed. */
  async #seal(floorMs: number): Promise<void> {
    const { commit, head, log } = this.#deps;
    const isAnythingOld = head.minTimeMs(this.shard) < floorMs || head.lateCount(this.shard) > 0;
    if (!isAnythingOld && !this.#isCutOpen) return;
    commit.assertReady();
    this.#isSealing = true;
    this.#isCutOpen = true;
    try {
      const cut = head.cut(this.shard, floorMs);
      const throughSequence = log.lastSequence;
      const incarnation = this.#incarnation;
      const isCurrent = (): boolean => incarnation === this.#incarnation;
      const parts = { ...this.#deps, shard: this.shard, pace: this.#pace(), isCurrent };
      const gone = await sealCut(parts, cut, throughSequence);
      if (!isCurrent()) return;
      for (const id of gone) this.#gone.push(id);
      this.#isCutOpen = false;
      this.#countSeries();
      await this.#truncate(throughSequence, cut.floorMs);
    } finally {
      this.#isSealing = false;
    }
  }

  async #truncate(throughSequence: number, floorMs: number): Promise<void> {
    const { head, log } = this.#deps;
    const gone = this.#gone;
    const live = head.liveSince(this.shard, log.checkpointId);
    await log.truncate(throughSequence, floorMs, live, gone, this.#metadata);
    this.#deps.onTruncated(this.shard);
    this.#gone = [];
  }

  /** In memory first: a disk that takes no deletions is no reason to show what is too old. */
  async #dropBefore(floorMs: number): Promise<void> {
    const { head, log, windows } = this.#deps;
    const isAnythingOld = head.minTimeMs(this.shard) < floorMs || head.lateCount(this.shard) > 0;
    const incarnation = this.#incarnation;
    if (isAnythingOld) {
      const steps = head.dropBefore(this.shard, floorMs);
      for (const id of await dropped(steps, this.#pace())) this.#gone.push(id);
      this.#countSeries();
    }
    await windows.dropBefore(floorMs);
    if (isAnythingOld && incarnation === this.#incarnation) await this.#truncate(log.lastSequence, floorMs);
  }

  #dueMs(nowMs: number): number {
    const { head } = this.#deps;
    return dueFloorMs({ newestMs: head.maxTimeMs(this.shard), nowMs, lastAppendMs: this.#lastAppendMs });
  }

  /** Late samples alone are worth a round only when they are many: it makes windows that have to be joined again. */
  #isSealDue(nowMs: number): boolean {
    // While a round is under way there is nothing to decide, and finding the oldest sample takes long.
    if (this.#isSealing) return false;
    const { head } = this.#deps;
    if (this.#isCutOpen || head.lateCount(this.shard) > lateSealCount) return true;
    const dueMs = this.#dueMs(nowMs);
    return dueMs > head.floorMs(this.shard) && head.minTimeMs(this.shard) < dueMs;
  }

  /** Sealing has fallen behind. */
  #isOverfull(): boolean {
    const { head } = this.#deps;
    const floorMs = head.floorMs(this.shard);
    const sinceMs = floorMs === Number.NEGATIVE_INFINITY ? head.minTimeMs(this.shard) : floorMs;
    const spanMs = head.maxTimeMs(this.shard) - sinceMs;
    return spanMs > openWindowsMax * windowMs || head.lateCount(this.shard) > lateSealCount * 4;
  }

  #exclusively(change: () => Promise<void>): Promise<void> {
    const result = this.#changing.then(change, change);
    // The caller hears of a failure; the next change begins either way.
    this.#changing = result.catch(() => undefined);
    return result;
  }

  /** Resolves when no change is under way; none begins until the returned function is called. */
  async #enter(): Promise<() => void> {
    const entered = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    void this.#exclusively(() => {
      entered.resolve();
      return left.promise;
    });
    await entered.promise;
    return left.resolve;
  }

  #pace(): Pace {
    return new Pace(this.#deps.clock, this.#deps.breathe);
  }

  #seriesCounted = 0;

  #countSeries(): void {
    const { series } = this.#deps.head.stats(this.shard);
    this.#deps.metrics.headSeries.inc(series - this.#seriesCounted);
    this.#seriesCounted = series;
  }

  #count(outcome: AppendOutcome, batch: WriteBatch): void {
    const { metrics } = this.#deps;
    const type = batch.histograms === undefined ? 'float' : 'histogram';
    metrics.samplesAppended.inc({ type }, outcome.appended);
    // Finding the value of a label takes longer than adding to it.
    if (outcome.appended === batch.refs.length) return;
    metrics.outOfOrder.inc({ type }, outcome.outOfOrder);
    metrics.outOfBounds.inc({ type }, outcome.tooFarInFuture);
    metrics.tooOld.inc({ type }, outcome.tooOld);
    metrics.limited.inc(outcome.limited);
  }
}

/** Two sorted lists of texts as one. */
function joined(a: readonly string[], b: string[]): string[] {
  if (a.length === 0) return b;
  return [...new Set([...a, ...b])].sort(compareBytes);
}

function assertEpoch(epoch: number): void {
  if (Number.isInteger(epoch) && epoch >= 0 && epoch <= 0xffff_ffff) return;
  throw new StoreError(storeErrorCodes.badBatch, `epoch ${epoch} is not an unsigned 32-bit number`);
}
