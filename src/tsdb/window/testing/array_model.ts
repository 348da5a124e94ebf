/** The slow and obvious set of windows: blocks of rows, looked through whole. */
import assert from 'node:assert/strict';
import {
  CounterResetHint,
  FloatHistogram,
  Labels,
  type Matcher,
  matchesAll,
  type SeriesColumns,
} from '../../../model/index.ts';
import type { WindowHeader } from '../window_header.ts';
import type { ExportedSeries } from '../window_set.ts';
import type { SealSeries } from '../window_writer.ts';
import { inOrder } from './fixtures.ts';

export interface Row {
  readonly name: string;
  readonly zone: string;
  readonly t: number;
  readonly bits: bigint;
  /** 0: unknown. */
  readonly start: number;
  /** The count of a native histogram, which then is the value; 0: a float. */
  readonly histogram: number;
}

/** Rows with what decides between them and others; `sequence` Infinity: behind all windows. */
export interface Layer {
  readonly epoch: number;
  readonly sequence: number;
  readonly rows: readonly Row[];
}

export interface Block extends Layer {
  readonly id: string;
  readonly endMs: number;
}

function labelsOf({ name, zone }: Row): Labels {
  return Labels.fromRecord({ __name__: name, zone });
}

/** One row for each instant: the last. */
export function distinct(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((one) => [placeOf(one), one])).values()];
}

export function isIn(row: Row, wanted: readonly Matcher[], fromMs: number, toMs: number): boolean {
  return row.t >= fromMs && row.t <= toMs && matchesAll(wanted, labelsOf(row));
}

export class ArrayModel {
  blocks: readonly Block[] = [];

  /** What stands where several have a row, as one list. */
  rows(layers: readonly Layer[] = this.blocks): Row[] {
    const byPlace = new Map<string, Row>();
    // The last of those that are put stands; layers of equal rank are given first to last.
    const byRank = layers
      .map((layer, i) => ({ ...layer, i }))
      .sort((x, y) => x.epoch - y.epoch || later(y.sequence, x.sequence) || y.i - x.i);
    for (const { rows } of byRank) for (const row of rows) byPlace.set(placeOf(row), row);
    return [...byPlace.values()];
  }

  delete(wanted: readonly Matcher[], fromMs: number, toMs: number): void {
    this.blocks = this.blocks.map((block) => ({
      ...block,
      rows: block.rows.filter((row) => !isIn(row, wanted, fromMs, toMs)),
    }));
  }

  /** The set has these windows now: what went away was joined to what came, or dropped, or `sealed` came. */
  follow(windows: readonly WindowHeader[], sealed: readonly Row[]): { gone: Block[]; hasCome: boolean } {
    const gone = this.blocks.filter(({ id }) => !windows.some((header) => idOf(header) === id));
    const come = windows.filter((header) => !this.blocks.some(({ id }) => id === idOf(header)));
    assert.ok(come.length <= 1, 'a change makes one window');
    const kept = this.blocks.filter((block) => !gone.includes(block));
    const [header] = come;
    if (header === undefined) {
      this.blocks = kept;
      return { gone, hasCome: false };
    }
    const { epoch, sequence, startMs, lengthMs } = header;
    const rows = gone.length === 0 ? sealed : this.rows(gone);
    assert.equal(header.samples, rows.length);
    this.blocks = [...kept, { id: idOf(header), endMs: startMs + lengthMs, epoch, sequence, rows }];
    return { gone, hasCome: true };
  }

  print(wanted: readonly Matcher[], fromMs: number, toMs: number, overlays: readonly Layer[] = []): string[] {
    return printRows(
      this.rows([...this.blocks, ...overlays]).filter((row) => isIn(row, wanted, fromMs, toMs)),
    );
  }
}

export function printColumns(columns: readonly SeriesColumns[]): string[] {
  return columns.map(({ labels, timestamps, values, histograms, startTimes }) => {
    const bits = new BigUint64Array(values.slice().buffer);
    const samples = Array.from(timestamps, (t, i) =>
      printSample(t, bits[i] ?? 0n, startTimes?.[i] ?? 0, histograms?.[i]?.count ?? 0),
    );
    return `${labels} ${samples.join(' ')}`;
  });
}

