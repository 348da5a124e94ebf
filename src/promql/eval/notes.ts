/**
 * What users are told about native histograms that could not be used as the expression asks, in Prometheus' words.
 */
import { HistogramError, quoteGo } from '../../model/index.ts';
import type { Span } from '../parse/tree.ts';
import type { Annotations } from './annotations.ts';

export type HistogramOperation = 'addition' | 'subtraction' | 'aggregation';

function noteReconciledBounds(annotations: Annotations, span: Span, during: HistogramOperation): void {
  annotations.info(`mismatched custom buckets were reconciled during ${during}`, span);
}

function noteResetCollision(annotations: Annotations, span: Span, during: HistogramOperation): void {
  annotations.warn(`conflicting counter resets during histogram ${during}`, span);
}

/** Notes about one series, which they name by its metric. */
export class SeriesNotes {
  readonly #annotations: Annotations;
  readonly #span: Span;
  readonly #metricName: string;

  constructor(annotations: Annotations, span: Span, metricName: string) {
    this.#annotations = annotations;
    this.#span = span;
    this.#metricName = metricName;
  }

  get #quoted(): string {
    return quoteGo(this.#metricName);
  }

  mixedTypes(): void {
    const text = 'encountered a mix of histograms and floats for metric name';
    this.#annotations.warn(`${text} ${this.#quoted}`, this.#span);
  }

  mixedSchemas(): void {
    const text =
      'vector contains a mix of histograms with exponential and custom buckets schemas for metric name';
    this.#annotations.warn(`${text} ${this.#quoted}`, this.#span);
  }

  notCounter(): void {
    this.#annotations.warn(`this native histogram metric is not a counter: ${this.#quoted}`, this.#span);
  }

  notGauge(): void {
    this.#annotations.warn(`this native histogram metric is not a gauge: ${this.#quoted}`, this.#span);
  }

  ignoredHistograms(): void {
    const text = 'ignored histograms in a range containing both floats and histograms for metric name';
    this.#annotations.info(`${text} ${this.#quoted}`, this.#span);
  }

  startTimeOverlap(): void {
    const text = 'sample has start time that overlaps with previous sample timestamp for metric';
    this.#annotations.warnCounted(`${text} ${this.#quoted}`, this.#span);
  }

  reconciledBounds(during: HistogramOperation): void {
    noteReconciledBounds(this.#annotations, this.#span, during);
  }

  resetCollision(during: HistogramOperation): void {
    noteResetCollision(this.#annotations, this.#span, during);
  }

  /** An info that names the metric where that is known. */
  infoFor(text: string): void {
    const name = this.#metricName === '' ? '' : ` for metric name ${this.#quoted}`;
    this.#annotations.info(`${text}${name}`, this.#span);
  }
}

/** Undefined when the histograms are of different kinds; throws what else goes wrong. */
export function unlessIncompatible<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof HistogramError && error.code === 'histogram_incompatible_schema') return undefined;
    throw error;
  }
}
