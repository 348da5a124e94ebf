/**
 * What the engine asks of its surroundings and what it answers: storage, ranges, limits, results, and the hooks
 * by which a distributed planner moves parts of a query elsewhere.
 */
import type { FloatHistogram, Labels, Lookups, Matcher, SeriesColumns } from '../model/index.ts';
import type { Fragment } from './parse/tree.ts';

export interface SelectRequest {
  readonly matchers: readonly Matcher[];
  /** Both inclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Hints: what will be done with the series, for a storage that can use it. */
  readonly func?: string;
  readonly rangeMs?: number;
  readonly stepMs: number;
  readonly grouping?: readonly string[];
  readonly by?: boolean;
  /** Samples of floats that are not the newest at any of these instants are not looked at and may be left out. */
  readonly newestAt?: Lookups;
}

export interface Storage {
  /** Series sorted by labels, merged to one entry per label set, samples with fromMs <= t <= toMs. */
  select(request: SelectRequest, signal: AbortSignal): Promise<readonly SeriesColumns[]>;
  /**
   * The same in parts, for those who can do without holding all at once. Series that differ in their name only are in one
   * part. Each part is what it is when it is read. Absent, or none, where there is only the whole.
   */
  parts?(): readonly Storage[];
}

/** Evaluation times startMs, startMs + stepMs, ... up to endMs; an instant has start = end. */
export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export interface EngineLimits {
  /** Samples that a query may hold in memory at once. */
  readonly samplesMax: number;
  readonly timeoutMs: number;
  /** How far back an instant selector looks for a sample; the left edge is exclusive. */
  readonly lookbackMs: number;
  /** Bytes of data and results that a query may hold in one place. Default: no bound. */
  readonly memoryMax?: number;
}

/** One series over all steps of a range; columns have one element per step. */
export interface StepSeries {
  readonly labels: Labels;
  readonly values: Float64Array;
  /** 1 where there is a value. */
  readonly present: Uint8Array;
  /**
   * Where a step's value is a native histogram, that one, else null; `values` has 0 beside one. Meaningful only where
   * `present` is 1. Absent when no step may have one. The histograms are shared and never change.
   */
  readonly histograms?: (FloatHistogram | null)[];
  /** The metric name is still there for label functions and is dropped when the query ends. */
  readonly dropName?: boolean;
}

export interface StepMatrix {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly series: readonly StepSeries[];
}

export interface VectorSample {
  readonly labels: Labels;
  readonly timestampMs: number;
  /** 0 beside a histogram. */
  readonly value: number;
  readonly histogram?: FloatHistogram;
}

export interface MatrixSeries {
  readonly labels: Labels;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** As in SeriesColumns. */
  readonly histograms?: readonly (FloatHistogram | null)[];
}

/** 'vector' only for instant queries; range queries and instant queries of a range selector give 'matrix'. */
export type QueryValue =
  | { readonly type: 'scalar'; readonly timestampMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timestampMs: number; readonly text: string }
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] };

/** Samples that were looked at and held, as Prometheus counts them. */
export interface SampleStats {
  readonly totalSamples: number;
  readonly peakSamples: number;
  /** Of the peak, what does not depend on series: scalars, and the window at hand. */
  readonly peakShared: number;
  /** Series that were read. */
  readonly series: number;
  /** How long reading and evaluating took, added up over places that did it side by side. */
  readonly workMs: number;
  /** One element a step; absent unless it was asked for. */
  readonly samplesPerStep?: Float64Array;
}

/** In seconds. */
export interface EvaluationTimings {
  /** Until all data is there. */
  readonly preparation: number;
  readonly evaluation: number;
  /** Of a matrix; part of the evaluation. */
  readonly sorting: number;
}

export interface QueryStats {
  readonly samples: SampleStats;
  readonly timings: EvaluationTimings;
}

export interface QueryResult {
  readonly value: QueryValue;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
}

export interface RemoteResult {
  readonly matrix: StepMatrix;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  /** What was looked at for it; absent means nothing. */
  readonly samples?: SampleStats;
}

export interface RemoteSource {
  fetch(fragment: Fragment, signal: AbortSignal): Promise<RemoteResult>;
}
