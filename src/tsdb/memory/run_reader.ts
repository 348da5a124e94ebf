/**
 * Reads the samples of many series that came in order, as a query wants them: in columns of their own, cut to a range, and
 * where a query looks at a few instants only, thinned to the samples that it will see. The series of a target are scraped
 * together, so their runs share their times: what was found out for one series (which runs, which times, which samples
 * of them) is kept, and serves the next one if its runs have the same blocks of times. Only values are decoded for each.
 */
import type { Lookups } from '../../model/index.ts';
import { decodeTimestamps } from '../codec/timestamps.ts';
import { decodeValues } from '../codec/values.ts';
import { ColumnArena } from '../window/column_arena.ts';
import { type RunSlab, unitOf } from './run_slab.ts';
import { type SeriesPage, tailSamples } from './series_page.ts';
import { blockHeaderBytes } from './time_blocks.ts';

/** Before a run's values; see sample_runs.ts. */
export const runHeaderBytes = 10;

/** What of each series is wanted: samples with `fromMs <= t <= toMs`, or those of them that `newestAt` asks for. */
interface Wanted {
  readonly fromMs: number;
  readonly toMs: number;
  readonly newestAt?: Lookups | undefined;
}

/** The largest part of the samples for which thinning pays. */
const thinnedShareMax = 0.75;

/** Runs with their blocks of times, oldest first. */
class Chain {
  runs = new Uint32Array(16);
  blocks = new Uint32Array(16);
  firstMs = new Float64Array(16);
  counts = new Uint32Array(16);
  length = 0;

  push(run: number, block: number, firstMs: number, count: number): void {
    const at = this.length++;
    if (at === this.runs.length) this.#grow();
    this.runs[at] = run;
    this.blocks[at] = block;
    this.firstMs[at] = firstMs;
    this.counts[at] = count;
  }

  #grow(): void {
    const { runs, blocks, firstMs, counts } = this;
    const length = runs.length * 2;
    this.runs = new Uint32Array(length);
    this.blocks = new Uint32Array(length);
    this.firstMs = new Float64Array(length);
    this.counts = new Uint32Array(length);
    this.runs.set(runs);
    this.blocks.set(blocks);
    this.firstMs.set(firstMs);
    this.counts.set(counts);
  }
}

/** Times of the newest raw samples of a series. */
class TailTimes {
  baseMs = 0;
  count = 0;
  readonly deltas = new Uint32Array(tailSamples);

  set(page: SeriesPage, i: number, count: number): void {
    this.baseMs = page.tailBaseMs[i] as number;
    this.count = count;
    for (let k = 0; k < count; k++) this.deltas[k] = page.tailDeltas[i * tailSamples + k] as number;
  }

  equals(page: SeriesPage, i: number, count: number): boolean {
    if (this.count !== count) return false;
    if (count > 0 && this.baseMs !== page.tailBaseMs[i]) return false;
    const at = i * tailSamples;
    for (let k = 0; k < count; k++) if (this.deltas[k] !== page.tailDeltas[at + k]) return false;
    return true;
  }
}

/** Reads the series of one selection after the other. */
export class RunReader {
  readonly #slab: RunSlab;
  #wanted: Wanted = { fromMs: 0, toMs: 0 };
  #arena = new ColumnArena();
  /** Older samples than those that stand there are not looked at. */
  #oldestMs = 0;
  /** Of the series before, and of the one that is read. */
  #known = new Chain();
  #chain = new Chain();
  readonly #tail = new TailTimes();
  /** All times of the chain and the tail. */
  #allTimes = new Float64Array(512);
  #values = new Float64Array(512);
  #words = new Uint32Array(this.#values.buffer);
  /** Of all samples those wanted, `[#from, #to)`, and which of them when they are thinned. */
  #from = 0;
  #to = 0;
  #picks: Uint32Array | undefined;
  #isNew = true;

