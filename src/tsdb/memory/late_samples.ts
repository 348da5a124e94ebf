/**
 * Samples of one series that are not in its order of appending, or that took the place of one that is: a sorted column
 * beside the series, each with the epoch it was written under. For one time there may be several, of rising
 * epochs; the last stands. A sample of the series itself at that time has a lower epoch than all of them.
 */
import type { FloatHistogram } from '../../model/index.ts';
import { firstAtOrAfter, type SampleColumn } from './sample_column.ts';

export class LateSamples {
  #times = new Float64Array(4);
  #epochs = new Float64Array(4);
  #words = new Uint32Array(8);
  /** One per sample once there was a histogram. */
  #histograms: (FloatHistogram | null)[] | undefined;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Infinity when empty. */
  get oldestMs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number);
  }

  /** -Infinity when empty. */
  get newestMs(): number {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : (this.#times[this.#count - 1] as number);
  }

  /** How many are older than `timeMs`. */
  countBefore(timeMs: number): number {
    return firstAtOrAfter(this.#times, this.#count, timeMs);
  }

  /** Time of the oldest sample from `floorMs` on; Infinity when there is none. */
  firstFrom(floorMs: number): number {
    const place = this.countBefore(floorMs);
    return place < this.#count ? (this.#times[place] as number) : Number.POSITIVE_INFINITY;
  }

  /** Calls back with the time and epoch of every sample. */
  forEach(visit: (timeMs: number, epoch: number) => void): void {
    for (let k = 0; k < this.#count; k++) visit(this.#times[k] as number, this.#epochs[k] as number);
  }

  /** Adds a sample whose epoch is above that of those at its time. */
  insert(
    timeMs: number,
    epoch: number,
    words: Uint32Array,
    at: number,
    histogram: FloatHistogram | null,
  ): void {
    if (this.#count === this.#times.length) this.#resize(this.#count * 2);
    const place = this.countBefore(timeMs + 1);
    this.#times.copyWithin(place + 1, place, this.#count);
    this.#epochs.copyWithin(place + 1, place, this.#count);
    this.#words.copyWithin((place + 1) * 2, place * 2, this.#count * 2);
    this.#times[place] = timeMs;
    this.#epochs[place] = epoch;
    this.#words[place * 2] = words[at] as number;
    this.#words[place * 2 + 1] = words[at + 1] as number;
    if (histogram !== null) this.#histograms ??= new Array<null>(this.#count).fill(null);
    this.#histograms?.splice(place, 0, histogram);
    this.#count++;
  }

  hasSampleIn(fromMs: number, toMs: number): boolean {
    const place = this.countBefore(fromMs);
    return place < this.#count && (this.#times[place] as number) <= toMs;
  }

  /** Adds the samples with `fromMs <= t <= toMs` behind those of a column. */
  readInto(into: SampleColumn, fromMs: number, toMs: number): void {
    const first = this.countBefore(fromMs);
    const end = this.countBefore(toMs + 1);
    if (end <= first) return;
    into.reserve(end - first);
    for (let place = first; place < end; place++) {
      into.epochs[into.count] = this.#epochs[place] as number;
      const histogram = this.#histograms?.[place] ?? null;
      if (histogram !== null) into.setHistogram(into.count, histogram);
      into.push(this.#times[place] as number, this.#words, place * 2);
    }
  }

  /** Takes out the samples older than `floorMs`; undefined when there are none. */
  split(floorMs: number): LateSamples | undefined {
    const count = this.countBefore(floorMs);
    if (count === 0) return undefined;
    const older = new LateSamples();
    older.#times = this.#times.slice(0, count);
    older.#epochs = this.#epochs.slice(0, count);
    older.#words = this.#words.slice(0, count * 2);
    older.#histograms = this.#histograms?.slice(0, count);
    older.#count = count;
    this.#remove(0, count);
    return older;
  }

  /** Adds the samples of another column that are not older than any of this one's at the same time. */
  join(other: LateSamples): void {
    for (let k = 0; k < other.#count; k++)
      this.insert(
        other.#times[k] as number,
        other.#epochs[k] as number,
        other.#words,
        k * 2,
        other.#histograms?.[k] ?? null,
      );
  }

  /** Forgets the samples with `fromMs <= t <= toMs`; returns how many. */
  delete(fromMs: number, toMs: number): number {
    const first = this.countBefore(fromMs);
    const end = this.countBefore(toMs + 1);
    if (end <= first) return 0;
    this.#remove(first, end);
    return end - first;
  }

  #remove(from: number, to: number): void {
    this.#times.copyWithin(from, to, this.#count);
    this.#epochs.copyWithin(from, to, this.#count);
    this.#words.copyWithin(from * 2, to * 2, this.#count * 2);
    this.#histograms?.splice(from, to - from);
    this.#count -= to - from;
  }

  #resize(length: number): void {
    const times = new Float64Array(length);
    const epochs = new Float64Array(length);
    const words = new Uint32Array(length * 2);
    times.set(this.#times);
    epochs.set(this.#epochs);
    words.set(this.#words);
    this.#times = times;
    this.#epochs = epochs;
    this.#words = words;
  }
}
