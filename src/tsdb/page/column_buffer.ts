/**
 * Where pages are decoded to: one series' samples as growing columns that the caller owns and uses again for the next
 * series, so that reading allocates nothing in the steady state. Pages read one after another follow each other.
 */
import type { FloatHistogram } from '../../model/index.ts';

export class ColumnBuffer {
  #times: Float64Array<ArrayBuffer>;
  #values: Float64Array<ArrayBuffer>;
  #histograms: (FloatHistogram | null)[] | undefined;
  #length = 0;

  constructor(initialSamples = 512) {
    this.#times = new Float64Array(initialSamples);
    this.#values = new Float64Array(initialSamples);
  }

  get length(): number {
    return this.#length;
  }

  /** Milliseconds; the first `length` elements mean something, until the buffer grows or is cleared. */
  get times(): Float64Array<ArrayBuffer> {
    return this.#times;
  }

  /** 0 where there is a histogram. */
  get values(): Float64Array<ArrayBuffer> {
    return this.#values;
  }

  /** `length` elements, or undefined while there is no histogram; a new array after each clear. */
  get histograms(): readonly (FloatHistogram | null)[] | undefined {
    return this.#histograms;
  }

  clear(): void {
    this.#length = 0;
    this.#histograms = undefined;
  }

  /** Room for `count` samples behind `length`; `commit` makes them part of it. */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#times.length) return;
    const capacity = Math.max(needed, this.#times.length * 2);
    this.#times = grown(this.#times, this.#length, capacity);
    this.#values = grown(this.#values, this.#length, capacity);
  }

  /** Counts `count` samples that were put behind `length` in; `histograms` are theirs. */
  commit(count: number, histograms: readonly (FloatHistogram | null)[] | undefined): void {
    if (histograms !== undefined || this.#histograms !== undefined) {
      this.#histograms ??= new Array<FloatHistogram | null>(this.#length).fill(null);
      for (let i = 0; i < count; i++) this.#histograms.push(histograms?.[i] ?? null);
    }
    this.#length += count;
  }
}

function grown(
  column: Float64Array<ArrayBuffer>,
  length: number,
  capacity: number,
): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(capacity);
  copy.set(column.subarray(0, length));
  return copy;
}
