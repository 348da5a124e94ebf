/**
 * What a parser of an exposition format gives to its caller. The contract is shaped by the steady state, in
 * which a target exposes the same series in the same order scrape after scrape: the sink recognises series
 * by their bytes, so that a known series costs a comparison and no string.
 */
export type MetadataKind = 'help' | 'type' | 'unit';

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
   * One sample of the series `id`. `numbers` holds its value and its time in milliseconds, which is NaN when the exposition gives
   * none: a column that is used again and again, since numbers handed over as such would be allocated.
   */
  sample(id: number, numbers: Float64Array): void;
  /** The exemplar of the sample before: its labels as name, value, name, value...; the time as above. */
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
