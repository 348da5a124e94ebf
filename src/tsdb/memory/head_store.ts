/**
 * The series in memory of all shards of a worker; a shard is a number, and one without series costs nothing. Built for
 * memory per series: label sets are runs of numbers, samples a short raw tail and compressed runs behind it,
 * postings shared by the shards, all in typed arrays (series_page.ts, sample_runs.ts, postings.ts). In the
 * steady state a caller holds a reference per series, and `append` then does no label work and allocates nothing.
 *
 * The store judges a sample against its series only. How old or how far in the future it may be is the caller's rule.
 */
import { assert } from '../../base/index.ts';
import type { Labels, Matcher, SeriesColumns, SymbolTable } from '../../model/index.ts';
import { HeadReader, type WindowSeries } from './head_reader.ts';
import { labelsPerSeriesMax, offsetOf } from './label_runs.ts';
import { OutOfOrderSamples } from './out_of_order.ts';
import { PairTable } from './pair_table.ts';
import { Postings, SlotList } from './postings.ts';
import { SampleColumn } from './sample_column.ts';
import { SampleRuns } from './sample_runs.ts';
import { pageMask, tailSamples } from './series_page.ts';
import { SeriesTable } from './series_table.ts';
import { Cell, cellBits, ShardTable } from './shard_table.ts';
import { Verdict } from './verdict.ts';

export interface HeadOptions {
  /** Shared by whatever else the worker interns; its limits bound labels in bytes. */
  readonly symbols: SymbolTable;
  /** A random number that senders of labels don't know. */
  readonly hashSeed: number;
  readonly seriesPerShardMax: number;
  /** Samples kept aside because they came late, all shards together. */
  readonly outOfOrderSamplesMax: number;
}

export interface HeadStats {
  readonly series: number;
  readonly samples: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Bytes by what they hold. */
export interface HeadMemory {
  readonly series: number;
  readonly pairs: number;
  readonly postings: number;
  readonly symbols: number;
  /** Compressed samples: slabs as a whole, and what of them is in use. */
  readonly runsHeld: number;
  readonly runsLive: number;
}

/** Sealed windows are as long as this. */
const defaultWindowMs = 2 * 3_600_000;
const deltaMaxMs = 0xffffffff;

export class HeadStore {
  readonly #options: HeadOptions;
  readonly #series: SeriesTable;
  readonly #pairs: PairTable;
  readonly #postings: Postings;
  readonly #runs = new SampleRuns();
  readonly #reader: HeadReader;
  readonly #shards = new Map<number, SlotList>();
  /** By slot; few series have any. */
  readonly #outOfOrder = new Map<number, OutOfOrderSamples>();
  #outOfOrderCount = 0;
  readonly #table = new ShardTable(defaultWindowMs);
  #epoch = 0;
  readonly #labelRun = new Uint32Array(labelsPerSeriesMax);
  readonly #column = new SampleColumn();
  /** The column of values that was appended from last, and its bits. */
  #values = new Float64Array(0);
  #words = new Uint32Array(0);

