/**
 * One series in memory: growing columns of time and value, ascending in time, one sample per timestamp. Values are
 * kept as pairs of 32-bit words so that a NaN's bits are never touched.
 *
 * Which of two values for one timestamp stands is decided by the epoch under which each was written: the higher one;
 * within one epoch the first. A series written under a single epoch (the usual case) keeps just that number; only
 * after an owner change does it carry a column of epochs.
 */
import { assert } from '../base/index.ts';
import type { Labels, SeriesColumns } from '../model/index.ts';

const initialCapacity = 8;

/** What became of a sample that was merged in. */
export type MergeVerdict = 'inserted' | 'replaced' | 'duplicate' | 'conflict';

export class HeadSeries {
  readonly id: number;
  readonly labels: Labels;
  #timestamps = new Float64Array(initialCapacity);
  #words = new Uint32Array(initialCapacity * 2);
  #count = 0;
  #epoch = 0;
  #epochs: Uint32Array | undefined;

  constructor(id: number, labels: Labels) {
    this.id = id;
    this.labels = labels;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the columns, spare room included. */
  get columnBytes(): number {
    return this.#timestamps.byteLength + this.#words.byteLength + (this.#epochs?.byteLength ?? 0);
  }

  /** Infinity when empty. */
  get oldestMs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : (this.#timestamps[0] as number);
  }

  /** -Infinity when empty. */
  get newestMs(): number {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : (this.#timestamps[this.#count - 1] as number);
  }

  /** Whether the newest value has exactly the bits at `from` in `words`. */
  newestEquals(words: Uint32Array, from: number): boolean {
    return this.#count > 0 && this.#equalsAt(this.#count - 1, words, from);
  }

  /** Adds behind the newest sample. `words[from]` and `words[from + 1]` are the value's bits. */
  append(timestampMs: number, words: Uint32Array, from: number, epoch: number): void {
    assert(timestampMs > this.newestMs, `${timestampMs} is not newer than ${this.newestMs}`);
    this.#makeRoom(epoch);
    this.#put(this.#count++, timestampMs, words, from, epoch);
  }

  /** Puts a sample of any age in its place. */
  merge(timestampMs: number, words: Uint32Array, from: number, epoch: number): MergeVerdict {
    if (timestampMs > this.newestMs) {
      this.append(timestampMs, words, from, epoch);
      return 'inserted';
    }
    const at = this.#firstAtOrAfter(timestampMs);
    if (this.#timestamps[at] === timestampMs) {
      if (this.#equalsAt(at, words, from)) return 'duplicate';
      if (epoch <= this.#epochAt(at)) return 'conflict';
      this.#ensureEpochs(epoch);
      this.#put(at, timestampMs, words, from, epoch);
      return 'replaced';
    }
    this.#makeRoom(epoch);
    this.#timestamps.copyWithin(at + 1, at, this.#count);
    this.#words.copyWithin((at + 1) * 2, at * 2, this.#count * 2);
    this.#epochs?.copyWithin(at + 1, at, this.#count);
    this.#count++;
    this.#put(at, timestampMs, words, from, epoch);
    return 'inserted';
  }

  hasSampleIn(fromMs: number, toMs: number): boolean {
    const at = this.#firstAtOrAfter(fromMs);
    return at < this.#count && (this.#timestamps[at] as number) <= toMs;
  }

  /** Copies of the samples with fromMs <= t <= toMs, undefined when there are none. */
  slice(fromMs: number, toMs: number): SeriesColumns | undefined {
    const start = this.#firstAtOrAfter(fromMs);
    let end = start;
    if (toMs >= this.newestMs) end = this.#count;
    else if (toMs >= fromMs) end = this.#firstAfter(toMs);
    if (end <= start) return undefined;
    const timestamps = this.#timestamps.slice(start, end);
    const values = new Float64Array(this.#words.slice(start * 2, end * 2).buffer);
    return { labels: this.labels, timestamps, values };
  }

  /** Runs of neighbouring samples that share an epoch, oldest first. */
  *epochRuns(): Generator<{ epoch: number; start: number; end: number }> {
    let start = 0;
    while (start < this.#count) {
      const epoch = this.#epochAt(start);
      let end = this.#epochs === undefined ? this.#count : start + 1;
      while (end < this.#count && this.#epochAt(end) === epoch) end++;
      yield { epoch, start, end };
      start = end;
    }
  }

  /** Copies of the columns between two positions. */
  columns(start: number, end: number): { timestamps: Float64Array; values: Float64Array } {
    assert(start >= 0 && end <= this.#count, `positions ${start} to ${end} of ${this.#count}`);
    return {
      timestamps: this.#timestamps.slice(start, end),
      values: new Float64Array(this.#words.slice(start * 2, end * 2).buffer),
    };
  }

  /** Forgets samples older than `floorMs`; returns how many. */
  dropBefore(floorMs: number): number {
    if (this.oldestMs >= floorMs) return 0;
    const dropped = this.#firstAtOrAfter(floorMs);
    const capacity = Math.max(initialCapacity, this.#count - dropped);
    if (capacity * 4 <= this.#timestamps.length) {
      this.#resize(capacity * 2, dropped);
    } else {
      this.#timestamps.copyWithin(0, dropped, this.#count);
      this.#words.copyWithin(0, dropped * 2, this.#count * 2);
      this.#epochs?.copyWithin(0, dropped, this.#count);
    }
    this.#count -= dropped;
    if (this.#count === 0) this.#epochs = undefined;
    return dropped;
  }

  #equalsAt(at: number, words: Uint32Array, from: number): boolean {
    return this.#words[at * 2] === words[from] && this.#words[at * 2 + 1] === words[from + 1];
  }

  #epochAt(at: number): number {
    return this.#epochs === undefined ? this.#epoch : (this.#epochs[at] as number);
  }

  #put(at: number, timestampMs: number, words: Uint32Array, from: number, epoch: number): void {
    this.#timestamps[at] = timestampMs;
    this.#words[at * 2] = words[from] as number;
    this.#words[at * 2 + 1] = words[from + 1] as number;
    if (this.#epochs !== undefined) this.#epochs[at] = epoch;
  }

  #makeRoom(epoch: number): void {
    this.#ensureEpochs(epoch);
    if (this.#count === this.#timestamps.length) this.#resize(this.#count * 2, 0);
  }

  #ensureEpochs(epoch: number): void {
    if (this.#count === 0) this.#epoch = epoch;
    else if (this.#epochs === undefined && epoch !== this.#epoch) {
      this.#epochs = new Uint32Array(this.#timestamps.length).fill(this.#epoch);
    }
  }

  /** New columns of `capacity` that hold the samples from position `start` on. */
  #resize(capacity: number, start: number): void {
    const timestamps = new Float64Array(capacity);
    const words = new Uint32Array(capacity * 2);
    timestamps.set(this.#timestamps.subarray(start, this.#count));
    words.set(this.#words.subarray(start * 2, this.#count * 2));
    if (this.#epochs !== undefined) {
      const epochs = new Uint32Array(capacity);
      epochs.set(this.#epochs.subarray(start, this.#count));
      this.#epochs = epochs;
    }
    this.#timestamps = timestamps;
    this.#words = words;
  }

  /** Position of the first sample with t >= timestampMs; `count` when there is none. */
  #firstAtOrAfter(timestampMs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timestamps[middle] as number) < timestampMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #firstAfter(timestampMs: number): number {
    const at = this.#firstAtOrAfter(timestampMs);
    return at < this.#count && this.#timestamps[at] === timestampMs ? at + 1 : at;
  }
}
