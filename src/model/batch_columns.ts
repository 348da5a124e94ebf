/**
 * The sample columns of one batch after the other, in the same memory: a batch borrows them until its owner says that
 * nobody reads it any more. A batch that is not given back keeps its memory, and the next one gets new.
 */
import type { FloatHistogram } from './histogram/float_histogram.ts';
import type { WriteBatch } from './write_batch.ts';

const sampleCountMin = 64;
/** Longer columns are rare and not kept for the next batch. */
const keptSamplesMax = 1 << 18;

interface Memory {
  readonly refs: Uint32Array<ArrayBuffer>;
  readonly timestamps: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

function memoryFor(sampleCount: number): Memory {
  return {
    refs: new Uint32Array(sampleCount),
    timestamps: new Float64Array(sampleCount),
    values: new Float64Array(sampleCount),
  };
}

export type SampleColumns = Pick<WriteBatch, 'refs' | 'timestamps' | 'values' | 'histograms'>;

export class BatchColumns {
  readonly #lentMax: number;
  readonly #lent = new Map<Uint32Array, Memory>();
  readonly #free: Memory[] = [];
  #memory: Memory = memoryFor(0);
  /** The two 32-bit words of every value. */
  #words: Uint32Array = new Uint32Array(0);
  #isMine = false;
  #count = 0;
  #histograms: (FloatHistogram | null)[] | undefined;

  /** `lentMax`: batches out at a time whose memory will be used again. */
  constructor(lentMax: number) {
    this.#lentMax = lentMax;
  }

  /** Starts a batch, which is likely to have as many samples as the last one. */
  begin(): void {
    this.#count = 0;
    this.#histograms = undefined;
    if (this.#isMine) return;
    this.#isMine = true;
    const free = this.#free.pop();
    this.#use(
      free ?? memoryFor(Math.max(sampleCountMin, Math.min(this.#memory.refs.length, keptSamplesMax))),
    );
  }

  get count(): number {
    return this.#count;
  }

  /** Of the samples so far; replaced when the columns grow. */
  get values(): Float64Array {
    return this.#memory.values;
  }

  /** Adds a sample without its value; returns where the value belongs. */
  add(ref: number, timestampMs: number): number {
    const at = this.#count++;
    if (at === this.#memory.refs.length) this.#grow();
    this.#memory.refs[at] = ref;
    this.#memory.timestamps[at] = timestampMs;
    return at;
  }

  /** The value of the sample at `at` as two words, so that no bit changes. */
  setWords(at: number, low: number, high: number): void {
    this.#words[at * 2] = low;
    this.#words[at * 2 + 1] = high;
  }

  setHistogram(at: number, histogram: FloatHistogram): void {
    this.#histograms ??= [];
    while (this.#histograms.length < at) this.#histograms.push(null);
    this.#histograms[at] = histogram;
    this.#memory.values[at] = 0;
  }

  /** Gives all samples from position `first` on to series `ref`. */
  assign(first: number, ref: number): void {
    this.#memory.refs.fill(ref, first, this.#count);
  }

  /** Forgets the samples from position `first` on. */
  truncate(first: number): void {
    this.#count = first;
    if (this.#histograms !== undefined && this.#histograms.length > first) this.#histograms.length = first;
  }

  /** Lends the columns out. They are to be given back with `release`, or else forgotten. */
  finish(): SampleColumns {
    const memory = this.#memory;
    const count = this.#count;
    const columns = {
      refs: memory.refs.subarray(0, count),
      timestamps: memory.timestamps.subarray(0, count),
      values: memory.values.subarray(0, count),
    };
    const histograms = this.#histograms;
    this.#lend(columns.refs, memory);
    this.#isMine = false;
    if (histograms === undefined) return columns;
    while (histograms.length < count) histograms.push(null);
    return { ...columns, histograms };
  }

  /** The columns that `finish` gave are read by nobody any more. */
  release({ refs }: Pick<WriteBatch, 'refs'>): void {
    const memory = this.#lent.get(refs);
    if (memory === undefined) return;
    this.#lent.delete(refs);
    if (memory.refs.length <= keptSamplesMax) this.#free.push(memory);
  }

  #lend(refs: Uint32Array, memory: Memory): void {
    for (const oldest of this.#lent.keys()) {
      if (this.#lent.size < this.#lentMax) break;
      this.#lent.delete(oldest);
    }
    this.#lent.set(refs, memory);
  }

  #use(memory: Memory): void {
    this.#memory = memory;
    this.#words = new Uint32Array(memory.values.buffer);
  }

  #grow(): void {
    const { refs, timestamps, values } = this.#memory;
    const grown = memoryFor(refs.length * 2);
    grown.refs.set(refs);
    grown.timestamps.set(timestamps);
    grown.values.set(values);
    this.#use(grown);
  }
}
