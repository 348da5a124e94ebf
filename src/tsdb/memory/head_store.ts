/**
 * The series in memory of all shards of a worker; a shard is a number, and one without series costs nothing. Built for
 * memory per series: label sets are runs of numbers, samples a short raw tail and compressed runs behind it,
 * postings shared by the shards, all in typed arrays (series_page.ts, sample_runs.ts, postings.ts). In the
 * steady state a caller holds a reference per series, and `append` then does no label work and allocates nothing.
 *
 * A shard has a floor: what is older was sealed. Samples at or above it that are newer than their series' newest are
 * in order; all others are late, kept beside their series, and sealed apart. Every sample has the epoch it was written
 * under: where there are two for one time the higher epoch stands, and within one epoch the first that was written.
 *
 * The store judges a sample against its series and the floor. What else is too old or too new is the caller's rule.
 */
import { assert } from '../../base/index.ts';
import type {
  FloatHistogram,
  Labels,
  Lookups,
  Matcher,
  SeriesColumns,
  SymbolTable,
} from '../../model/index.ts';
import type { Cardinality } from '../cardinality.ts';
import type { NewSeries } from '../log/definitions.ts';
import type { SealSeries } from '../window/window_writer.ts';
import { headCardinality } from './head_cardinality.ts';
import type { HeadCut } from './head_cut.ts';
import { exportSeries, type HeadExport, seriesSince } from './head_export.ts';
import { HeadIndex } from './head_index.ts';
import { type EpochColumns, HeadReader } from './head_reader.ts';
import { HeadSamples } from './head_samples.ts';
import { HeadSealing } from './head_sealing.ts';
import { SampleColumn } from './sample_column.ts';
import { pageMask, SeriesExtra, type SeriesPage, tailSamples } from './series_page.ts';
import { Cell, cellBits } from './shard_table.ts';
import { Verdict } from './verdict.ts';

export interface HeadOptions {
  /** Shared by whatever else the worker interns; its limits bound labels in bytes. */
  readonly symbols: SymbolTable;
  /** A random number that senders of labels don't know. */
  readonly hashSeed: number;
  readonly seriesPerShardMax: number;
  /** Samples kept aside because they came late, all shards together. */
  readonly outOfOrderSamplesMax: number;
  /** Length of the windows that cuts are divided into; two hours if not given. */
  readonly windowMs?: number;
}

export interface HeadStats {
  readonly series: number;
  /** All that are held: one that took another's place counts beside it until both are sealed. */
  readonly samples: number;
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

const defaultWindowMs = 2 * 3_600_000;

/** The value of a sample that is a histogram. */
const zeroWords = new Uint32Array(2);

export class HeadStore {
  readonly #options: HeadOptions;
  readonly #index: HeadIndex;
  readonly #samples: HeadSamples;
  readonly #reader: HeadReader;
  readonly #sealing: HeadSealing;
  readonly #standing = new SampleColumn();
  #epoch = 0;
  /** The time of a sample that comes alone. */
  readonly #time = new Float64Array(1);
  /** The column of values that was appended from last, and its bits. */
  #values = new Float64Array(0);
  #words = new Uint32Array(0);

  constructor(options: HeadOptions) {
    this.#options = options;
    const { symbols, hashSeed, seriesPerShardMax, windowMs = defaultWindowMs } = options;
    this.#index = new HeadIndex(symbols, hashSeed, seriesPerShardMax, windowMs);
    this.#samples = new HeadSamples(this.#index.series, this.#index.table);
    this.#reader = new HeadReader(this.#index, this.#samples);
    this.#sealing = new HeadSealing(this.#index, this.#samples);
  }

  /**
   * The reference of a series, which is created if need be; -1 when a limit forbids that. It is good until the series
   * has lost its last sample; from then on it is answered with `Verdict.unknown`.
   */
  ref(shard: number, labels: Labels): number {
    const slot = this.#index.find(shard, labels);
    const known = slot >= 0 ? slot : this.#index.create(shard, labels);
    return known < 0 ? -1 : this.#index.series.refOf(known);
  }

  /** The reference of a series that is there, or -1. */
  find(shard: number, labels: Labels): number {
    const slot = this.#index.find(shard, labels);
    return slot < 0 ? -1 : this.#index.series.refOf(slot);
  }

