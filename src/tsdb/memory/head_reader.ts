/**
 * Reading the head: series by matchers, their labels and their samples. Answers are copies, never views of
 * what the head holds, so that appends don't disturb them; series of one target share their times. In the head label sets
 * are numbers; those that were asked for lately are kept as sets, since the same queries come again and again.
 */
import {
  compareBytes,
  type Labels,
  type Lookups,
  type Matcher,
  type SeriesColumns,
} from '../../model/index.ts';
import { ColumnArena } from '../window/column_arena.ts';
import type { HeadIndex } from './head_index.ts';
import { type HeadSamples, Late } from './head_samples.ts';
import { MatchCache } from './match_cache.ts';
import { RecentLabels } from './recent_labels.ts';
import type { RunReader } from './run_reader.ts';
import { SampleColumn } from './sample_column.ts';
import { compareLabels } from './series_order.ts';
import { pageMask, SeriesExtra } from './series_page.ts';
import { Cell } from './shard_table.ts';

/** Series under one epoch, sorted by labels. */
export interface EpochColumns {
  readonly epoch: number;
  readonly columns: SeriesColumns[];
}

export class HeadReader {
  readonly #index: HeadIndex;
  readonly #samples: HeadSamples;
  readonly #column = new SampleColumn();
  readonly #labels: RecentLabels;
  readonly #matches: MatchCache;
  readonly #runs: RunReader;

  constructor(index: HeadIndex, samples: HeadSamples) {
    this.#index = index;
    this.#samples = samples;
    this.#labels = new RecentLabels(index);
    this.#matches = new MatchCache(index);
    this.#runs = samples.runs.reader();
  }

  /** With `newestAt` samples of floats that are not the newest at any of these instants may be left out. */
  select(
    shard: number,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    newestAt?: Lookups,
  ): SeriesColumns[] {
    const from = Math.max(fromMs, this.#index.table.get(shard, Cell.floorMs));
    const answer: SeriesColumns[] = [];
    if (from > toMs || this.#index.seriesCount(shard) === 0) return answer;
    const column = this.#column;
    const arena = new ColumnArena();
    const reader = this.#runs;
    reader.begin({ fromMs: from, toMs, newestAt }, arena);
    for (const slot of this.#matches.find(shard, matchers)) {
      const page = this.#index.series.page(slot);
      const i = slot & pageMask;
      if (((page.extras[i] as number) & ~SeriesExtra.epochs) === 0) {
        if (!reader.read(page, i)) continue;
        answer.push({ labels: this.#labels.of(slot), timestamps: reader.times, values: reader.values });
        continue;
      }
      this.#samples.read(slot, from, toMs, column);
      if (column.count > 0) answer.push(this.#columns(slot, column, arena));
    }
    return answer;
  }

  /** What is older than the shard's floor, for each epoch. */
  selectLate(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): EpochColumns[] {
    const { table } = this.#index;
    const to = Math.min(toMs, table.get(shard, Cell.floorMs) - 1);
    const state = table.find(shard);
    const isNone = state === undefined || (state.cut === undefined && table.get(shard, Cell.late) === 0);
    if (isNone || fromMs > to) return [];
    const byEpoch = new Map<number, SeriesColumns[]>();
    const column = this.#column;
    const arena = new ColumnArena();
    for (const slot of this.#sorted(shard, matchers, fromMs, to)) {
      this.#samples.readAll(slot, fromMs, to, Late.both, column);
      const epochs = new Set(column.epochs.subarray(0, column.count));
      for (const epoch of epochs) {
        if (epochs.size > 1) {
          this.#samples.readAll(slot, fromMs, to, Late.both, column);
          column.keepEpoch(epoch);
        }
        const columns = this.#columns(slot, column, arena);
        const sofar = byEpoch.get(epoch);
        if (sofar === undefined) byEpoch.set(epoch, [columns]);
        else sofar.push(columns);
      }
    }
    return Array.from(byEpoch, ([epoch, columns]) => ({ epoch, columns })).sort((a, b) => a.epoch - b.epoch);
  }

  labelSets(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): Labels[] {
    return this.#sorted(shard, matchers, fromMs, toMs).map((slot) => this.#labels.of(slot));
  }

  labelNames(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    const symbols = new Set<number>();
    const { pairs } = this.#index;
    for (const slot of this.#matching(shard, matchers, fromMs, toMs)) {
      const { run, at, count } = this.#index.labelRun(slot);
      for (let k = at; k < at + count; k++) symbols.add(pairs.nameSymbol(run[k] as number));
    }
    return Array.from(symbols, (symbol) => pairs.symbols.text(symbol)).sort(compareBytes);
  }

  labelValues(
    shard: number,
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): string[] {
    const found = new Set<number>();
    for (const slot of this.#matching(shard, matchers, fromMs, toMs)) {
      const pair = this.#index.pairOf(slot, name);
      if (pair >= 0) found.add(pair);
    }
    return Array.from(found, (pair) => this.#index.pairs.value(pair)).sort(compareBytes);
  }

  #columns(slot: number, column: SampleColumn, arena: ColumnArena): SeriesColumns {
    const labels = this.#labels.of(slot);
    const timestamps = arena.shared(column.times, column.count);
    const values = arena.take(column.count);
    // Moves bits, those of NaNs too.
    values.set(column.values.subarray(0, column.count));
    const histograms = column.takeHistograms();
    const startTimes = this.#samples.startTimes(slot, column);
    return {
      labels,
      timestamps,
      values,
      ...(histograms !== undefined && { histograms }),
      ...(startTimes !== undefined && { startTimes }),
    };
  }

  #sorted(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): number[] {
    return this.#inOrder(this.#matching(shard, matchers, fromMs, toMs));
  }

  #inOrder(slots: number[]): number[] {
    return slots.sort((a, b) => compareLabels(this.#index, a, b));
  }

  /** Series that pass all matchers and have a sample in the range, both ends included; in no order. */
  #matching(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): number[] {
    if (fromMs > toMs) return [];
    const matched = this.#index.match(shard, matchers);
    return matched.filter((slot) => this.#samples.hasSampleIn(slot, fromMs, toMs));
  }
}
