/** What several windows of a shard have together: their parts of each series merged, without what was deleted. */
import type { Labels, Matcher, SeriesColumns } from '../../model/index.ts';
import type { Pace } from './pace.ts';
import type { SealedWindow } from './sealed_window.ts';
import { comparePrecedence, mergeParts, type SeriesPart } from './series_part.ts';
import { covers, deletesAll, type Tombstone, withoutDeleted } from './tombstone.ts';

export interface Selection {
  readonly matchers: readonly Matcher[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** Columns from elsewhere that are merged as if they were a window written after all others. */
export interface Overlay {
  readonly epoch: number;
  readonly columns: readonly SeriesColumns[];
}

/** One list of parts to be merged with others. */
interface Layer {
  readonly epoch: number;
  readonly sequence: number;
  readonly parts: readonly SeriesPart[];
}

/** Sorted by labels. */
export async function selectWindows(
  windows: readonly SealedWindow[],
  tombstones: readonly Tombstone[],
  selection: Selection & { readonly overlays: readonly Overlay[] },
  pace: Pace,
): Promise<SeriesColumns[]> {
  const layers: Layer[] = [];
  for (const window of windows) {
    const { matchers, fromMs, toMs } = selection;
    const parts = await window.select(matchers, fromMs, toMs, pace);
    const active = tombstones.filter((tombstone) => covers(tombstone, window.header));
    const left = active.length === 0 ? parts : parts.flatMap((part) => withoutDeleted(part, active) ?? []);
    layers.push({ epoch: window.header.epoch, sequence: window.header.sequence, parts: left });
  }
  for (const { epoch, columns } of selection.overlays)
    layers.push({ epoch, sequence: Number.POSITIVE_INFINITY, parts: columns.map(partOf) });
  const filled = layers.filter(({ parts }) => parts.length > 0);
  const [only] = filled;
  const merged = filled.length === 1 && only !== undefined ? only.parts : await mergeAll(filled, pace);
  return sorted(merged.map(columnsOf));
}

/** Sorted. */
export async function seriesOfWindows(
  windows: readonly SealedWindow[],
  tombstones: readonly Tombstone[],
  selection: Selection,
  pace: Pace,
): Promise<Labels[]> {
  const found = new Map<string, Labels>();
  for (const { index, header } of windows) {
    const active = tombstones.filter((tombstone) => covers(tombstone, header));
    const ordinals = await index.find(selection.matchers);
    for (const series of await index.describe(ordinals, selection.fromMs, selection.toMs, pace)) {
      if (!deletesAll(series.labels, series, active)) found.set(series.labels.key(), series.labels);
    }
  }
  return [...found.values()].sort((a, b) => a.compare(b));
}

async function mergeAll(layers: readonly Layer[], pace: Pace): Promise<SeriesPart[]> {
  const bySeries = new Map<string, SeriesPart[]>();
  // Overlays of one epoch stay in their order.
  for (const { parts } of [...layers].sort(comparePrecedence)) {
    for (const part of parts) {
      const key = part.labels.key();
      const others = bySeries.get(key);
      if (others === undefined) bySeries.set(key, [part]);
      else others.push(part);
    }
    await pace.pause();
  }
  const merged: SeriesPart[] = [];
  for (const parts of bySeries.values()) {
    merged.push(mergeParts(parts));
    await pace.pause();
  }
  return merged;
}

function partOf({ timestamps, ...columns }: SeriesColumns): SeriesPart {
  return { ...columns, times: timestamps };
}

function columnsOf({ labels, times, values, histograms, startTimes }: SeriesPart): SeriesColumns {
  return {
    ...{ labels, timestamps: times, values },
    ...(histograms === undefined ? {} : { histograms }),
    ...(startTimes === undefined ? {} : { startTimes }),
  };
}

/** The order of one window's series is the one asked for unless a label name sorts before that of the metric. */
function sorted(columns: SeriesColumns[]): SeriesColumns[] {
  const isSorted = columns.every(
    ({ labels }, i) => i === 0 || (columns[i - 1] as SeriesColumns).labels.compare(labels) < 0,
  );
  return isSorted ? columns : columns.sort((a, b) => a.labels.compare(b.labels));
}
