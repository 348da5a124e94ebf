/** Times and values that a reader gathers, ascending in time; reused from series to series, growing to the longest. */
import type { FloatHistogram } from '../../model/index.ts';

export class SampleColumn {
  times: Float64Array<ArrayBuffer> = new Float64Array(512);
  values: Float64Array<ArrayBuffer> = new Float64Array(512);
  /** The bits of `values`, two words each. */
  words: Uint32Array<ArrayBuffer> = new Uint32Array(this.values.buffer);
  /** The epoch each sample was written under, where the reader asked for it. */
  epochs: Float64Array<ArrayBuffer> = new Float64Array(512);
  /** Histograms by place; undefined while there is none. */
  histograms: (FloatHistogram | null)[] | undefined;
  count = 0;

  /** Forgets everything and keeps the memory. */
  clear(): void {
    this.count = 0;
    this.histograms = undefined;
  }

  /** Puts a histogram at a place at the end or among those that are there. */
  setHistogram(place: number, histogram: FloatHistogram): void {
    this.histograms ??= [];
    while (this.histograms.length < place) this.histograms.push(null);
    this.histograms[place] = histogram;
  }

  /** Makes room for `more` samples behind those that are there. */
  reserve(more: number): void {
    const needed = this.count + more;
    if (needed <= this.times.length) return;
    const length = Math.max(needed, this.times.length * 2);
    const times = new Float64Array(length);
    const words = new Uint32Array(length * 2);
    times.set(this.times.subarray(0, this.count));
    words.set(this.words.subarray(0, this.count * 2));
    const epochs = new Float64Array(length);
    epochs.set(this.epochs.subarray(0, this.count));
    this.times = times;
    this.epochs = epochs;
    this.words = words;
    this.values = new Float64Array(words.buffer);
  }

  /** Adds a sample whose value is `from[at, at + 2)` in words; room must be there. */
  push(timeMs: number, from: Uint32Array, at: number): void {
    this.times[this.count] = timeMs;
    this.words[this.count * 2] = from[at] as number;
    this.words[this.count * 2 + 1] = from[at + 1] as number;
    this.count++;
  }

  /** Keeps the samples with `fromMs <= t <= toMs` among those from `start` on, and all before it. */
  clip(start: number, fromMs: number, toMs: number): void {
    let from = start;
    while (from < this.count && (this.times[from] as number) < fromMs) from++;
    let to = this.count;
    while (to > from && (this.times[to - 1] as number) > toMs) to--;
    if (from > start) {
      this.times.copyWithin(start, from, to);
      this.words.copyWithin(start * 2, from * 2, to * 2);
    }
    this.count = start + to - from;
  }

  /** Whether the sample at `place` is the histogram, or the float in `words[at, at + 2)` if that is null. */
  equals(place: number, words: Uint32Array, at: number, histogram: FloatHistogram | null): boolean {
    const own = this.histograms?.[place] ?? null;
    if (own !== null || histogram !== null)
      return own !== null && histogram !== null && own.equals(histogram);
    return this.words[place * 2] === words[at] && this.words[place * 2 + 1] === words[at + 1];
  }

  /** Orders by time, and at one time by epoch. */
  sort(): void {
    const { times, epochs, words, histograms, count } = this;
    let sorted = 1;
    while (sorted < count && this.#compare(sorted - 1, sorted) <= 0) sorted++;
    if (sorted >= count) return;
    const order = Uint32Array.from({ length: count }, (_, k) => k).sort((a, b) => this.#compare(a, b));
    const before = { times: times.slice(0, count), epochs: epochs.slice(0, count) };
    const wordsBefore = words.slice(0, count * 2);
    for (let k = 0; k < count; k++) {
      const from = order[k] as number;
      times[k] = before.times[from] as number;
      epochs[k] = before.epochs[from] as number;
      words[k * 2] = wordsBefore[from * 2] as number;
      words[k * 2 + 1] = wordsBefore[from * 2 + 1] as number;
    }
    if (histograms !== undefined) this.histograms = Array.from(order, (from) => histograms[from] ?? null);
  }

  /** Of the samples at one time, in order by epoch, keeps the last. */
  keepHighest(): void {
    this.#keep((k) => k + 1 === this.count || this.times[k] !== this.times[k + 1]);
  }

  /** Keeps what was written under that epoch. */
  keepEpoch(epoch: number): void {
    this.#keep((k) => this.epochs[k] === epoch);
  }

  /** The histograms as a column of their own, null where the sample is a float; undefined when there is none. */
  takeHistograms(): (FloatHistogram | null)[] | undefined {
    const { histograms, count } = this;
    if (histograms === undefined) return undefined;
    const taken = Array.from({ length: count }, (_, k) => histograms[k] ?? null);
    return taken.some((histogram) => histogram !== null) ? taken : undefined;
  }

  #compare(a: number, b: number): number {
    return (
      (this.times[a] as number) - (this.times[b] as number) ||
      (this.epochs[a] as number) - (this.epochs[b] as number)
    );
  }

  #keep(isKept: (place: number) => boolean): void {
    const { times, epochs, words, histograms, count } = this;
    let kept = 0;
    for (let k = 0; k < count; k++) {
      if (!isKept(k)) continue;
      times[kept] = times[k] as number;
      epochs[kept] = epochs[k] as number;
      words[kept * 2] = words[k * 2] as number;
      words[kept * 2 + 1] = words[k * 2 + 1] as number;
      if (histograms !== undefined) histograms[kept] = histograms[k] ?? null;
      kept++;
    }
    this.count = kept;
    if (histograms !== undefined) histograms.length = kept;
  }
}

/** The first of `count` ascending times that is not before `timeMs`; `count` when there is none. */
export function firstAtOrAfter(times: Float64Array, count: number, timeMs: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
