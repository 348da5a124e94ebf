/**
 * The samples of every series: those that came in order in tails and runs (sample_runs.ts), and beside them what few
 * series have: histograms, changes of epoch, start times, late samples. A bit in the series' page says which, so that a
 * plain series costs one look.
 */
import type { FloatHistogram } from '../../model/index.ts';
import { HistogramSamples } from './histogram_samples.ts';
import { LateSamples } from './late_samples.ts';
import { SampleColumn } from './sample_column.ts';
import { SampleRuns } from './sample_runs.ts';
import { pageMask, SeriesExtra, type SeriesPage } from './series_page.ts';
import type { SeriesTable } from './series_table.ts';
import { Cell, type ShardState, type ShardTable } from './shard_table.ts';
import { StepRuns } from './step_runs.ts';

/** Which late samples a reader wants. */
export const Late = { fresh: 1, frozen: 2, both: 3 } as const;
export type Late = (typeof Late)[keyof typeof Late];

export class HeadSamples {
  readonly runs: SampleRuns = new SampleRuns();
  readonly #series: SeriesTable;
  readonly #table: ShardTable;
  readonly #histograms = new Map<number, HistogramSamples>();
  readonly #epochs = new Map<number, StepRuns>();
  readonly #starts = new Map<number, StepRuns>();
  readonly #work = new SampleColumn();
  /** Late samples of all shards. */
  #lateCount = 0;

  constructor(series: SeriesTable, table: ShardTable) {
    this.#series = series;
    this.#table = table;
  }

  /** Whether any series has start times. */
  get hasStartTimes(): boolean {
    return this.#starts.size > 0;
  }

  get lateCount(): number {
    return this.#lateCount;
  }

