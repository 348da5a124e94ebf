/**
 * A batch of samples on its way to shards: distinct label sets, then columns of (series index, time, value), and what
 * came with them. write_batch_codec.ts makes bytes of it.
 */
import type { BatchExemplar, BatchMetadata } from './batch_extras.ts';
import type { FloatHistogram } from './histogram/float_histogram.ts';
import type { Labels } from './labels.ts';

export interface WriteBatch {
  readonly series: readonly Labels[];
  /** Index into `series`, one per sample. */
  readonly refs: Uint32Array;
  /** Milliseconds, one per sample. */
  readonly timestamps: Float64Array;
  /** Bit-exact values, one per sample; 0 where `histograms` holds one. */
  readonly values: Float64Array;
  /** One per sample, null where it is a float; absent when all are. */
  readonly histograms?: readonly (FloatHistogram | null)[];
  /** Milliseconds, one per sample, 0 where unknown: since when a cumulative value counts. Absent when none is known. */
  readonly startTimes?: Float64Array;
  readonly exemplars?: readonly BatchExemplar[];
  readonly metadata?: readonly BatchMetadata[];
  /**
   * The store's references, one per series, -1 where unknown: read and written by the store that the batch is appended
   * to in the same thread, never encoded. Whoever keeps the `series` array keeps this with it, so that the next batch
   * of the same series needs no lookup.
   */
  readonly storeRefs?: Int32Array;
}

/** Collects samples and what belongs to them; series are told apart by their labels. */
export class WriteBatchBuilder {
  readonly #series: Labels[] = [];
  readonly #refByKey = new Map<string, number>();
  #refs = new Uint32Array(64);
  #timestamps = new Float64Array(64);
  #values = new Float64Array(64);
  #startTimes: Float64Array<ArrayBuffer> | undefined;
  #histograms: (FloatHistogram | null)[] | undefined;
  readonly #exemplars: BatchExemplar[] = [];
  readonly #metadata = new Map<string, BatchMetadata>();
  #count = 0;

  get sampleCount(): number {
    return this.#count;
  }

  /** Adds the sample at `index` of two columns, moving its bits. */
  addFrom(labels: Labels, timestampMs: number, values: Float64Array, index: number, startTimeMs = 0): void {
    const at = this.#begin(labels, timestampMs, startTimeMs);
    this.#values.set(values.subarray(index, index + 1), at);
  }

  readonly #one = new Float64Array(1);

  /** Adds an ordinary value; for NaN with a payload use addFrom. */
  add(labels: Labels, timestampMs: number, value: number, startTimeMs = 0): void {
    this.#one[0] = value;
    this.addFrom(labels, timestampMs, this.#one, 0, startTimeMs);
  }

  addHistogram(labels: Labels, timestampMs: number, histogram: FloatHistogram, startTimeMs = 0): void {
    const at = this.#begin(labels, timestampMs, startTimeMs);
    this.#histograms ??= [];
    while (this.#histograms.length < at) this.#histograms.push(null);
    this.#histograms.push(histogram);
  }

  /** Adds an exemplar of the series with these labels, whether the batch has a sample of it or not. */
  addExemplar(series: Labels, exemplar: Omit<BatchExemplar, 'ref'>): void {
    this.#exemplars.push({ ref: this.#refOf(series), ...exemplar });
  }

  /** The last that is said of a metric stands. */
  addMetadata(metadata: BatchMetadata): void {
    this.#metadata.set(metadata.metric, metadata);
  }

  finish(): WriteBatch {
    const count = this.#count;
    const histograms = this.#histograms?.slice();
    if (histograms !== undefined) while (histograms.length < count) histograms.push(null);
    return {
      series: this.#series,
      refs: this.#refs.slice(0, count),
      timestamps: this.#timestamps.slice(0, count),
      values: this.#values.slice(0, count),
      ...(histograms !== undefined && { histograms }),
      ...(this.#startTimes !== undefined && { startTimes: this.#startTimes.slice(0, count) }),
      ...(this.#exemplars.length > 0 && { exemplars: this.#exemplars }),
      ...(this.#metadata.size > 0 && { metadata: [...this.#metadata.values()] }),
    };
  }

  /** Makes a sample of value 0 and returns its position. */
  #begin(labels: Labels, timestampMs: number, startTimeMs: number): number {
    const ref = this.#refOf(labels);
    if (this.#count === this.#refs.length) this.#grow();
    const at = this.#count++;
    this.#refs[at] = ref;
    this.#timestamps[at] = timestampMs;
    if (startTimeMs !== 0) {
      this.#startTimes ??= new Float64Array(this.#refs.length);
      this.#startTimes[at] = startTimeMs;
    }
    return at;
  }

  #refOf(labels: Labels): number {
    const key = labels.key();
    const known = this.#refByKey.get(key);
    if (known !== undefined) return known;
    const ref = this.#series.push(labels) - 1;
    this.#refByKey.set(key, ref);
    return ref;
  }

  #grow(): void {
    const size = this.#count * 2;
    const refs = new Uint32Array(size);
    refs.set(this.#refs);
    this.#refs = refs;
    this.#timestamps = grownTo(size, this.#timestamps);
    this.#values = grownTo(size, this.#values);
    if (this.#startTimes !== undefined) this.#startTimes = grownTo(size, this.#startTimes);
  }
}

function grownTo(size: number, column: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(size);
  grown.set(column);
  return grown;
}
