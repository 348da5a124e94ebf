import type { FloatHistogram } from './histogram/float_histogram.ts';
import type { Labels } from './labels.ts';

/**
 * One series' samples as columns of equal length, ascending in time, at most one sample per timestamp.
 * `values` keeps NaN bits (stale markers), so move it with `set`/`subarray`/`slice`, never through arithmetic.
 */
export interface SeriesColumns {
  readonly labels: Labels;
  /** Milliseconds since the epoch; integers. */
  readonly timestamps: Float64Array;
  /** Ignored (0) where `histograms` holds one. */
  readonly values: Float64Array;
  /** Present when at least one sample is a native histogram; null where the sample is a float. */
  readonly histograms?: readonly (FloatHistogram | null)[];
  /** Milliseconds since when a cumulative sample counts, 0 where unknown; absent when none is known. */
  readonly startTimes?: Float64Array;
}

/** Instants at each of which a reader looks for the newest sample that is not younger: the others are nothing to it. */
export interface Lookups {
  readonly firstMs: number;
  readonly stepMs: number;
  /** At least 1. */
  readonly steps: number;
}