  /** Replaces what `into` holds by the series' samples in the range, for each time the one that stands. */
  read(slot: number, fromMs: number, toMs: number, into: SampleColumn): void {
    into.clear();
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    this.runs.read(page, i, fromMs, toMs, into);
    const extras = page.extras[i] as number;
    if (extras === 0) return;
    if ((extras & SeriesExtra.histograms) !== 0) this.#histograms.get(slot)?.readInto(into);
    if ((extras & SeriesExtra.late) === 0) return;
    if (this.#readLate(slot, page, i, fromMs, toMs, Late.both, into)) into.keepHighest();
  }

  /** As `read`, but all samples, ascending by time and epoch, with their epochs; of the late ones those asked for. */
  readAll(slot: number, fromMs: number, toMs: number, late: Late, into: SampleColumn): void {
    into.clear();
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    this.runs.read(page, i, fromMs, toMs, into);
    const extras = page.extras[i] as number;
    if ((extras & SeriesExtra.histograms) !== 0) this.#histograms.get(slot)?.readInto(into);
    const isSorted =
      (extras & SeriesExtra.late) !== 0 && this.#readLate(slot, page, i, fromMs, toMs, late, into);
    if (!isSorted) this.#fillEpochs(slot, page, i, into);
  }

  /** As `readAll`, but only what was written under an epoch. */
  readEpoch(slot: number, fromMs: number, toMs: number, late: Late, epoch: number, into: SampleColumn): void {
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    const hasOne = ((page.extras[i] as number) & (SeriesExtra.late | SeriesExtra.epochs)) === 0;
    if (hasOne && page.epoch[i] !== epoch) {
      into.clear();
      return;
    }
    this.readAll(slot, fromMs, toMs, late, into);
    if (!hasOne) into.keepEpoch(epoch);
  }

  /** The start times of the samples in a column that was read of the series; undefined when none is known. */
  startTimes(slot: number, column: SampleColumn): Float64Array<ArrayBuffer> | undefined {
    if ((this.#extras(slot) & SeriesExtra.startTimes) === 0) return undefined;
    const starts = new Float64Array(column.count);
    this.#starts.get(slot)?.fill(column.times, column.count, starts);
    return starts.some((start) => start !== 0) ? starts : undefined;
  }

  /** Whether there is any sample in the range, both ends included. */
  hasSampleIn(slot: number, fromMs: number, toMs: number): boolean {
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    if (this.runs.hasSampleIn(page, i, fromMs, toMs)) return true;
    if (((page.extras[i] as number) & SeriesExtra.late) === 0) return false;
    const state = this.#state(page, i);
    return (
      state.late.get(slot)?.hasSampleIn(fromMs, toMs) === true ||
      state.frozen.get(slot)?.hasSampleIn(fromMs, toMs) === true
    );
  }

  isEmpty(slot: number): boolean {
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    return page.tailCount[i] === 0 && ((page.extras[i] as number) & SeriesExtra.late) === 0;
  }

  /**
   * Replaces what `into` holds by the sample that stands at a time, with its epoch, or by nothing.
   */
  standing(slot: number, timeMs: number, into: SampleColumn): void {
    this.readAll(slot, timeMs, timeMs, Late.both, into);
    into.keepHighest();
  }

  /** Notes that the sample to be appended at `timeMs` has another epoch than the newest one. */
  changeEpoch(slot: number, timeMs: number, epoch: number): void {
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    const before = page.epoch[i] as number;
    page.epoch[i] = epoch;
    if (page.tailCount[i] === 0) return;
    let steps = this.#epochs.get(slot);
    if (steps === undefined) {
      steps = new StepRuns();
      this.#epochs.set(slot, steps);
      steps.set(Number.NEGATIVE_INFINITY, before);
      this.#mark(slot, SeriesExtra.epochs);
    }
    steps.set(timeMs, epoch);
  }

  /** Keeps the histogram of a sample that was just appended in order. */
  addHistogram(slot: number, timeMs: number, histogram: FloatHistogram): void {
    let histograms = this.#histograms.get(slot);
    if (histograms === undefined) {
      histograms = new HistogramSamples();
      this.#histograms.set(slot, histograms);
      this.#mark(slot, SeriesExtra.histograms);
    }
    histograms.append(timeMs, histogram);
  }

  /** Keeps a late sample, or one that takes the place of another of a lower epoch. */
  addLate(
    slot: number,
    timeMs: number,
    epoch: number,
    words: Uint32Array,
    at: number,
    histogram: FloatHistogram | null,
  ): void {
    const page = this.#series.page(slot);
    const shard = page.shard[slot & pageMask] as number;
    const { late } = this.#table.open(shard);
    let samples = late.get(slot);
    if (samples === undefined) {
      samples = new LateSamples();
      late.set(slot, samples);
      this.#mark(slot, SeriesExtra.late);
    }
    samples.insert(timeMs, epoch, words, at, histogram);
    this.#countLate(shard, 1);
    if (timeMs < this.#table.get(shard, Cell.floorMs)) this.#table.add(shard, Cell.late, 1);
    else if (timeMs < this.#table.get(shard, Cell.oldestMs)) this.#table.set(shard, Cell.oldestMs, timeMs);
  }

  /** The start time of the sample at `timeMs`, and of newer ones until another is set if it is the newest. */
  setStartTime(slot: number, timeMs: number, startMs: number): void {
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    if (((page.extras[i] as number) & SeriesExtra.startTimes) === 0) {
      if (startMs === 0) return;
      this.#starts.set(slot, new StepRuns());
      this.#mark(slot, SeriesExtra.startTimes);
    }
    const starts = this.#starts.get(slot);
    const floorMs = this.#table.get(page.shard[i] as number, Cell.floorMs);
    // Behind a sample that is not the newest in order there may be others.
    if (timeMs === page.newestMs(i) && timeMs >= floorMs) starts?.set(timeMs, startMs);
    else starts?.setPoint(timeMs, startMs);
  }

  /** Forgets in-order samples older than `floorMs`, and late ones where asked for; returns how many. */
  dropBefore(slot: number, floorMs: number, late: Late | 0): number {
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    let dropped = this.runs.dropBefore(page, i, floorMs);
    this.#table.add(page.shard[i] as number, Cell.samples, -dropped);
    if (page.extras[i] === 0) return dropped;
    const state = this.#state(page, i);
    if ((late & Late.frozen) !== 0)
      dropped += this.#deleteLate(slot, state.frozen, Number.NEGATIVE_INFINITY, floorMs - 1);
    if ((late & Late.fresh) !== 0)
      dropped += this.#deleteLate(slot, state.late, Number.NEGATIVE_INFINITY, floorMs - 1);
    this.#dropExtras(slot, page, i, floorMs);
    return dropped;
  }

  /** Forgets the samples in the range, both ends included; returns how many. */
  delete(slot: number, fromMs: number, toMs: number): number {
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    const state = this.#state(page, i);
    let deleted = 0;
    if (((page.extras[i] as number) & SeriesExtra.late) !== 0) {
      deleted += this.#deleteLate(slot, state.late, fromMs, toMs);
      deleted += this.#deleteLate(slot, state.frozen, fromMs, toMs);
    }
    const oldestMs = this.runs.oldestMs(page, i);
    if (oldestMs > toMs || page.newestMs(i) < fromMs) return deleted;
    if (oldestMs >= fromMs && page.newestMs(i) <= toMs) deleted += this.#clearInOrder(slot, page, i);
    else deleted += this.#cutOut(slot, page, i, fromMs, toMs);
    this.#straighten(slot, page, i, state);
    return deleted;
  }

  /** Forgets what is kept beside the page of a series without samples. */
  forget(slot: number): void {
    this.#histograms.delete(slot);
    this.#epochs.delete(slot);
    this.#starts.delete(slot);
    this.#series.page(slot).extras[slot & pageMask] = 0;
  }

  /** Never lowers it. */
  raiseFloor(shard: number, floorMs: number): void {
    this.#table.raiseFloor(shard, floorMs);
    const state = this.#table.find(shard);
    if (state !== undefined) this.#recountLate(shard, state);
  }

  /** Sets late samples older than `floorMs` aside for sealing, with those of an earlier cut. */
  freeze(shard: number, floorMs: number): void {
    const state = this.#table.find(shard);
    if (state === undefined) return;
    for (const [slot, samples] of state.late) {
      const older = samples.split(floorMs);
      if (older === undefined) continue;
      if (samples.count === 0) state.late.delete(slot);
      const frozen = state.frozen.get(slot);
      if (frozen === undefined) state.frozen.set(slot, older);
      else frozen.join(older);
    }
    this.#recountLate(shard, state);
  }

  /** Time of the oldest sample from `floorMs` on; Infinity when there is none. */
  oldestFrom(slot: number, floorMs: number): number {
    const page = this.#series.page(slot);
    const i = slot & pageMask;
    let oldestMs = this.runs.oldestMs(page, i);
    if (oldestMs < floorMs) {
      this.#work.clear();
      if (page.newestMs(i) >= floorMs) this.runs.read(page, i, floorMs, Number.POSITIVE_INFINITY, this.#work);
      oldestMs = this.#work.count === 0 ? Number.POSITIVE_INFINITY : (this.#work.times[0] as number);
    }
    if (((page.extras[i] as number) & SeriesExtra.late) === 0) return oldestMs;
    const late = this.#state(page, i).late.get(slot);
    return Math.min(oldestMs, late?.firstFrom(floorMs) ?? Number.POSITIVE_INFINITY);
  }

  #recountLate(shard: number, { late, frozen }: ShardState): void {
    const floorMs = this.#table.get(shard, Cell.floorMs);
    let count = 0;
    for (const samples of frozen.values()) count += samples.count;
    for (const samples of late.values()) count += samples.countBefore(floorMs);
    this.#table.set(shard, Cell.late, count);
  }

  #extras(slot: number): number {
    return this.#series.page(slot).extras[slot & pageMask] as number;
  }

  #mark(slot: number, extra: number): void {
    const page = this.#series.page(slot);
    page.extras[slot & pageMask] = (page.extras[slot & pageMask] as number) | extra;
  }

  #state(page: SeriesPage, i: number): ShardState {
    return this.#table.open(page.shard[i] as number);
  }

  #countLate(shard: number, more: number): void {
    this.#lateCount += more;
    this.#table.add(shard, Cell.samples, more);
  }

  #fillEpochs(slot: number, page: SeriesPage, i: number, into: SampleColumn): void {
    const steps =
      ((page.extras[i] as number) & SeriesExtra.epochs) === 0 ? undefined : this.#epochs.get(slot);
    if (steps === undefined) into.epochs.fill(page.epoch[i] as number, 0, into.count);
    else steps.fill(into.times, into.count, into.epochs);
  }

