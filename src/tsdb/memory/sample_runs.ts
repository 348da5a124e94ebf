/**
 * The samples of a series that left its tail: a chain of compressed runs in a slab, oldest first. A full tail becomes
 * a short run; the tail that would be the eighth is joined with the seven before it into one full run of 128 samples,
 * so that a sample is compressed twice, and headers and first values are paid for once in 128. The times of a run are
 * shared with those of other series (time_blocks.ts).
 *
 * ```
 * 0      4       8        10
 * | next | times | length | values |
 *   u32    u32     u16      src/tsdb/codec
 * ```
 *
 * A series' first full run is shorter, by a number of tails that differs from shard to shard. Otherwise the short runs
 * of all series that came at once would be joined at once, and the slab would have to hold all of them before.
 */
import { ByteWriter } from '../../base/index.ts';
import { decodeValues, encodeValueWords } from '../codec/values.ts';
import { RunReader, runHeaderBytes } from './run_reader.ts';
import { RunSlab, unitOf } from './run_slab.ts';
import { SampleColumn } from './sample_column.ts';
import { type SeriesPage, tailSamples } from './series_page.ts';
import { TimeBlocks } from './time_blocks.ts';

const deltaMaxMs = 0xffffffff;
/** So many short runs wait for the tail that makes them a full one: a power of two less one. */
const shortRunsMax = 7;

export class SampleRuns {
  readonly #slab = new RunSlab();
  readonly #times = new TimeBlocks(this.#slab);
  readonly #sink = new ByteWriter(4096);
  /** Where runs are put together; nothing stays in it between calls. */
  readonly #work = new SampleColumn();

  get memory(): { heldBytes: number; liveBytes: number } {
    return this.#slab.memory;
  }

  /** Gives memory that no run uses back to the system, in steps. */
  trim(): Generator<void> {
    return this.#slab.trim();
  }

  /**
   * Adds a sample, newer than all others, at `times[timeAt]`, whose value is `words[at, at + 2)`. A time that is handed over
   * as a number is a new object to V8 each time.
   */
  push(
    page: SeriesPage,
    i: number,
    times: Float64Array,
    timeAt: number,
    words: Uint32Array,
    at: number,
  ): void {
    const timeMs = times[timeAt] as number;
    let count = page.tailCount[i] as number;
    let delta = timeMs - (page.tailBaseMs[i] as number);
    if (count === tailSamples || (count > 0 && delta > deltaMaxMs)) {
      this.flush(page, i);
      count = 0;
    }
    if (count === 0) {
      page.tailBaseMs[i] = timeMs;
      delta = 0;
    }
    const place = i * tailSamples + count;
    page.tailDeltas[place] = delta;
    page.tailWords[place * 2] = words[at] as number;
    page.tailWords[place * 2 + 1] = words[at + 1] as number;
    page.tailCount[i] = count + 1;
  }

