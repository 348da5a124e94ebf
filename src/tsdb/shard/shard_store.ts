/** One shard replica as its owner sees it: what goes in, what comes out, and what is to be done now and then. */
import type {
  BatchExemplar,
  BatchMetadata,
  Labels,
  Lookups,
  Matcher,
  SeriesColumns,
  WriteBatch,
} from '../../model/index.ts';
import type { Cardinality } from '../cardinality.ts';
import type { SnapshotEntry } from '../window/snapshot.ts';
import type { ExportedBatch } from './export.ts';
import type { AppendOutcome } from './verdicts.ts';

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

export interface ExemplarSeries {
  readonly labels: Labels;
  /** Ascending in time. */
  readonly exemplars: readonly Omit<BatchExemplar, 'ref'>[];
}

export interface ShardStats {
  /** In memory. */
  readonly series: number;
  /** In memory and in sealed windows. */
  readonly samples: number;
  /** Infinity when there are no samples. */
  readonly minTimeMs: number;
  /** -Infinity when there are no samples. */
  readonly maxTimeMs: number;
  readonly logBytes: number;
  readonly windows: number;
  readonly windowBytes: number;
}

export interface ShardStore {
  readonly shard: number;
  /**
   * Takes the good samples of a batch and counts the others. Resolves when the record is in the log as the fsync policy
   * demands; one record per batch. Throws StoreError: `bad_batch`, `store_overloaded` (nothing was taken),
   * `store_failed`, `store_closed`.
   */
  append(batch: WriteBatch, options: AppendOptions): Promise<AppendOutcome>;
  /**
   * Series sorted by labels, samples with fromMs <= t <= toMs; series without samples in range are left out. Rejects with
   * WindowError (`window_damaged`) when something that the answer needs can't be read. With `newestAt` samples that are not
   * the newest at any of its instants may be left out.
   */
  select(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    newestAt?: Lookups,
  ): Promise<SeriesColumns[]>;
  /** The label sets of the series with a sample in the range, sorted. */
  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<Labels[]>;
  /** Sorted. */
  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<string[]>;
  /** Sorted. */
  labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<string[]>;
  /** Of the series that pass any of the matcher sets, in the range. */
  exemplars(anyOf: readonly (readonly Matcher[])[], fromMs: number, toMs: number): ExemplarSeries[];
  /** By metric name: what senders said last. */
  metadata(): ReadonlyMap<string, BatchMetadata>;
  /** Of what is in memory, as Prometheus' status page counts its head. */
  cardinality(topMax: number): Promise<Cardinality>;
  stats(): ShardStats;
  /**
   * Deletes the samples, between the times, both included, of series that pass all matchers. Holds, and survives a crash,
   * when it has resolved. When the disk refuses it goes on holding, and is written when the trouble ends; a crash before
   * leaves all that it deleted or nothing.
   */
  delete(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<void>;
  /** All data as batches of at most `samplesMax` samples, each of one epoch, oldest windows first, for hand-over. */
  export(samplesMax: number): AsyncIterable<ExportedBatch>;
  /** The shard's keys and values as they are at the first step; written to an empty store they are the same shard. */
  snapshot(): AsyncIterable<SnapshotEntry>;
  /**
   * Forgets the shard, in memory at once, on disk when this resolves. When the disk refuses, it is done when the trouble
   * ends, before anything is appended; a crash before leaves all of the shard or nothing, so that it is to be repeated.
   */
  deleteAll(): Promise<void>;
  /** Seals what is due, compacts, and deletes what is older than the retention time. */
  maintain(nowMs: number): Promise<void>;
  /** Seals everything in memory, due or not; nothing older than the newest sample's window is taken in order then. */
  sealNow(): Promise<void>;
}
