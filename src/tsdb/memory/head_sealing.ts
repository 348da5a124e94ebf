/**
 * How samples leave the head: a cut sets apart what is older than a floor, its windows are read for sealing in an order
 * and in steps, and then it is dropped, series that have nothing else with it. Between steps appending, reading and
 * deleting go on. Retention drops in the same steps without a cut.
 */
import { assert } from '../../base/index.ts';
import type { SealSeries } from '../window/window_writer.ts';
import { HeadCut } from './head_cut.ts';
import type { HeadIndex } from './head_index.ts';
import { type HeadSamples, Late } from './head_samples.ts';
import { SampleColumn } from './sample_column.ts';
import { sortMetricFirst } from './series_order.ts';
import { pageMask } from './series_page.ts';
import { Cell, type ShardState } from './shard_table.ts';

/** Series that a step of dropping works on, and that a step of reading passes over. */
const dropPerStep = 256;
const passPerStep = 1024;

export class HeadSealing {
  readonly #index: HeadIndex;
  readonly #samples: HeadSamples;

  constructor(index: HeadIndex, samples: HeadSamples) {
    this.#index = index;
    this.#samples = samples;
  }

  /** Sets apart what is older than `floorMs`, or than the floor if that is higher, with what an earlier cut left. */
  cut(shard: number, floorMs: number): HeadCut {
    const { table } = this.#index;
    const state = table.open(shard);
    table.raiseFloor(shard, floorMs);
    this.#samples.freeze(shard, table.get(shard, Cell.floorMs));
    state.cut = new HeadCut(shard, table.get(shard, Cell.floorMs), state);
    return state.cut;
  }