  /** Moves the tail of series `i` into its runs; the tail is then empty. */
  flush(page: SeriesPage, i: number): void {
    const work = this.#work;
    const lastFull = page.lastFullRun[i] as number;
    const shortRuns = page.shortRuns[i] as number;
    const joins = shortRuns >= (lastFull === 0 ? (page.shard[i] as number) & shortRunsMax : shortRunsMax);
    let firstShort = 0;
    if (joins) firstShort = lastFull === 0 ? (page.firstRun[i] as number) : this.#next(lastFull);
    work.clear();
    for (let run = firstShort; run !== 0; run = this.#next(run)) this.#decode(run, work);
    pushTail(page, i, work);
    page.tailCount[i] = 0;
    const added = this.#encode(work);
    this.#freeChain(firstShort);
    const previous = joins ? lastFull : (page.lastRun[i] as number);
    if (previous === 0) page.firstRun[i] = added;
    else this.#setNext(previous, added);
    if (joins) page.lastFullRun[i] = added;
    page.shortRuns[i] = joins ? 0 : shortRuns + 1;
    page.lastRun[i] = added;
  }

  /** Adds the samples of series `i` with `fromMs <= t <= toMs` to a column, oldest first. */
  read(page: SeriesPage, i: number, fromMs: number, toMs: number, into: SampleColumn): void {
    const start = into.count;
    const tailFrom = page.tailBaseMs[i] as number;
    const lastFull = page.lastFullRun[i] as number;
    // What is asked for is mostly new: the long runs before need not be looked at.
    const isNew = lastFull !== 0 && this.#firstMs(lastFull) <= fromMs;
    for (let run = isNew ? lastFull : (page.firstRun[i] as number); run !== 0; ) {
      if (this.#firstMs(run) > toMs) break;
      const next = this.#next(run);
      // Everything in a run is older than what follows it.
      const endMs = next === 0 ? tailFrom : this.#firstMs(next);
      if (endMs > fromMs) this.#decode(run, into);
      run = next;
    }
    if (tailFrom <= toMs) pushTail(page, i, into);
    into.clip(start, fromMs, toMs);
  }

  /** For what queries want of many series. */
  reader(): RunReader {
    return new RunReader(this.#slab);
  }

  /** Time of the oldest sample; Infinity when there is none. */
  oldestMs(page: SeriesPage, i: number): number {
    const run = page.firstRun[i] as number;
    if (run !== 0) return this.#firstMs(run);
    return page.tailCount[i] === 0 ? Number.POSITIVE_INFINITY : (page.tailBaseMs[i] as number);
  }

  /** Whether there is a sample with `fromMs <= t <= toMs`; decodes only where a run's first sample can't tell. */
  hasSampleIn(page: SeriesPage, i: number, fromMs: number, toMs: number): boolean {
    const newestMs = page.newestMs(i);
    if (newestMs < fromMs || this.oldestMs(page, i) > toMs) return false;
    if (newestMs <= toMs) return true;
    for (let run = page.firstRun[i] as number; run !== 0; run = this.#next(run)) {
      const firstMs = this.#firstMs(run);
      if (firstMs > toMs) break;
      if (firstMs >= fromMs) return true;
    }
    this.#work.count = 0;
    this.read(page, i, fromMs, toMs, this.#work);
    return this.#work.count > 0;
  }

  /** Forgets the samples of series `i` older than `floorMs`; returns how many. */
  dropBefore(page: SeriesPage, i: number, floorMs: number): number {
    let dropped = 0;
    for (let run = page.firstRun[i] as number; run !== 0 && this.#firstMs(run) < floorMs; ) {
      const next = this.#next(run);
      const endMs = next === 0 ? (page.tailBaseMs[i] as number) : this.#firstMs(next);
      const remainder = endMs <= floorMs ? 0 : this.#afterFloor(run, floorMs);
      dropped += this.#count(run) - (remainder === 0 ? 0 : this.#count(remainder));
      if (remainder !== 0) this.#setNext(remainder, next);
      if (page.lastFullRun[i] === run) page.lastFullRun[i] = remainder;
      else if (page.lastFullRun[i] === 0 && remainder === 0)
        page.shortRuns[i] = (page.shortRuns[i] as number) - 1;
      if (page.lastRun[i] === run) page.lastRun[i] = remainder;
      this.#free(run);
      page.firstRun[i] = remainder === 0 ? next : remainder;
      run = remainder === 0 ? next : 0;
    }
    return dropped + dropFromTail(page, i, floorMs);
  }

  /** Forgets all samples of series `i`; returns how many. */
  clear(page: SeriesPage, i: number): number {
    let dropped = page.tailCount[i] as number;
    for (let run = page.firstRun[i] as number; run !== 0; run = this.#next(run)) dropped += this.#count(run);
    this.#freeChain(page.firstRun[i] as number);
    page.firstRun[i] = 0;
    page.lastFullRun[i] = 0;
    page.shortRuns[i] = 0;
    page.lastRun[i] = 0;
    page.tailCount[i] = 0;
    return dropped;
  }

  /** A new run with what of `run` is not older than `floorMs`; 0 when that is nothing. */
  #afterFloor(run: number, floorMs: number): number {
    this.#work.count = 0;
    this.#decode(run, this.#work);
    this.#work.clip(0, floorMs, Number.POSITIVE_INFINITY);
    return this.#work.count === 0 ? 0 : this.#encode(this.#work);
  }

  #encode(column: SampleColumn): number {
    const { times, values, words, count } = column;
    const block = this.#times.intern(times, count);
    const sink = this.#sink;
    sink.reset();
    encodeValueWords(values, words, count, sink);
    const { length } = sink;
    const address = this.#slab.allocate(runHeaderBytes + length);
    const slab = this.#slab.slabOf(address);
    const unit = unitOf(address);
    slab.words[unit * 2] = 0;
    slab.words[unit * 2 + 1] = block;
    slab.halves[unit * 4 + 4] = length;
    const at = unit * 8 + runHeaderBytes;
    const from = sink.bytes;
    // Most runs are shorter than what a call of `set` with a view costs.
    if (length > 256) slab.bytes.set(from.subarray(0, length), at);
    else for (let k = 0; k < length; k++) slab.bytes[at + k] = from[k] as number;
    return address;
  }

  #decode(run: number, into: SampleColumn): void {
    const slab = this.#slab.slabOf(run);
    const unit = unitOf(run);
    const block = slab.words[unit * 2 + 1] as number;
    const count = this.#times.count(block);
    into.reserve(count);
    this.#times.decode(block, into);
    decodeValues(slab.bytes, unit * 8 + runHeaderBytes, count, into.values, into.count);
    into.count += count;
  }

  #next(run: number): number {
    return this.#slab.slabOf(run).words[unitOf(run) * 2] as number;
  }

  #setNext(run: number, next: number): void {
    this.#slab.slabOf(run).words[unitOf(run) * 2] = next;
  }

