/**
 * Reading the head: series by matchers, their labels and their samples. Answers are copies, never views, so that they
 * can be transferred to another thread and appends don't disturb them. Label sets are made for each answer and not
 * kept: in the head they are numbers.
 */
import {
  compareBytes,
  Labels,
  type Matcher,
  metricNameLabel,
  type SeriesColumns,
} from '../../model/index.ts';
import { offsetOf } from './label_runs.ts';
import type { OutOfOrderSamples } from './out_of_order.ts';
import type { SlotList, SlotRange } from './postings.ts';
import { SampleColumn } from './sample_column.ts';
import type { SampleRuns } from './sample_runs.ts';
import { matchSeries, type SeriesIndex } from './series_match.ts';
import { pageMask } from './series_page.ts';

/** One series' part of a window. The columns are lent until the next step of the iteration. */
export interface WindowSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  /** Bit-exact; move with `set`, `subarray` or `slice`. */
  readonly values: Float64Array;
  /** So many samples stand at the beginning of the columns. */
  readonly count: number;
}

const noSeries: SlotRange = { slots: new Uint32Array(0), from: 0, to: 0 };

export class HeadReader {
  readonly #index: SeriesIndex;
  readonly #shards: ReadonlyMap<number, SlotList>;
  readonly #runs: SampleRuns;
  readonly #outOfOrder: ReadonlyMap<number, OutOfOrderSamples>;
  readonly #column = new SampleColumn();

  constructor(
    index: SeriesIndex,
    shards: ReadonlyMap<number, SlotList>,
    runs: SampleRuns,
    outOfOrder: ReadonlyMap<number, OutOfOrderSamples>,
  ) {
    this.#index = index;
    this.#shards = shards;
    this.#runs = runs;
    this.#outOfOrder = outOfOrder;
  }

  labels(slot: number): Labels {
    const { pairs } = this.#index;
    const { run, at, count } = this.#labelRun(slot);
    const flat: string[] = [];
    for (let k = at; k < at + count; k++)
      flat.push(pairs.name(run[k] as number), pairs.value(run[k] as number));
    return Labels.fromSortedFlat(flat);
  }

