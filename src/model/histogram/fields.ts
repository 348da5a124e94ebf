/**
 * What a native histogram consists of, apart from what can be done with it: the plain fields, so that the files
 * beside this one can work on them without knowing the class, and a codec can hand them over as they are.
 */

/** A run of neighbouring buckets. */
export interface Span {
  /** The first span's first bucket index; for later spans the number of buckets left out since the last one. */
  readonly offset: number;
  readonly length: number;
}

/** What is known about a counter reset between this histogram and the one before; numbered as on the wire. */
export const CounterResetHint = { Unknown: 0, Reset: 1, NotReset: 2, Gauge: 3 } as const;
export type CounterResetHint = (typeof CounterResetHint)[keyof typeof CounterResetHint];

export interface HistogramFields {
  /** -4..8: each power of two is divided into 2^schema buckets. -53: bounds are in customValues. */
  readonly schema: number;
  /** Observations with |value| <= zeroThreshold are in zeroCount. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positiveSpans: readonly Span[];
  /** Absolute counts, not cumulative, one per bucket that the spans describe. */
  readonly positiveBuckets: Float64Array;
  /** Negative buckets are indexed by the absolute value of their bounds. */
  readonly negativeSpans: readonly Span[];
  readonly negativeBuckets: Float64Array;
  /** Ascending finite upper bounds, for the custom schema alone; a last bucket to +Inf is implied. */
  readonly customValues: Float64Array;
  readonly counterResetHint: CounterResetHint;
  /** The counts came as integers, and should leave (storage, wire) as integers. */
  readonly isInteger: boolean;
  /** The staleness marker. A flag, since the bits of `sum` do not survive being held as a number. */
  readonly isStale: boolean;
}

export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
  readonly count: number;
  /** Within its side and schema; 0 for the zero bucket. */
  readonly index: number;
}