  /** Merges late samples into a column of those in order and fills its epochs; false when there are none. */
  #readLate(
    slot: number,
    page: SeriesPage,
    i: number,
    fromMs: number,
    toMs: number,
    late: Late,
    into: SampleColumn,
  ): boolean {
    const state = this.#state(page, i);
    const inOrder = into.count;
    if ((late & Late.frozen) !== 0) state.frozen.get(slot)?.readInto(into, fromMs, toMs);
    if ((late & Late.fresh) !== 0) state.late.get(slot)?.readInto(into, fromMs, toMs);
    if (into.count === inOrder) return false;
    const all = into.count;
    into.count = inOrder;
    this.#fillEpochs(slot, page, i, into);
    into.count = all;
    into.sort();
    return true;
  }

  #deleteLate(slot: number, from: Map<number, LateSamples>, fromMs: number, toMs: number): number {
    const samples = from.get(slot);
    if (samples === undefined) return 0;
    const page = this.#series.page(slot);
    const shard = page.shard[slot & pageMask] as number;
    const floorMs = this.#table.get(shard, Cell.floorMs);
    const below = samples.countBefore(floorMs);
    const deleted = samples.delete(fromMs, toMs);
    this.#table.add(shard, Cell.late, samples.countBefore(floorMs) - below);
    this.#countLate(shard, -deleted);
    if (samples.count === 0) from.delete(slot);
    const state = this.#state(page, slot & pageMask);
    if (!state.late.has(slot) && !state.frozen.has(slot))
      page.extras[slot & pageMask] = (page.extras[slot & pageMask] as number) & ~SeriesExtra.late;
    return deleted;
  }

  #dropExtras(slot: number, page: SeriesPage, i: number, floorMs: number): void {
    const histograms = this.#histograms.get(slot);
    histograms?.dropBefore(floorMs);
    if (histograms?.count === 0) {
      this.#histograms.delete(slot);
      page.extras[i] = (page.extras[i] as number) & ~SeriesExtra.histograms;
    }
    const epochs = this.#epochs.get(slot);
    epochs?.dropBefore(floorMs);
    if (epochs?.isConstantFrom(floorMs) === true || page.tailCount[i] === 0) {
      this.#epochs.delete(slot);
      page.extras[i] = (page.extras[i] as number) & ~SeriesExtra.epochs;
    }
    const state = this.#state(page, i);
    const lateMs = Math.min(
      state.late.get(slot)?.oldestMs ?? floorMs,
      state.frozen.get(slot)?.oldestMs ?? floorMs,
    );
    this.#starts.get(slot)?.dropBefore(Math.min(floorMs, lateMs));
  }

  #clearInOrder(slot: number, page: SeriesPage, i: number): number {
    const count = this.runs.clear(page, i);
    this.#table.add(page.shard[i] as number, Cell.samples, -count);
    this.#histograms.delete(slot);
    this.#epochs.delete(slot);
    page.extras[i] = (page.extras[i] as number) & ~(SeriesExtra.histograms | SeriesExtra.epochs);
    return count;
  }

  /** Writes the in-order samples anew without those in the range. */
  #cutOut(slot: number, page: SeriesPage, i: number, fromMs: number, toMs: number): number {
    const column = new SampleColumn();
    this.#readInOrder(slot, page, i, column);
    const before = this.#clearInOrder(slot, page, i);
    let kept = 0;
    for (let k = 0; k < column.count; k++) {
      const timeMs = column.times[k] as number;
      if (timeMs >= fromMs && timeMs <= toMs) continue;
      this.#append(slot, page, i, column, k);
      kept++;
    }
    return before - kept;
  }

  /** Late samples that are newer than what a deletion left in order are in order now. */
  #straighten(slot: number, page: SeriesPage, i: number, state: ShardState): void {
    const late = state.late.get(slot);
    const floorMs = this.#table.get(page.shard[i] as number, Cell.floorMs);
    const fromMs = Math.max(floorMs, page.newestMs(i) + 1);
    if (late === undefined || late.newestMs < fromMs) return;
    const column = new SampleColumn();
    late.readInto(column, fromMs, Number.POSITIVE_INFINITY);
    column.keepHighest();
    this.#deleteLate(slot, state.late, fromMs, Number.POSITIVE_INFINITY);
    for (let k = 0; k < column.count; k++) {
      this.#table.enter(page.shard[i] as number, column.times[k] as number, column.epochs[k] as number);
      this.#append(slot, page, i, column, k);
    }
  }

  #readInOrder(slot: number, page: SeriesPage, i: number, into: SampleColumn): void {
    into.clear();
    this.runs.read(page, i, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, into);
    this.#histograms.get(slot)?.readInto(into);
    this.#fillEpochs(slot, page, i, into);
  }

  #append(slot: number, page: SeriesPage, i: number, column: SampleColumn, k: number): void {
    const timeMs = column.times[k] as number;
    const epoch = column.epochs[k] as number;
    if (page.epoch[i] !== epoch) this.changeEpoch(slot, timeMs, epoch);
    this.runs.push(page, i, column.times, k, column.words, k * 2);
    const histogram = column.histograms?.[k] ?? null;
    if (histogram !== null) this.addHistogram(slot, timeMs, histogram);
    this.#table.add(page.shard[i] as number, Cell.samples, 1);
  }
}
