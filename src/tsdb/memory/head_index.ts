/**
 * Which series the head holds and how they are found: the table of series, label pairs, postings, and each shard's list.
 *
 * A series leaves in two steps. `remove` makes it invisible at once and costs the same for every series; `sweep` later
 * passes once over each posting list that loses some, in steps that a caller can pace, and gives the slots back.
 */
import { Labels, type Matcher, type SymbolTable } from '../../model/index.ts';
import { labelsPerSeriesMax, offsetOf } from './label_runs.ts';
import { PairTable } from './pair_table.ts';
import { Postings, type SlotRange } from './postings.ts';
import { matchSeries } from './series_match.ts';
import { pageMask } from './series_page.ts';
import { SeriesTable } from './series_table.ts';
import { type ShardState, ShardTable } from './shard_table.ts';

const noSlots = new Uint32Array(0);
const noSeries: SlotRange = { slots: noSlots, from: 0, to: 0 };

/** A series' labels: the pairs `run[at, at + count)`. */
export interface LabelRun {
  readonly run: Uint32Array;
  readonly at: number;
  readonly count: number;
}

export class HeadIndex {
  readonly series: SeriesTable;
  readonly pairs: PairTable;
  readonly postings: Postings;
  readonly table: ShardTable;
  readonly #seriesPerShardMax: number;
  readonly #labelRun = new Uint32Array(labelsPerSeriesMax);

  constructor(symbols: SymbolTable, hashSeed: number, seriesPerShardMax: number, windowMs: number) {
    this.series = new SeriesTable(hashSeed);
    this.pairs = new PairTable(symbols, hashSeed);
    this.postings = new Postings(this.series.keyOf, (slot) => this.series.isLive(slot));
    this.table = new ShardTable(windowMs);
    this.#seriesPerShardMax = seriesPerShardMax;
  }

  /** The slot of a series that is there, or -1. */
  find(shard: number, labels: Labels): number {
    const { flat } = labels;
    const count = flat.length / 2;
    if (count > labelsPerSeriesMax) return -1;
    for (let k = 0; k < count; k++) {
      const pair = this.pairs.find(flat[k * 2] as string, flat[k * 2 + 1] as string);
      if (pair < 0) return -1;
      this.#labelRun[k] = pair;
    }
    return this.series.find(shard, this.#labelRun, count);
  }

  /** The slot of a series that was not there; -1 when a limit forbids it. */
  create(shard: number, labels: Labels): number {
    const { flat } = labels;
    const count = flat.length / 2;
    if (count > labelsPerSeriesMax || this.seriesCount(shard) >= this.#seriesPerShardMax) return -1;
    let acquired = 0;
    while (acquired < count) {
      const pair = this.pairs.acquire(flat[acquired * 2] as string, flat[acquired * 2 + 1] as string);
      if (pair < 0) break;
      this.#labelRun[acquired++] = pair;
    }
    const slot = acquired < count ? -1 : this.series.add(shard, this.#labelRun, count);
    if (slot < 0) {
      for (let k = 0; k < acquired; k++) this.pairs.release(this.#labelRun[k] as number);
      return -1;
    }
    for (let k = 0; k < count; k++) {
      const pair = this.#labelRun[k] as number;
      this.postings.add(pair, slot, this.pairs.uses(pair));
    }
    const state = this.table.open(shard);
    state.slots.add(slot, this.series.keyOf);
    state.changes++;
    return slot;
  }

  seriesCount(shard: number): number {
    const state = this.table.find(shard);
    return state === undefined ? 0 : state.slots.count - state.goneCount;
  }

  /** All slots of a shard, those taken out too; a view, valid until series come or go. */
  all(shard: number): SlotRange {
    const state = this.table.find(shard);
    return state?.slots.range(0, Number.POSITIVE_INFINITY, this.series.keyOf) ?? noSeries;
  }

  /** References of a shard's series, ordered by slot. */
  refs(shard: number): Uint32Array {
    const { slots, from, to } = this.all(shard);
    const refs = new Uint32Array(to - from);
    let count = 0;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      if (this.series.isLive(slot)) refs[count++] = this.series.refOf(slot);
    }
    return refs.subarray(0, count);
  }

  /** Slots of a shard's series that pass all matchers, in no order. */
  match(shard: number, matchers: readonly Matcher[]): number[] {
    return matchSeries(this, shard, this.all(shard), matchers);
  }

  labels(slot: number): Labels {
    const { run, at, count } = this.labelRun(slot);
    const flat: string[] = [];
    for (let k = at; k < at + count; k++)
      flat.push(this.pairs.name(run[k] as number), this.pairs.value(run[k] as number));
    return Labels.fromSortedFlat(flat);
  }

  labelRun(slot: number): LabelRun {
    const page = this.series.page(slot);
    const i = slot & pageMask;
    const count = page.labelCount[i] as number;
    if (count === 0) return { run: noSlots, at: 0, count };
    const address = page.labelsAt[i] as number;
    return { run: this.series.labelRuns.page(address), at: offsetOf(address), count };
  }

  /** The series' pair of that name, or -1. */
  pairOf(slot: number, name: string): number {
    const symbol = this.pairs.symbols.find(name);
    const { run, at, count } = this.labelRun(slot);
    for (let k = at; k < at + count; k++)
      if (this.pairs.nameSymbol(run[k] as number) === symbol) return run[k] as number;
    return -1;
  }

  /** Takes a series out, whose samples are gone; `sweep` does the rest. */
  remove(slot: number): void {
    const state = this.table.open(this.series.page(slot).shard[slot & pageMask] as number);
    this.series.remove(slot);
    state.gone.push(slot);
    state.goneCount++;
    state.changes++;
  }

  /** Clears the index of a shard's series that were taken out. What one leaves undone is taken over by the next. */
  *sweep(shard: number): Generator<void> {
    const state = this.table.find(shard);
    if (state === undefined || state.goneCount === 0) return;
    const gone = state.sweeping.splice(0).concat(state.gone.splice(0));
    state.sweeping = gone;
    yield* this.#unlist(shard, state, gone);
  }

  *#unlist(shard: number, state: ShardState, gone: number[]): Generator<void> {
    state.generation++;
    const touched = new Set<number>();
    for (const [k, slot] of gone.entries()) {
      const { run, at, count } = this.labelRun(slot);
      for (let j = at; j < at + count; j++) touched.add(run[j] as number);
      if (k % seriesPerStep === seriesPerStep - 1) yield;
    }
    const isGone = (slot: number): boolean => !this.series.isLive(slot);
    let passed = 0;
    for (const pair of touched) {
      passed += 1 + this.postings.remove(pair, shard, isGone);
      if (passed < postingsPerStep) continue;
      passed = 0;
      yield;
    }
    state.slots.remove(0, Number.POSITIVE_INFINITY, this.series.keyOf, isGone);
    while (gone.length > 0) {
      const slot = gone.pop() as number;
      this.#free(slot);
      state.goneCount--;
      if (gone.length % seriesPerStep === 0) yield;
    }
  }

  /** Gives back a slot that stands in no list any more. */
  #free(slot: number): void {
    const { run, at, count } = this.labelRun(slot);
    for (let j = at; j < at + count; j++) {
      const pair = run[j] as number;
      if (this.pairs.release(pair)) this.postings.drop(pair);
    }
    this.series.free(slot);
  }
}

/** Series looked at, and entries of lists passed over, between two pauses. */
const seriesPerStep = 1024;
const postingsPerStep = 16_384;