  /** All series of a shard; a view, valid until series come or go. */
  shardRange(shard: number): SlotRange {
    const list = this.#shards.get(shard);
    return list?.range(0, Number.POSITIVE_INFINITY, this.#index.series.keyOf) ?? noSeries;
  }

  select(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesColumns[] {
    const answer: SeriesColumns[] = [];
    const column = this.#column;
    for (const slot of this.#matching(shard, matchers, fromMs, toMs).sort(this.#compare)) {
      column.count = 0;
      this.#read(slot, fromMs, toMs, column);
      if (column.count === 0) continue;
      const timestamps = column.times.slice(0, column.count);
      const values = new Float64Array(column.words.slice(0, column.count * 2).buffer);
      answer.push({ labels: this.labels(slot), timestamps, values });
    }
    return answer;
  }

  labelSets(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): Labels[] {
    const slots = this.#matching(shard, matchers, fromMs, toMs).sort(this.#compare);
    return slots.map((slot) => this.labels(slot));
  }

  labelNames(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    const symbols = new Set<number>();
    const { pairs } = this.#index;
    for (const slot of this.#matching(shard, matchers, fromMs, toMs)) {
      const { run, at, count } = this.#labelRun(slot);
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
      const pair = this.#pairOf(slot, name);
      if (pair >= 0) found.add(pair);
    }
    return Array.from(found, (pair) => this.#index.pairs.value(pair)).sort(compareBytes);
  }

  *window(shard: number, fromMs: number, toMs: number): Generator<WindowSeries> {
    const { series } = this.#index;
    const slots = this.#matching(shard, [], fromMs, toMs - 1);
    const names = new Map(slots.map((slot) => [slot, this.#metricName(slot)]));
    slots.sort((a, b) => compareBytes(names.get(a) ?? '', names.get(b) ?? '') || this.#compare(a, b));
    names.clear();
    // The caller may take its time: a series that went meanwhile must not be taken for its successor in the slot.
    const refs = slots.map((slot) => series.refOf(slot));
    const column = new SampleColumn();
    for (const ref of refs) {
      const slot = series.slotOf(ref);
      if (slot < 0) continue;
      column.count = 0;
      this.#read(slot, fromMs, toMs - 1, column);
      const { times, values, count } = column;
      if (count > 0) yield { labels: this.labels(slot), times, values, count };
    }
  }

  /** Oldest and newest sample of a shard; Infinity and -Infinity when there are none. */
  timeRange(shard: number): { minTimeMs: number; maxTimeMs: number } {
    let minTimeMs = Number.POSITIVE_INFINITY;
    let maxTimeMs = Number.NEGATIVE_INFINITY;
    const { slots, from, to } = this.shardRange(shard);
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      const page = this.#index.series.page(slot);
      const aside = this.#outOfOrder.get(slot)?.oldestMs ?? Number.POSITIVE_INFINITY;
      minTimeMs = Math.min(minTimeMs, aside, this.#runs.oldestMs(page, slot & pageMask));
      maxTimeMs = Math.max(maxTimeMs, page.newestMs(slot & pageMask));
    }
    return { minTimeMs, maxTimeMs };
  }

  /** Series that pass all matchers and have a sample in the range, both ends included; in no order. */
  #matching(shard: number, matchers: readonly Matcher[], fromMs: number, toMs: number): number[] {
    if (fromMs > toMs) return [];
    const matched = matchSeries(this.#index, shard, this.shardRange(shard), matchers);
    return matched.filter((slot) => {
      const page = this.#index.series.page(slot);
      return (
        this.#runs.hasSampleIn(page, slot & pageMask, fromMs, toMs) ||
        this.#outOfOrder.get(slot)?.hasSampleIn(fromMs, toMs) === true
      );
    });
  }

  #read(slot: number, fromMs: number, toMs: number, into: SampleColumn): void {
    const start = into.count;
    this.#runs.read(this.#index.series.page(slot), slot & pageMask, fromMs, toMs, into);
    this.#outOfOrder.get(slot)?.mergeInto(into, start, fromMs, toMs);
  }

  #labelRun(slot: number): { run: Uint32Array; at: number; count: number } {
    const { series } = this.#index;
    const page = series.page(slot);
    const i = slot & pageMask;
    const count = page.labelCount[i] as number;
    if (count === 0) return { run: noSeries.slots, at: 0, count };
    const address = page.labelsAt[i] as number;
    return { run: series.labelRuns.page(address), at: offsetOf(address), count };
  }

  /** The series' pair of that name, or -1. */
  #pairOf(slot: number, name: string): number {
    const { pairs } = this.#index;
    const symbol = pairs.symbols.find(name);
    const { run, at, count } = this.#labelRun(slot);
    for (let k = at; k < at + count; k++)
      if (pairs.nameSymbol(run[k] as number) === symbol) return run[k] as number;
    return -1;
  }

  #metricName(slot: number): string {
    const pair = this.#pairOf(slot, metricNameLabel);
    return pair < 0 ? '' : this.#index.pairs.value(pair);
  }

  /** As `Labels.compare`, without making label sets: most pairs of neighbours are the same number. */
  readonly #compare = (a: number, b: number): number => {
    const { pairs } = this.#index;
    const x = this.#labelRun(a);
    const y = this.#labelRun(b);
    const shared = Math.min(x.count, y.count);
    for (let k = 0; k < shared; k++) {
      const p = x.run[x.at + k] as number;
      const q = y.run[y.at + k] as number;
      if (p === q) continue;
      return compareBytes(pairs.name(p), pairs.name(q)) || compareBytes(pairs.value(p), pairs.value(q));
    }
    return x.count - y.count;
  };
}
