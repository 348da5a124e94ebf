/**
 * Samples of one series that came after newer ones: a small sorted column beside the series, merged in when somebody
 * reads and gone when their window is sealed. No timestamp is both here and in the series.
 */
import { firstAtOrAfter, type SampleColumn } from './sample_column.ts';

export class OutOfOrderSamples {
  #times = new Float64Array(4);
  #words = new Uint32Array(8);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Infinity when empty. */
  get oldestMs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number);
  }

  /** Where the sample at `timeMs` is or would be. */
  place(timeMs: number): number {
    return firstAtOrAfter(this.#times, this.#count, timeMs);
  }

  holds(place: number, timeMs: number): boolean {
    return place < this.#count && this.#times[place] === timeMs;
  }

  equals(place: number, words: Uint32Array, at: number): boolean {
    return this.#words[place * 2] === words[at] && this.#words[place * 2 + 1] === words[at + 1];
  }

  /** Puts a sample at the place that `place` gave for its time. */
  insert(place: number, timeMs: number, words: Uint32Array, at: number): void {
    if (this.#count === this.#times.length) this.#resize(this.#count * 2);
    this.#times.copyWithin(place + 1, place, this.#count);
    this.#words.copyWithin((place + 1) * 2, place * 2, this.#count * 2);
    this.#times[place] = timeMs;
    this.#words[place * 2] = words[at] as number;
    this.#words[place * 2 + 1] = words[at + 1] as number;
    this.#count++;
  }

  hasSampleIn(fromMs: number, toMs: number): boolean {
    const place = this.place(fromMs);
    return place < this.#count && (this.#times[place] as number) <= toMs;
  }

  /** Merges the samples with `fromMs <= t <= toMs` into those of `into` from position `start` on. */
  mergeInto(into: SampleColumn, start: number, fromMs: number, toMs: number): void {
    const first = this.place(fromMs);
    let last = this.#count - 1;
    while (last >= first && (this.#times[last] as number) > toMs) last--;
    const more = last - first + 1;
    if (more <= 0) return;
    into.reserve(more);
    let old = into.count - 1;
    let write = into.count + more - 1;
    into.count += more;
    const { times, words } = into;
    // From the back, so that nothing is overwritten before it has moved.
    for (; last >= first; write--) {
      const fromOld = old >= start && (times[old] as number) > (this.#times[last] as number);
      const source = fromOld ? words : this.#words;
      const at = fromOld ? old : last;
      times[write] = fromOld ? (times[old] as number) : (this.#times[last] as number);
      words[write * 2] = source[at * 2] as number;
      words[write * 2 + 1] = source[at * 2 + 1] as number;
      if (fromOld) old--;
      else last--;
    }
  }

  /** Forgets samples older than `floorMs`; returns how many. */
  dropBefore(floorMs: number): number {
    const dropped = this.place(floorMs);
    if (dropped === 0) return 0;
    this.#times.copyWithin(0, dropped, this.#count);
    this.#words.copyWithin(0, dropped * 2, this.#count * 2);
    this.#count -= dropped;
    return dropped;
  }

  #resize(length: number): void {
    const times = new Float64Array(length);
    const words = new Uint32Array(length * 2);
    times.set(this.#times);
    words.set(this.#words);
    this.#times = times;
    this.#words = words;
  }
}
