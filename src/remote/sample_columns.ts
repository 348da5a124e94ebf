/** The sample columns of a write batch while they grow. Values come as two 32-bit words, so that no bit changes. */
import type { Labels, WriteBatch } from '../model/index.ts';

const initialCapacity = 256;

export class SampleColumns {
  #refs = new Uint32Array(initialCapacity);
  #timestamps = new Float64Array(initialCapacity);
  #words = new Uint32Array(initialCapacity * 2);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(timestampMs: number, valueLow: number, valueHigh: number): void {
    const at = this.#count;
    if (at === this.#timestamps.length) this.#grow();
    this.#timestamps[at] = timestampMs;
    this.#words[at * 2] = valueLow;
    this.#words[at * 2 + 1] = valueHigh;
    this.#count = at + 1;
  }

  /** Gives all samples from position `first` on to series `ref`. */
  assign(first: number, ref: number): void {
    this.#refs.fill(ref, first, this.#count);
  }

  /** Forgets the samples from position `first` on. */
  truncate(first: number): void {
    this.#count = first;
  }

  finish(series: readonly Labels[]): WriteBatch {
    return {
      series,
      refs: this.#refs.slice(0, this.#count),
      timestamps: this.#timestamps.slice(0, this.#count),
      values: new Float64Array(this.#words.slice(0, this.#count * 2).buffer),
    };
  }

  #grow(): void {
    const capacity = this.#count * 2;
    const refs = new Uint32Array(capacity);
    const timestamps = new Float64Array(capacity);
    const words = new Uint32Array(capacity * 2);
    refs.set(this.#refs);
    timestamps.set(this.#timestamps);
    words.set(this.#words);
    this.#refs = refs;
    this.#timestamps = timestamps;
    this.#words = words;
  }
}