  #firstMs(run: number): number {
    return this.#times.firstMs(this.#block(run));
  }

  #count(run: number): number {
    return this.#times.count(this.#block(run));
  }

  #block(run: number): number {
    return this.#slab.slabOf(run).words[unitOf(run) * 2 + 1] as number;
  }

  #free(run: number): void {
    this.#times.release(this.#block(run));
    const length = this.#slab.slabOf(run).halves[unitOf(run) * 4 + 4] as number;
    this.#slab.free(run, runHeaderBytes + length);
  }

  #freeChain(first: number): void {
    for (let run = first; run !== 0; ) {
      const next = this.#next(run);
      this.#free(run);
      run = next;
    }
  }
}

function pushTail(page: SeriesPage, i: number, into: SampleColumn): void {
  const count = page.tailCount[i] as number;
  const baseMs = page.tailBaseMs[i] as number;
  into.reserve(count);
  for (let k = i * tailSamples; k < i * tailSamples + count; k++)
    into.push(baseMs + (page.tailDeltas[k] as number), page.tailWords, k * 2);
}

function dropFromTail(page: SeriesPage, i: number, floorMs: number): number {
  const count = page.tailCount[i] as number;
  const baseMs = page.tailBaseMs[i] as number;
  const start = i * tailSamples;
  let cut = 0;
  while (cut < count && baseMs + (page.tailDeltas[start + cut] as number) < floorMs) cut++;
  if (cut === 0) return 0;
  const shiftMs = cut < count ? (page.tailDeltas[start + cut] as number) : 0;
  for (let k = cut; k < count; k++)
    page.tailDeltas[start + k - cut] = (page.tailDeltas[start + k] as number) - shiftMs;
  page.tailWords.copyWithin(start * 2, (start + cut) * 2, (start + count) * 2);
  page.tailBaseMs[i] = baseMs + shiftMs;
  page.tailCount[i] = count - cut;
  return cut;
}
