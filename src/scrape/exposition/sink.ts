/**
 * What a parser of an exposition format gives to its caller. The contract is shaped by the steady state, in
 * which a target exposes the same series in the same order scrape after scrape: the sink recognises series
 * by their bytes, so that a known series costs a comparison and no string.
 */
import type { FloatHistogram } from '../../model/index.ts';

export type MetadataKind = 'help' | 'type' | 'unit';

/** Where in the column of a sample's numbers which one stands. */
export const SampleNumber = {
  value: 0,
  /** Milliseconds; NaN when the exposition gives no time. */
  timestampMs: 1,
  /** Since when a cumulative value counts, in milliseconds; 0 when that is not known. */
  startTimeMs: 2,
  count: 3,
} as const;

/** What is read beyond what the formats say for themselves. */
export interface ExpositionOptions {
  /** `__type__` and `__unit__` become labels of each series (feature type-and-unit-labels). */
  readonly typeAndUnitLabels: boolean;
  /** `_created` lines are start times of the series that they belong to, and no series of their own. */
  readonly startTimes: boolean;
  /** A native histogram's classic buckets are series beside it. */
  readonly classicHistograms: boolean;
}

export const plainExposition: ExpositionOptions = {
  typeAndUnitLabels: false,
  startTimes: false,
  classicHistograms: false,
};

/** A histogram that is made only when somebody wants it. */
export interface HistogramSource {
  /** Throws HistogramError when what was exposed contradicts itself. */
  build(): FloatHistogram;
}

/** ExpositionSink.text alone. */
export type TextSource = Pick<ExpositionSink, 'text'>;

export interface ExpositionSink {
  /**
   * Guesses the series at `at`: when the bytes there are those of the series that is most likely next, returns
   * the offset after them and sets `expectedId`; otherwise -1.
   */
  expectedEnd(body: Uint8Array, at: number): number;
  readonly expectedId: number;
  /** The id of the series written as `body[start, end)`, or -1 when these bytes are new. */
  find(body: Uint8Array, start: number, end: number): number;
  /**
   * Introduces the series written as `body[start, end)`. `pairs` is name, value, name, value...; the metric
   * name comes first as `__name__`; empty values are kept. May throw to fail the whole exposition.
   */
  define(body: Uint8Array, start: number, end: number, pairs: readonly string[]): number;
  /** Decodes a label name or value; undefined when it is not UTF-8. Lets the sink share strings. */
  text(body: Uint8Array, start: number, end: number): string | undefined;
  /**
   * One sample of the series `id`. `numbers` is laid out as SampleNumber says: a column that is used again and again, since
   * numbers handed over as such would be allocated.
   */
  sample(id: number, numbers: Float64Array): void;
  /** One native histogram of the series `id`; the value in `numbers` means nothing. */
  histogram(id: number, source: HistogramSource, numbers: Float64Array): void;
  /** One exemplar of the sample before: its labels as name, value, name, value...; the time is NaN when none is given. */
  exemplar(pairs: readonly string[], value: number, timestampMs: number): void;
  /** A HELP, TYPE or UNIT line: the family's name and the text, still escaped, as byte ranges. */
  metadata(
    kind: MetadataKind,
    body: Uint8Array,
    nameStart: number,
    nameEnd: number,
    textStart: number,
    textEnd: number,
  ): void;
}

export interface ParseOutcome {
  readonly samples: number;
  readonly exemplars: number;
}