  /** The series that was read last. */
  times: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);

  constructor(slab: RunSlab) {
    this.#slab = slab;
  }

  /** To be called before the series of a selection, whose columns are then the arena's, are read. */
  begin(wanted: Wanted, arena: ColumnArena): void {
    this.#wanted = wanted;
    this.#arena = arena;
    this.#oldestMs = Math.max(wanted.fromMs, wanted.newestAt?.firstMs ?? Number.NEGATIVE_INFINITY);
    this.#isNew = true;
    this.#known.length = 0;
  }

  /** Reads series `i`; false when it has no sample that is wanted. */
  read(page: SeriesPage, i: number): boolean {
    const tailCount = page.tailCount[i] as number;
    if (tailCount === 0 || page.newestMs(i) < this.#wanted.fromMs) return false;
    const tailMs = page.tailBaseMs[i] as number;
    this.#walk(page, i, tailMs);
    const fromTail = tailMs <= this.#wanted.toMs ? tailCount : 0;
    const isKnown = !this.#isNew && this.#tail.equals(page, i, fromTail) && this.#hasKnownBlocks();
    if (!isKnown) {
      this.#tail.set(page, i, fromTail);
      this.#findTimes();
      this.#isNew = false;
    }
    const read = this.#chain;
    this.#chain = this.#known;
    this.#known = read;
    if (this.#from === this.#to) return false;
    this.#readValues(read, page, i);
    return true;
  }

  /** Notes the runs that may hold what is wanted. */
  #walk(page: SeriesPage, i: number, tailMs: number): void {
    const chain = this.#chain;
    chain.length = 0;
    const oldestMs = this.#oldestMs;
    // Everything in a run is older than what follows it.
    if (tailMs <= oldestMs) return;
    const { toMs } = this.#wanted;
    let run = page.firstRun[i] as number;
    const lastFull = page.lastFullRun[i] as number;
    const last = page.lastRun[i] as number;
    // Mostly what is new is asked for: then the runs before need not be walked over.
    if (last !== 0 && this.#firstMs(this.#block(last)) <= oldestMs) run = last;
    else if (lastFull !== 0 && this.#firstMs(this.#block(lastFull)) <= oldestMs) run = lastFull;
    const known = this.#known;
    while (run !== 0) {
      const slab = this.#slab.slabOf(run);
      const unit = unitOf(run);
      const block = slab.words[unit * 2 + 1] as number;
      const at = chain.length;
      const isKnown = at < known.length && known.blocks[at] === block;
      const firstMs = isKnown ? (known.firstMs[at] as number) : this.#firstMs(block);
      if (firstMs > toMs) return;
      if (firstMs <= oldestMs) chain.length = 0;
      const count = isKnown ? (known.counts[at] as number) : this.#count(block);
      chain.push(run, block, firstMs, count);
      run = slab.words[unit * 2] as number;
    }
  }

  #hasKnownBlocks(): boolean {
    const { length, blocks } = this.#chain;
    const known = this.#known;
    if (known.length !== length) return false;
    for (let k = 0; k < length; k++) if (blocks[k] !== known.blocks[k]) return false;
    return true;
  }

  /** Decodes the times of the chain and the tail, and finds out which are wanted. */
  #findTimes(): void {
    const { length, blocks, firstMs, counts } = this.#chain;
    const tail = this.#tail;
    let total = tail.count;
    for (let k = 0; k < length; k++) total += counts[k] as number;
    if (total > this.#allTimes.length) {
      this.#allTimes = new Float64Array(total * 2);
      this.#values = new Float64Array(total * 2);
      this.#words = new Uint32Array(this.#values.buffer);
    }
    const times = this.#allTimes;
    let at = 0;
    for (let k = 0; k < length; k++) {
      const count = counts[k] as number;
      const block = blocks[k] as number;
      const { bytes } = this.#slab.slabOf(block);
      decodeTimestamps(bytes, unitOf(block) * 8 + blockHeaderBytes, count, times, at);
      const first = firstMs[k] as number;
      for (const end = at + count; at < end; at++) times[at] = (times[at] as number) + first;
    }
    for (let k = 0; k < tail.count; k++) times[at++] = tail.baseMs + (tail.deltas[k] as number);
    this.#cut(total);
  }

  #cut(total: number): void {
    const times = this.#allTimes;
    const { fromMs, toMs, newestAt } = this.#wanted;
    let from = 0;
    while (from < total && (times[from] as number) < fromMs) from++;
    let to = total;
    while (to > from && (times[to - 1] as number) > toMs) to--;
    const picks = newestAt === undefined ? undefined : picksOf(times, from, to, newestAt);
    this.#picks = picks !== undefined && picks.length <= (to - from) * thinnedShareMax ? picks : undefined;
    this.#from = from;
    this.#to = to;
    if (this.#picks === undefined) {
      this.times = this.#arena.shared(times.subarray(from, to), to - from);
      return;
    }
    const kept = this.#arena.take(this.#picks.length);
    for (let k = 0; k < kept.length; k++) kept[k] = times[this.#picks[k] as number] as number;
    this.times = this.#arena.shared(kept, kept.length);
    // Of a thinned series only the runs with samples that are kept need be decoded.
    this.#from = this.#picks[0] ?? to;
    this.#to = this.#picks.length === 0 ? this.#from : (this.#picks.at(-1) as number) + 1;
  }

  /** Values are moved as words, so that a NaN stays what it is. */
  #readValues(chain: Chain, page: SeriesPage, i: number): void {
    const [from, to] = [this.#from, this.#to];
    const values = this.#values;
    const words = this.#words;
    const { length, runs, counts } = chain;
    let at = 0;
    for (let k = 0; k < length && at < to; k++) {
      const count = counts[k] as number;
      if (at + count > from) {
        const run = runs[k] as number;
        decodeValues(
          this.#slab.slabOf(run).bytes,
          unitOf(run) * 8 + runHeaderBytes,
          count,
          values,
          at,
          words,
        );
      }
      at += count;
    }
    const tailAt = i * tailSamples * 2;
    for (let word = 0; at < to; at++) {
      words[at * 2] = page.tailWords[tailAt + word++] as number;
      words[at * 2 + 1] = page.tailWords[tailAt + word++] as number;
    }
    const picks = this.#picks;
    if (picks === undefined) {
      this.values = this.#arena.copied(values, from, to);
      return;
    }
    this.values = this.#arena.picked(words, picks);
  }

  #block(run: number): number {
    return this.#slab.slabOf(run).words[unitOf(run) * 2 + 1] as number;
  }

  #firstMs(block: number): number {
    return this.#slab.slabOf(block).doubles[unitOf(block) + 1] as number;
  }

  #count(block: number): number {
    return this.#slab.slabOf(block).halves[unitOf(block) * 4 + 3] as number;
  }
}

/** Of `times[from, to)` the places of those that are the newest at any of the instants. */
function picksOf(times: Float64Array, from: number, to: number, lookups: Lookups): Uint32Array {
  const { firstMs, stepMs, steps } = lookups;
  const picks = new Uint32Array(Math.min(steps, to - from));
  let count = 0;
  let next = from;
  for (let step = 0; step < steps; step++) {
    const atMs = firstMs + step * stepMs;
    const before = next;
    while (next < to && (times[next] as number) <= atMs) next++;
    if (next > before) picks[count++] = next - 1;
    if (next === to) break;
  }
  return picks.subarray(0, count);
}