  constructor(options: HeadOptions) {
    this.#options = options;
    this.#series = new SeriesTable(options.hashSeed);
    this.#pairs = new PairTable(options.symbols, options.hashSeed);
    this.#postings = new Postings(this.#series.keyOf);
    const index = { series: this.#series, pairs: this.#pairs, postings: this.#postings };
    this.#reader = new HeadReader(index, this.#shards, this.#runs, this.#outOfOrder);
  }

  /**
   * The reference of a series, which is created if need be; -1 when a limit forbids that. It is good until the series
   * has lost its last sample; from then on it is answered with `Verdict.unknown`.
   */
  ref(shard: number, labels: Labels): number {
    const slot = this.#find(shard, labels);
    return slot >= 0 ? this.#series.refOf(slot) : this.#create(shard, labels);
  }

  /** The reference of a series that is there, or -1. */
  find(shard: number, labels: Labels): number {
    const slot = this.#find(shard, labels);
    return slot < 0 ? -1 : this.#series.refOf(slot);
  }

  /** Whether the reference is good and of that shard. */
  isOf(ref: number, shard: number): boolean {
    const slot = this.#series.slotOf(ref);
    return slot >= 0 && this.#series.page(slot).shard[slot & pageMask] === shard;
  }

  /** The series' number in its shard's log; 0 when it has none or is gone. */
  idOf(ref: number): number {
    const slot = this.#series.slotOf(ref);
    return slot < 0 ? 0 : (this.#series.page(slot).id[slot & pageMask] as number);
  }

  setId(ref: number, id: number): void {
    const slot = this.#series.slotOf(ref);
    assert(slot >= 0, 'a series that is there is given a number');
    this.#series.page(slot).id[slot & pageMask] = id;
  }

  /** The epoch of what is appended from now on, below 2^32. */
  setEpoch(epoch: number): void {
    this.#epoch = epoch;
  }

  /** Everything older was sealed or never there; -Infinity at first. */
  floorMs(shard: number): number {
    return this.#table.get(shard, Cell.floorMs);
  }

  /** The floor of a shard whose older samples are sealed; never lowers it. */
  raiseFloor(shard: number, floorMs: number): void {
    this.#table.raiseFloor(shard, floorMs);
  }

  /** The newest sample at or above the floor; -Infinity when there is none. */
  maxTimeMs(shard: number): number {
    return this.#table.get(shard, Cell.newestMs);
  }

  /** The oldest sample at or above the floor; Infinity when there is none. */
  minTimeMs(shard: number): number {
    return this.#table.get(shard, Cell.oldestMs);
  }

  /** Appends `values[index]` at `timeMs`, a safe integer. Only a sample newer than the series' newest is taken. */
  append(ref: number, timeMs: number, values: Float64Array, index: number): Verdict {
    const slot = this.#series.slotOf(ref);
    if (slot < 0) return Verdict.unknown;
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    const shard = page.shard[i] as number;
    const cellsAt = shard << cellBits;
    const epoch = this.#epoch;
    let { cells } = this.#table;
    if (
      timeMs < (cells[cellsAt + Cell.hotFromMs] as number) ||
      timeMs >= (cells[cellsAt + Cell.hotToMs] as number) ||
      epoch !== cells[cellsAt + Cell.hotEpoch]
    ) {
      if (!this.#table.enter(shard, timeMs, epoch)) return Verdict.belowFloor;
      cells = this.#table.cells;
    }
    if (values !== this.#values) this.#lookAt(values);
    const words = this.#words;
    const start = i * tailSamples;
    let count = page.tailCount[i] as number;
    let delta = 0;
    if (count > 0) {
      delta = timeMs - (page.tailBaseMs[i] as number);
      const newest = start + count - 1;
      const newestDelta = page.tailDeltas[newest] as number;
      if (delta < newestDelta) return Verdict.outOfOrder;
      if (delta === newestDelta) {
        const same =
          page.tailWords[newest * 2] === words[index * 2] &&
          page.tailWords[newest * 2 + 1] === words[index * 2 + 1];
        return same ? Verdict.duplicate : Verdict.conflict;
      }
      if (count === tailSamples || delta > deltaMaxMs) {
        this.#runs.flush(page, i);
        count = 0;
        delta = 0;
      }
    }
    if (count === 0) page.tailBaseMs[i] = timeMs;
    if (timeMs > (cells[cellsAt + Cell.newestMs] as number)) cells[cellsAt + Cell.newestMs] = timeMs;
    if (timeMs < (cells[cellsAt + Cell.oldestMs] as number)) cells[cellsAt + Cell.oldestMs] = timeMs;
    const at = start + count;
    page.tailDeltas[at] = delta;
    page.tailWords[at * 2] = words[index * 2] as number;
    page.tailWords[at * 2 + 1] = words[index * 2 + 1] as number;
    page.tailCount[i] = count + 1;
    cells[cellsAt + Cell.samples] = (cells[cellsAt + Cell.samples] as number) + 1;
    return Verdict.ok;
  }

  /** As `append`, but a sample that is not the newest is kept, too, unless there is one at its time. */
  appendOutOfOrder(ref: number, timeMs: number, values: Float64Array, index: number): Verdict {
    const verdict = this.append(ref, timeMs, values, index);
    if (verdict !== Verdict.outOfOrder) return verdict;
    const slot = this.#series.slotOf(ref);
    const page = this.#series.page(slot);
    const words = this.#words;
    const column = this.#column;
    column.count = 0;
    this.#runs.read(page, slot & pageMask, timeMs, timeMs, column);
    if (column.count > 0) {
      const same = column.words[0] === words[index * 2] && column.words[1] === words[index * 2 + 1];
      return same ? Verdict.duplicate : Verdict.conflict;
    }
    let aside = this.#outOfOrder.get(slot);
    const place = aside?.place(timeMs) ?? 0;
    if (aside?.holds(place, timeMs))
      return aside.equals(place, words, index * 2) ? Verdict.duplicate : Verdict.conflict;
    if (this.#outOfOrderCount >= this.#options.outOfOrderSamplesMax) return Verdict.limited;
    if (aside === undefined) {
      aside = new OutOfOrderSamples();
      this.#outOfOrder.set(slot, aside);
    }
    aside.insert(place, timeMs, words, index * 2);
    this.#outOfOrderCount++;
    this.#countSamples(page.shard[slot & pageMask] as number, 1);
    return Verdict.ok;
  }

  /** A new label set; undefined when the series is gone. */
  labelsOf(ref: number): Labels | undefined {
    const slot = this.#series.slotOf(ref);
    return slot < 0 ? undefined : this.#reader.labels(slot);
  }

  /** Series with samples in `[fromMs, toMs]`, sorted by labels. */
  select(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesColumns[] {
    return this.#reader.select(shard, matchers, fromMs, toMs);
  }

  /** Labels of the series with samples in `[fromMs, toMs]`, sorted. */
  labelSets(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): Labels[] {
    return this.#reader.labelSets(shard, matchers, fromMs, toMs);
  }

  /** Sorted. */
  labelNames(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    return this.#reader.labelNames(shard, matchers, fromMs, toMs);
  }

  /** Sorted. */
  labelValues(
    shard: number,
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): string[] {
    return this.#reader.labelValues(shard, name, matchers, fromMs, toMs);
  }

  /**
   * Series with samples in `[fromMs, toMs)`, by metric name, then by labels: for sealing. Appending and dropping may go
   * on between steps; the iteration shows the series that there were at its first step, as they are at theirs.
   */
  window(shard: number, fromMs: number, toMs: number): Generator<WindowSeries> {
    return this.#reader.window(shard, fromMs, toMs);
  }

  /** Forgets the shard's samples older than `timeMs`, and series that then have none. Returns how many samples. */
  dropBefore(shard: number, timeMs: number): number {
    const { slots, from, to } = this.#reader.shardRange(shard);
    const gone: number[] = [];
    let dropped = 0;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      const page = this.#series.page(slot);
      const aside = this.#outOfOrder.get(slot);
      if (aside !== undefined) dropped += this.#dropAside(slot, aside, timeMs);
      dropped += this.#runs.dropBefore(page, slot & pageMask, timeMs);
      if (page.tailCount[slot & pageMask] === 0) gone.push(slot);
    }
    this.#countSamples(shard, -dropped);
    if (gone.length > 0) this.#collect(shard, gone);
    this.#runs.trim();
    return dropped;
  }

  /** Forgets a shard whole. */
  dropShard(shard: number): void {
    this.dropBefore(shard, Number.POSITIVE_INFINITY);
  }

  /** Takes time in proportion to the shard's series. */
  stats(shard: number): HeadStats {
    const series = this.#shards.get(shard)?.count ?? 0;
    return { series, samples: this.#table.get(shard, Cell.samples), ...this.#reader.timeRange(shard) };
  }

  memory(): HeadMemory {
    const { heldBytes, liveBytes } = this.#runs.memory;
    let shardLists = 0;
    for (const list of this.#shards.values()) shardLists += list.heldBytes;
    return {
      series: this.#series.heldBytes + shardLists,
      pairs: this.#pairs.heldBytes,
      postings: this.#postings.heldBytes,
      symbols: this.#options.symbols.bytes,
      runsHeld: heldBytes,
      runsLive: liveBytes,
    };
  }

  /** Views the bits of another column; once per column, not per sample. */
  #lookAt(values: Float64Array): void {
    this.#values = values as Float64Array<ArrayBuffer>;
    this.#words = new Uint32Array(values.buffer as ArrayBuffer, values.byteOffset, values.length * 2);
  }

  #countSamples(shard: number, more: number): void {
    this.#table.add(shard, Cell.samples, more);
  }

  #find(shard: number, labels: Labels): number {
    const { flat } = labels;
    const count = flat.length / 2;
    if (count > labelsPerSeriesMax) return -1;
    for (let k = 0; k < count; k++) {
      const pair = this.#pairs.find(flat[k * 2] as string, flat[k * 2 + 1] as string);
      if (pair < 0) return -1;
      this.#labelRun[k] = pair;
    }
    return this.#series.find(shard, this.#labelRun, count);
  }

  #create(shard: number, labels: Labels): number {
    const { flat } = labels;
    const count = flat.length / 2;
    const list = this.#shards.get(shard) ?? new SlotList();
    if (count > labelsPerSeriesMax || list.count >= this.#options.seriesPerShardMax) return -1;
    let acquired = 0;
    while (acquired < count) {
      const pair = this.#pairs.acquire(flat[acquired * 2] as string, flat[acquired * 2 + 1] as string);
      if (pair < 0) break;
      this.#labelRun[acquired++] = pair;
    }
    const slot = acquired < count ? -1 : this.#series.add(shard, this.#labelRun, count);
    if (slot < 0) {
      for (let k = 0; k < acquired; k++) this.#pairs.release(this.#labelRun[k] as number);
      return -1;
    }
    for (let k = 0; k < count; k++) {
      const pair = this.#labelRun[k] as number;
      this.#postings.add(pair, slot, this.#pairs.uses(pair));
    }
    list.add(slot);
    this.#shards.set(shard, list);
    this.#table.open(shard);
    return this.#series.refOf(slot);
  }

  #dropAside(slot: number, aside: OutOfOrderSamples, timeMs: number): number {
    const dropped = aside.dropBefore(timeMs);
    this.#outOfOrderCount -= dropped;
    if (aside.count === 0) this.#outOfOrder.delete(slot);
    return dropped;
  }

  /** Takes out series without samples; every posting list that loses some is passed over once. */
  #collect(shard: number, gone: readonly number[]): void {
    const touched = new Set<number>();
    for (const slot of gone) {
      const page = this.#series.page(slot);
      const count = page.labelCount[slot & pageMask] as number;
      const address = page.labelsAt[slot & pageMask] as number;
      for (let k = 0; k < count; k++) {
        const pair = this.#series.labelRuns.page(address)[offsetOf(address) + k] as number;
        if (this.#pairs.release(pair)) {
          this.#postings.drop(pair);
          touched.delete(pair);
        } else touched.add(pair);
      }
      this.#series.remove(slot);
    }
    const isGone = (slot: number): boolean => this.#series.page(slot).live[slot & pageMask] === 0;
    for (const pair of touched) this.#postings.remove(pair, shard, isGone);
    const list = this.#shards.get(shard);
    list?.remove(0, Number.POSITIVE_INFINITY, this.#series.keyOf, isGone);
    if (list?.count === 0) this.#shards.delete(shard);
  }
}
