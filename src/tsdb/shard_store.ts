/**
 * One shard replica: head in memory, log on disk. An append is judged against the head and applied to it at once, then
 * acknowledged when its record is in the log; a batch that brings nothing new waits for what is being logged too, since
 * the samples that it repeats may not be there yet.
 */
import { assert } from '../base/index.ts';
import type { Labels, Matcher, SeriesColumns, WriteBatch } from '../model/index.ts';
import { type AdmitRules, type AppendOutcome, admit, futureToleranceMs, pick } from './admit.ts';
import type { StoreEngine } from './engine.ts';
import { StoreError, storeErrorCodes } from './errors.ts';
import { type ExportedBatch, exportHead } from './export.ts';
import type { GroupCommit } from './group_commit.ts';
import { Head } from './head.ts';
import type { TsdbMetrics } from './metrics.ts';
import type { ShardLog } from './shard_log.ts';

export interface AppendOptions {
  /** The owner's epoch under which these samples are, or for handed-over data were, written. */
  readonly epoch: number;
  readonly nowMs: number;
  /**
   * Handed-over data: merged in at any age within retention. Where a timestamp already has another value, the value of
   * the higher epoch stands, and within one epoch the one that was first.
   */
  readonly bypassOutOfOrder?: boolean;
}

export interface ShardStats {
  readonly series: number;
  readonly samples: number;
  /** Infinity when there are no samples. */
  readonly minTimeMs: number;
  /** -Infinity when there are no samples. */
  readonly maxTimeMs: number;
  readonly logBytes: number;
}

export interface ShardStore {
  readonly shard: number;
  /**
   * Takes the good samples of a batch and counts the others. Resolves when the record is in the log as the fsync policy
   * demands; one record per batch. Throws StoreError: `bad_batch`, `store_overloaded` (nothing was taken),
   * `store_failed`, `store_closed`.
   */
  append(batch: WriteBatch, options: AppendOptions): Promise<AppendOutcome>;
  /** Series sorted by labels, samples with fromMs <= t <= toMs; series without samples in range are left out. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesColumns[];
  /** The label sets of the series with a sample in the range, sorted. */
  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Labels[];
  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): string[];
  labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): string[];
  stats(): ShardStats;
  /** All data as batches of at most `samplesMax` samples, each of one epoch, for hand-over. */
  export(samplesMax: number): Iterable<ExportedBatch>;
  /** Forgets the shard, in memory at once, on disk when this resolves. */
  deleteAll(): Promise<void>;
  /** Deletes what is older than the retention time. */
  enforceRetention(nowMs: number): Promise<void>;
}

export interface ShardDeps {
  readonly commit: GroupCommit;
  readonly log: ShardLog;
  readonly metrics: TsdbMetrics;
  readonly retentionMs: number;
  readonly seriesMax: number;
}

export class HeadShardStore implements ShardStore {
  readonly shard: number;
  readonly #commit: GroupCommit;
  readonly #log: ShardLog;
  readonly #metrics: TsdbMetrics;
  readonly #retentionMs: number;
  readonly #seriesMax: number;
  readonly #head = new Head();

  constructor(shard: number, deps: ShardDeps) {
    this.shard = shard;
    this.#commit = deps.commit;
    this.#log = deps.log;
    this.#metrics = deps.metrics;
    this.#retentionMs = deps.retentionMs;
    this.#seriesMax = deps.seriesMax;
  }

  /** Rebuilds the head from the log. What was accepted once is merged without being judged again. */
  async replay(engine: StoreEngine): Promise<void> {
    await this.#log.replay(engine, ({ epoch, batch }) => {
      const rules: AdmitRules = {
        epoch,
        merge: true,
        floorMs: Number.NEGATIVE_INFINITY,
        ceilingMs: Number.POSITIVE_INFINITY,
        seriesMax: Number.POSITIVE_INFINITY,
      };
      this.#changing(() => admit(this.#head, batch, rules));
    });
  }

  async append(batch: WriteBatch, options: AppendOptions): Promise<AppendOutcome> {
    this.#commit.assertReady();
    assertEpoch(options.epoch);
    const merge = options.bypassOutOfOrder === true;
    const rules: AdmitRules = {
      epoch: options.epoch,
      merge,
      floorMs: options.nowMs - this.#retentionMs,
      ceilingMs: merge ? Number.POSITIVE_INFINITY : options.nowMs + futureToleranceMs,
      seriesMax: this.#seriesMax,
    };
    const { outcome, kept } = this.#changing(() => admit(this.#head, batch, rules));
    this.#count(outcome);
    if (outcome.appended > 0) await this.#log.append(options.epoch, pick(batch, kept));
    else if (outcome.duplicates > 0) await this.#log.settled();
    return outcome;
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesColumns[] {
    return this.#head.select(matchers, fromMs, toMs);
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Labels[] {
    return this.#head.labelSets(matchers, fromMs, toMs);
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    return this.#head.labelNames(matchers, fromMs, toMs);
  }

  labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    return this.#head.labelValues(name, matchers, fromMs, toMs);
  }

  stats(): ShardStats {
    return {
      series: this.#head.seriesCount,
      samples: this.#head.sampleCount,
      ...this.#head.timeRange(),
      logBytes: this.#log.bytes,
    };
  }

  export(samplesMax: number): Iterable<ExportedBatch> {
    assert(samplesMax >= 1, `batches of at most ${samplesMax} samples`);
    return exportHead(this.#head, samplesMax);
  }

  async deleteAll(): Promise<void> {
    this.#commit.assertReady();
    this.#changing(() => this.#head.clear());
    await this.#log.deleteAll();
  }

  async enforceRetention(nowMs: number): Promise<void> {
    const floorMs = nowMs - this.#retentionMs;
    this.#changing(() => this.#head.dropBefore(floorMs));
    await this.#log.deleteBefore(floorMs);
  }

  /** Takes this shard out of the metrics when its directory closes. */
  forget(): void {
    this.#changing(() => this.#head.clear());
    this.#log.forget();
  }

  #changing<T>(change: () => T): T {
    const before = this.#head.seriesCount;
    try {
      return change();
    } finally {
      this.#metrics.headSeries.inc(this.#head.seriesCount - before);
    }
  }

  #count(outcome: AppendOutcome): void {
    const type = 'float';
    this.#metrics.samplesAppended.inc({ type }, outcome.appended);
    this.#metrics.outOfOrder.inc({ type }, outcome.outOfOrder);
    this.#metrics.outOfBounds.inc({ type }, outcome.tooFarInFuture);
    this.#metrics.tooOld.inc({ type }, outcome.tooOld);
    this.#metrics.limited.inc(outcome.limited);
  }
}

function assertEpoch(epoch: number): void {
  if (Number.isInteger(epoch) && epoch >= 0 && epoch <= 0xffff_ffff) return;
  throw new StoreError(storeErrorCodes.badBatch, `epoch ${epoch} is not an unsigned 32-bit number`);
}