  /** Whether the reference is good and of that shard. */
  isOf(ref: number, shard: number): boolean {
    const slot = this.#index.series.slotOf(ref);
    return slot >= 0 && this.#index.series.page(slot).shard[slot & pageMask] === shard;
  }

  /** A new label set; undefined when the series is gone. */
  labelsOf(ref: number): Labels | undefined {
    const slot = this.#index.series.slotOf(ref);
    return slot < 0 ? undefined : this.#index.labels(slot);
  }

  /** The series' number in its shard's log; 0 when it has none or is gone. */
  idOf(ref: number): number {
    const slot = this.#index.series.slotOf(ref);
    return slot < 0 ? 0 : (this.#index.series.page(slot).id[slot & pageMask] as number);
  }

  /** `id`: below 2^32. */
  setId(ref: number, id: number): void {
    const slot = this.#index.series.slotOf(ref);
    assert(slot >= 0, 'a series that is there is given a number');
    this.#index.series.page(slot).id[slot & pageMask] = id;
  }

  /** The epoch, below 2^32, of what is appended in order from now on. */
  setEpoch(epoch: number): void {
    this.#epoch = epoch;
  }

  /** Appends `values[index]` at `timeMs`, a safe integer. Only a sample newer than the series' newest is taken. */
  append(ref: number, timeMs: number, values: Float64Array, index: number): Verdict {
    if (values !== this.#values) this.#lookAt(values);
    this.#time[0] = timeMs;
    return this.#append(ref, this.#time, 0, this.#words, index * 2, null);
  }

  /** As `append`, at `times[index]`: a time that is handed over as a number of its own is an object to V8 each time. */
  appendAt(ref: number, times: Float64Array, values: Float64Array, index: number): Verdict {
    if (values !== this.#values) this.#lookAt(values);
    return this.#append(ref, times, index, this.#words, index * 2, null);
  }

  /** As `append`; a series may have floats and histograms. */
  appendHistogram(ref: number, timeMs: number, histogram: FloatHistogram): Verdict {
    this.#time[0] = timeMs;
    return this.#append(ref, this.#time, 0, zeroWords, 0, histogram);
  }

  /**
   * Takes a sample of any age, written under `epoch`: in order if it is at or above the floor and the series' newest,
   * aside otherwise. Where there is one at its time that epoch decides.
   */
  appendLate(ref: number, timeMs: number, values: Float64Array, index: number, epoch: number): Verdict {
    if (values !== this.#values) this.#lookAt(values);
    return this.#appendLate(ref, timeMs, this.#words, index * 2, null, epoch);
  }

  appendLateHistogram(ref: number, timeMs: number, histogram: FloatHistogram, epoch: number): Verdict {
    return this.#appendLate(ref, timeMs, zeroWords, 0, histogram, epoch);
  }

  /**
   * Since when the sample at `timeMs`, which was taken just now, counts; 0 if that is not known. Holds for the series'
   * newer samples too until another is set, so that a series that ever had one needs it set for each that has another.
   */
  setStartTime(ref: number, timeMs: number, startMs: number): void {
    // Called for every sample: nearly always there is nothing to note and nothing noted.
    if (startMs === 0 && !this.#samples.hasStartTimes) return;
    const slot = this.#index.series.slotOf(ref);
    if (slot >= 0) this.#samples.setStartTime(slot, timeMs, startMs);
  }

  /** Everything older was sealed or never there; -Infinity at first. */
  floorMs(shard: number): number {
    return this.#index.table.get(shard, Cell.floorMs);
  }

  /** The floor of a shard that is opened; never lowers it. The shard must have no samples below. */
  raiseFloor(shard: number, floorMs: number): void {
    this.#samples.raiseFloor(shard, floorMs);
  }

  /** The oldest sample at or above the floor; Infinity when there is none. Walks the series after a deletion. */
  minTimeMs(shard: number): number {
    this.#sealing.refreshTimes(shard);
    return this.#index.table.get(shard, Cell.oldestMs);
  }

  /** The newest sample at or above the floor; -Infinity when there is none. Walks the series after a deletion. */
  maxTimeMs(shard: number): number {
    if (this.#index.table.find(shard)?.newestIsStale === true) this.#sealing.refreshTimes(shard);
    return this.#index.table.get(shard, Cell.newestMs);
  }

  /** Oldest and newest of the samples below the floor; Infinity and -Infinity when there are none. */
  timesBelowFloor(shard: number): { minTimeMs: number; maxTimeMs: number } {
    return this.#sealing.timesBelowFloor(shard);
  }

  /** Samples older than the floor that are not sealed: those that came late, and those of a cut that did. */
  lateCount(shard: number): number {
    return this.#index.table.get(shard, Cell.late);
  }

  /**
   * Series with samples in `[fromMs, toMs]` at or above the floor, sorted by labels. With `newestAt` samples that are not the
   * newest at any of its instants may be left out.
   */
  select(
    shard: number,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    newestAt?: Lookups,
  ): SeriesColumns[] {
    return this.#reader.select(shard, matchers, fromMs, toMs, newestAt);
  }

  /** The same below the floor: late samples, and what of a cut is not dropped yet; for each epoch, ascending. */
  selectLate(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): EpochColumns[] {
    return this.#reader.selectLate(shard, matchers, fromMs, toMs);
  }

  /** Labels of the series with samples in `[fromMs, toMs]`, below the floor too, sorted. */
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
   * Raises the floor and sets apart what is older, for sealing, together with what is left of an earlier cut. Takes time
   * in proportion to the late samples.
   */
  cut(shard: number, floorMs: number): HeadCut {
    return this.#sealing.cut(shard, floorMs);
  }

  /** As `cut`, at the floor as it is: late samples only. */
  lateCut(shard: number): HeadCut {
    return this.#sealing.cut(shard, Number.NEGATIVE_INFINITY);
  }

  /**
   * The cut's samples in `[startMs, endMs)` that were written under an epoch, series by metric name, then by labels.
   * The columns are lent until the next step. `undefined` is a chance to pause.
   */
  window(
    cut: HeadCut,
    startMs: number,
    endMs: number,
    epoch: number,
  ): Generator<SealSeries | undefined, void> {
    return this.#sealing.window(cut, startMs, endMs, epoch);
  }

  /** Forgets a cut, which must be the shard's last. Each step gives the log numbers of series that went with it. */
  drop(cut: HeadCut): Generator<number[], void> {
    return this.#sealing.drop(cut);
  }

  /** Forgets all samples older than `timeMs`, late ones too, in the same steps; the floor is then at least there. */
  dropBefore(shard: number, timeMs: number): Generator<number[], void> {
    return this.#sealing.dropBefore(shard, timeMs);
  }

  /** Forgets a shard whole. */
  dropShard(shard: number): void {
    for (const _ of this.#sealing.dropBefore(shard, Number.POSITIVE_INFINITY));
    this.#index.table.close(shard);
  }

  /**
   * Deletes the samples in `[fromMs, toMs]` of the series that pass all matchers; returns how many. Series left without
   * samples go with the next drop, or `collectEmpty`.
   */
  delete(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): number {
    let deleted = 0;
    for (const slot of this.#index.match(shard, matchers))
      deleted += this.#samples.delete(slot, fromMs, toMs);
    if (deleted > 0) this.#index.table.staleTimes(shard);
    return deleted;
  }

  /** Takes out the shard's series without samples; their log numbers. */
  collectEmpty(shard: number): number[] {
    return this.#sealing.collectEmpty(shard);
  }

  /** Which labels make the series of some shards, or of all, many; the answer is at the end of the steps. */
  cardinality(shards: readonly number[] | undefined, topMax: number): Generator<void, Cardinality> {
    return headCardinality(this.#index, shards, topMax);
  }

  /** All of a shard's samples, window by window, epoch by epoch. Columns are lent until the next step. */
  exportSeries(shard: number): Generator<HeadExport> {
    return exportSeries(this.#index, this.#samples, shard, this.#options.windowMs ?? defaultWindowMs);
  }

  /** The shard's series whose log number is above `id`. */
  liveSince(shard: number, id: number): Generator<NewSeries> {
    return seriesSince(this.#index, shard, id);
  }

  stats(shard: number): HeadStats {
    const { table } = this.#index;
    return { series: this.#index.seriesCount(shard), samples: table.get(shard, Cell.samples) };
  }

  memory(): HeadMemory {
    const { heldBytes, liveBytes } = this.#samples.runs.memory;
    return {
      series: this.#index.series.heldBytes + this.#index.table.heldBytes,
      pairs: this.#index.pairs.heldBytes,
      postings: this.#index.postings.heldBytes,
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

  #append(
    ref: number,
    times: Float64Array,
    timeAt: number,
    words: Uint32Array,
    wordsAt: number,
    histogram: FloatHistogram | null,
  ): Verdict {
    const timeMs = times[timeAt] as number;
    const { series, table } = this.#index;
    const slot = series.slotOf(ref);
    if (slot < 0) return Verdict.unknown;
    const page = series.page(slot);
    const i = slot & pageMask;
    const shard = page.shard[i] as number;
    const at = shard << cellBits;
    const { cells } = table;
    const epoch = this.#epoch;
    const isHot =
      timeMs >= (cells[at + Cell.hotFromMs] as number) &&
      timeMs < (cells[at + Cell.hotToMs] as number) &&
      epoch === cells[at + Cell.hotEpoch];
    if (!isHot && timeMs < (cells[at + Cell.floorMs] as number)) return Verdict.belowFloor;
    const count = page.tailCount[i] as number;
    if (count > 0) {
      const newest = i * tailSamples + count - 1;
      const delta = timeMs - (page.tailBaseMs[i] as number) - (page.tailDeltas[newest] as number);
      if (delta < 0) return Verdict.outOfOrder;
      if (delta === 0) return this.#atNewest(slot, page, newest, timeMs, words, wordsAt, histogram);
    }
    if (!isHot) table.enter(shard, timeMs, epoch);
    if (page.epoch[i] !== epoch) this.#samples.changeEpoch(slot, timeMs, epoch);
    this.#samples.runs.push(page, i, times, timeAt, words, wordsAt);
    if (histogram !== null) this.#samples.addHistogram(slot, timeMs, histogram);
    cells[at + Cell.samples] = (cells[at + Cell.samples] as number) + 1;
    if (timeMs > (cells[at + Cell.newestMs] as number)) cells[at + Cell.newestMs] = timeMs;
    if (timeMs < (cells[at + Cell.oldestMs] as number)) cells[at + Cell.oldestMs] = timeMs;
    return Verdict.ok;
  }

  /** A sample at the time of the series' newest one. */
  #atNewest(
    slot: number,
    page: SeriesPage,
    newest: number,
    timeMs: number,
    words: Uint32Array,
    wordsAt: number,
    histogram: FloatHistogram | null,
  ): Verdict {
    const plain = SeriesExtra.late | SeriesExtra.histograms;
    let same: boolean;
    if (((page.extras[slot & pageMask] as number) & plain) === 0)
      same =
        histogram === null &&
        page.tailWords[newest * 2] === words[wordsAt] &&
        page.tailWords[newest * 2 + 1] === words[wordsAt + 1];
    else {
      this.#samples.standing(slot, timeMs, this.#standing);
      same = this.#standing.equals(0, words, wordsAt, histogram);
    }
    return same ? Verdict.duplicate : Verdict.conflict;
  }

  #appendLate(
    ref: number,
    timeMs: number,
    words: Uint32Array,
    wordsAt: number,
    histogram: FloatHistogram | null,
    epoch: number,
  ): Verdict {
    const { series, table } = this.#index;
    const slot = series.slotOf(ref);
    if (slot < 0) return Verdict.unknown;
    const page = series.page(slot);
    const shard = page.shard[slot & pageMask] as number;
    if (timeMs >= table.get(shard, Cell.floorMs) && timeMs > page.newestMs(slot & pageMask)) {
      const own = this.#epoch;
      this.#epoch = epoch;
      this.#time[0] = timeMs;
      const verdict = this.#append(ref, this.#time, 0, words, wordsAt, histogram);
      this.#epoch = own;
      return verdict;
    }
    const standing = this.#standing;
    this.#samples.standing(slot, timeMs, standing);
    const isThere = standing.count > 0;
    const same = isThere && standing.equals(0, words, wordsAt, histogram);
    if (isThere && epoch <= (standing.epochs[0] as number))
      return same ? Verdict.duplicate : Verdict.conflict;
    if (this.#samples.lateCount >= this.#options.outOfOrderSamplesMax) return Verdict.limited;
    // One that says the same under a higher epoch is kept, too: what comes under an epoch in between must lose.
    this.#samples.addLate(slot, timeMs, epoch, words, wordsAt, histogram);
    if (!isThere) return Verdict.ok;
    return same ? Verdict.raised : Verdict.replaced;
  }
}
