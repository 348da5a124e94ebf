/**
 * The native histograms of one series that came in order: ascending times and the histograms' bytes one behind the
 * other. Their samples stand among the series' others too, as zeros, so that order, floors and runs know no difference.
 */
import { ByteReader, ByteWriter } from '../../base/index.ts';
import { type FloatHistogram, readHistogram, writeHistogram } from '../../model/index.ts';
import { firstAtOrAfter, type SampleColumn } from './sample_column.ts';

const writer = new ByteWriter(1024);

export class HistogramSamples {
  #times = new Float64Array(4);
  /** Where each histogram's bytes end. */
  #ends = new Uint32Array(4);
  #bytes = new Uint8Array(512);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** -Infinity when empty. */
  get newestMs(): number {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : (this.#times[this.#count - 1] as number);
  }

  /** Adds one that is newer than all others. */
  append(timeMs: number, histogram: FloatHistogram): void {
    writer.reset();
    writeHistogram(writer, histogram);
    if (this.#count === this.#times.length) this.#growIndex();
    const at = this.#endOf(this.#count - 1);
    const end = at + writer.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, Math.ceil(this.#bytes.length * growth)));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#bytes.set(writer.bytes.subarray(0, writer.length), at);
    this.#times[this.#count] = timeMs;
    this.#ends[this.#count] = end;
    this.#count++;
  }

  /** The histogram at a time, or null. */
  find(timeMs: number): FloatHistogram | null {
    const place = firstAtOrAfter(this.#times, this.#count, timeMs);
    return place < this.#count && this.#times[place] === timeMs ? this.#at(place) : null;
  }

  /** Puts the histograms of the times of a column into it. */
  readInto(into: SampleColumn): void {
    const { times, count } = into;
    if (count === 0) return;
    let place = firstAtOrAfter(this.#times, this.#count, times[0] as number);
    for (let k = 0; k < count && place < this.#count; k++) {
      if (times[k] === this.#times[place]) into.setHistogram(k, this.#at(place++));
    }
  }

  /** Forgets those older than `floorMs`. */
  dropBefore(floorMs: number): void {
    const dropped = firstAtOrAfter(this.#times, this.#count, floorMs);
    if (dropped === 0) return;
    const at = this.#endOf(dropped - 1);
    const end = this.#endOf(this.#count - 1);
    this.#bytes = this.#bytes.slice(at, end);
    for (let k = dropped; k < this.#count; k++) {
      this.#times[k - dropped] = this.#times[k] as number;
      this.#ends[k - dropped] = (this.#ends[k] as number) - at;
    }
    this.#count -= dropped;
  }

  #at(place: number): FloatHistogram {
    const from = this.#endOf(place - 1);
    return readHistogram(new ByteReader(this.#bytes.subarray(from, this.#ends[place])));
  }

  #endOf(place: number): number {
    return place < 0 ? 0 : (this.#ends[place] as number);
  }

  #growIndex(): void {
    const times = new Float64Array(this.#count * 2);
    const ends = new Uint32Array(this.#count * 2);
    times.set(this.#times);
    ends.set(this.#ends);
    this.#times = times;
    this.#ends = ends;
  }
}

const growth = 1.5;