/** What a store has that puts in what it is given: the higher epoch stands, and within one the first. */
export async function printExport(all: AsyncIterable<ExportedSeries>): Promise<string[]> {
  const held = new Map<string, { epoch: number; row: Row }>();
  for await (const { epoch, labels, times, values, histograms, startTimes } of all) {
    const bits = new BigUint64Array(values.slice().buffer);
    for (const [i, t] of times.entries()) {
      const sample = {
        bits: bits[i] ?? 0n,
        start: startTimes?.[i] ?? 0,
        histogram: histograms?.[i]?.count ?? 0,
      };
      const row = { name: labels.metricName, zone: labels.get('zone'), t, ...sample };
      const other = held.get(placeOf(row));
      if (other === undefined || other.epoch < epoch) held.set(placeOf(row), { epoch, row });
    }
  }
  return printRows([...held.values()].map(({ row }) => row));
}

/** In the order of a window, each series once. */
export function seriesOf(rows: readonly Row[]): SealSeries[] {
  const byKey = new Map<string, Row[]>();
  for (const one of rows) {
    const key = labelsOf(one).key();
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  const series = [...byKey.values()].map((list): SealSeries => {
    list.sort((x, y) => x.t - y.t);
    const hasHistograms = list.some(({ histogram }) => histogram > 0);
    const hasStarts = list.some(({ start }) => start > 0);
    return {
      labels: labelsOf(list[0] as Row),
      times: Float64Array.from(list, ({ t }) => t),
      values: new Float64Array(BigUint64Array.from(list, ({ bits }) => bits).buffer),
      count: list.length,
      histograms: hasHistograms
        ? list.map(({ histogram }) => (histogram > 0 ? histogramOf(histogram) : null))
        : undefined,
      startTimes: hasStarts ? Float64Array.from(list, ({ start }) => start) : undefined,
    };
  });
  return inOrder(series);
}

/** As an overlay has them, sorted by labels. */
export function columnsOf(rows: readonly Row[]): SeriesColumns[] {
  return seriesOf(rows)
    .map(({ labels, times, values, histograms, startTimes }) => ({
      ...{ labels, timestamps: times, values },
      ...(histograms === undefined ? {} : { histograms }),
      ...(startTimes === undefined ? {} : { startTimes }),
    }))
    .sort((a, b) => a.labels.compare(b.labels));
}

function printRows(rows: readonly Row[]): string[] {
  const lines = new Map<string, { labels: Labels; rows: Row[] }>();
  for (const row of rows) {
    const labels = labelsOf(row);
    const line = lines.get(labels.key());
    if (line === undefined) lines.set(labels.key(), { labels, rows: [row] });
    else line.rows.push(row);
  }
  return [...lines.values()]
    .sort((x, y) => x.labels.compare(y.labels))
    .map(({ labels, rows: list }) => {
      list.sort((x, y) => x.t - y.t);
      return `${labels} ${list.map((row) => printSample(row.t, row.bits, row.start, row.histogram)).join(' ')}`;
    });
}

function printSample(t: number, bits: bigint, start: number, histogram: number): string {
  return `${t}=${histogram > 0 ? `h${histogram}` : bits.toString(16)}${start > 0 ? `@${start}` : ''}`;
}

function histogramOf(count: number): FloatHistogram {
  return new FloatHistogram({
    schema: 0,
    count,
    sum: count,
    zeroThreshold: 0,
    zeroCount: 0,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    counterResetHint: CounterResetHint.Unknown,
  });
}

function idOf({ startMs, generation, sequence }: WindowHeader): string {
  return `${startMs}/${generation}/${sequence}`;
}

function placeOf(one: Row): string {
  return `${one.name}/${one.zone}/${one.t}`;
}

/** As a comparison of numbers that may both be infinite. */
function later(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