  /**
   * The cut's samples in `[startMs, endMs)` that were written under an epoch, series by metric name, then by labels.
   * The columns are lent until the next step. `undefined` is a chance to pause.
   */
  *window(
    cut: HeadCut,
    startMs: number,
    endMs: number,
    epoch: number,
  ): Generator<SealSeries | undefined, void> {
    const sorted = cut.sorted ?? (yield* this.#sort(cut));
    cut.sorted = sorted;
    const toMs = Math.min(endMs, cut.floorMs) - 1;
    const column = new SampleColumn();
    let passed = 0;
    for (const ref of sorted) {
      if (++passed % passPerStep === 0) yield undefined;
      const slot = this.#index.series.slotOf(ref);
      if (slot < 0) continue;
      this.#samples.readEpoch(slot, startMs, toMs, Late.frozen, epoch, column);
      if (column.count === 0) continue;
      const { times, values, count } = column;
      const histograms = column.takeHistograms();
      const startTimes = this.#samples.startTimes(slot, column);
      yield { labels: this.#index.labels(slot), times, values, count, histograms, startTimes };
    }
  }

  /** Forgets a cut, which must be the shard's last. Each step gives the log numbers of series that went with it. */
  *drop(cut: HeadCut): Generator<number[], void> {
    const state = this.#index.table.open(cut.shard);
    assert(state.cut === cut, 'the cut that is dropped is the shard’s last');
    yield* this.#dropOlder(cut.shard, state, cut.floorMs, Late.frozen);
    if (state.cut === cut) state.cut = undefined;
    yield* this.#sweep(cut.shard);
  }

  /** Forgets all samples older than `timeMs`, and raises the floor to it. */
  *dropBefore(shard: number, timeMs: number): Generator<number[], void> {
    const state = this.#index.table.find(shard);
    this.#samples.raiseFloor(shard, timeMs);
    if (state === undefined) return;
    yield* this.#dropOlder(shard, state, timeMs, Late.both);
    yield* this.#sweep(shard);
  }

  /** Takes out the series without samples; their log numbers. */
  collectEmpty(shard: number): number[] {
    const gone: number[] = [];
    const state = this.#index.table.find(shard);
    if (state === undefined) return gone;
    for (const slot of state.slots.copy())
      if (this.#isOf(slot, shard) && this.#samples.isEmpty(slot)) this.#remove(slot, gone);
    for (const _ of this.#sweep(shard));
    return gone;
  }

  /** Looks at every series for the shard's oldest and newest sample if those may have gone. */
  refreshTimes(shard: number): void {
    const { table, series } = this.#index;
    const state = table.find(shard);
    if (state?.timesAreStale !== true) return;
    const floorMs = table.get(shard, Cell.floorMs);
    let oldestMs = Number.POSITIVE_INFINITY;
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const slot of state.slots.copy()) {
      if (!this.#isOf(slot, shard)) continue;
      oldestMs = Math.min(oldestMs, this.#samples.oldestFrom(slot, floorMs));
      newestMs = Math.max(newestMs, series.page(slot).newestMs(slot & pageMask));
    }
    table.set(shard, Cell.oldestMs, oldestMs);
    table.set(shard, Cell.newestMs, newestMs >= floorMs ? newestMs : Number.NEGATIVE_INFINITY);
    state.timesAreStale = false;
    state.newestIsStale = false;
  }

  /** Of late samples, and of series that are in a cut which is not dropped yet; walks the series while there is one. */
  timesBelowFloor(shard: number): { minTimeMs: number; maxTimeMs: number } {
    let minTimeMs = Number.POSITIVE_INFINITY;
    let maxTimeMs = Number.NEGATIVE_INFINITY;
    const state = this.#index.table.find(shard);
    if (state === undefined) return { minTimeMs, maxTimeMs };
    for (const samples of [...state.late.values(), ...state.frozen.values()]) {
      minTimeMs = Math.min(minTimeMs, samples.oldestMs);
      maxTimeMs = Math.max(maxTimeMs, samples.newestMs);
    }
    for (const slot of state.cut === undefined ? [] : state.slots.copy()) {
      if (!this.#isOf(slot, shard)) continue;
      const page = this.#index.series.page(slot);
      minTimeMs = Math.min(minTimeMs, this.#samples.runs.oldestMs(page, slot & pageMask));
      maxTimeMs = Math.max(maxTimeMs, page.newestMs(slot & pageMask));
    }
    return { minTimeMs, maxTimeMs };
  }

  *#sort(cut: HeadCut): Generator<undefined, Uint32Array> {
    const { table, series } = this.#index;
    const slots = table.open(cut.shard).slots.copy();
    const { frozen } = table.open(cut.shard);
    const refs = new Uint32Array(slots.length);
    let count = 0;
    for (const [k, slot] of slots.entries()) {
      if (k % passPerStep === passPerStep - 1) yield undefined;
      if (!this.#isOf(slot, cut.shard)) continue;
      const { runs } = this.#samples;
      const isOld = runs.oldestMs(series.page(slot), slot & pageMask) < cut.floorMs;
      if (isOld || frozen.has(slot)) refs[count++] = series.refOf(slot);
    }
    return yield* sortMetricFirst(this.#index, cut.shard, refs.subarray(0, count));
  }

  *#dropOlder(
    shard: number,
    state: ShardState,
    timeMs: number,
    late: (typeof Late)[keyof typeof Late],
  ): Generator<number[], void> {
    const { table } = this.#index;
    const floorMs = table.get(shard, Cell.floorMs);
    let oldestMs = Number.POSITIVE_INFINITY;
    let gone: number[] = [];
    for (const [k, slot] of state.slots.copy().entries()) {
      if (k % dropPerStep === dropPerStep - 1) {
        yield gone;
        gone = [];
        // The shard may have been dropped and opened anew.
        if (table.find(shard) !== state) return;
      }
      if (!this.#isOf(slot, shard)) continue;
      this.#samples.dropBefore(slot, timeMs, late);
      if (this.#samples.isEmpty(slot)) this.#remove(slot, gone);
      else oldestMs = Math.min(oldestMs, this.#samples.oldestFrom(slot, floorMs));
    }
    table.forgetWindows(shard, timeMs);
    table.noteOldest(shard, floorMs, oldestMs);
    yield gone;
  }

  *#sweep(shard: number): Generator<number[], void> {
    for (const _ of this.#index.sweep(shard)) yield [];
    for (const _ of this.#samples.runs.trim()) yield [];
  }

  #isOf(slot: number, shard: number): boolean {
    const { series } = this.#index;
    return series.isLive(slot) && series.page(slot).shard[slot & pageMask] === shard;
  }

  #remove(slot: number, gone: number[]): void {
    const id = this.#index.series.page(slot).id[slot & pageMask] as number;
    this.#samples.forget(slot);
    this.#index.remove(slot);
    if (id !== 0) gone.push(id);
  }
}
