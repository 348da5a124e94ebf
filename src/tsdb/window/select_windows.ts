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

/** Sorted by labels. */
export async function selectWindows(
  windows: readonly SealedWindow[],
  tombstones: readonly Tombstone[],
  selection: Selection,
  pace: Pace,
): Promise<SeriesColumns[]> {
  const perWindow: SeriesPart[][] = [];
  for (const window of [...windows].sort((a, b) => comparePrecedence(a.header, b.header))) {
    const { matchers, fromMs, toMs } = selection;
    const parts = await window.select(matchers, fromMs, toMs, pace);
    const active = tombstones.filter((tombstone) => covers(tombstone, window.header));
    perWindow.push(active.length === 0 ? parts : parts.flatMap((part) => withoutDeleted(part, active) ?? []));
  }
  const [only] = perWindow;
  const merged = perWindow.length === 1 && only !== undefined ? only : await mergeAll(perWindow, pace);
  return sorted(merged.map(columnsOf));
}

/** Sorted. */
export async function seriesOfWindows(
  windows: readonly SealedWindow[],
  tombstones: readonly Tombstone[],
  selection: Selection,
): Promise<Labels[]> {
  const found = new Map<string, Labels>();
  for (const { index, header } of windows) {
    const active = tombstones.filter((tombstone) => covers(tombstone, header));
    const ordinals = await index.find(selection.matchers);
    for (const series of await index.describe(ordinals, selection.fromMs, selection.toMs)) {
      if (!deletesAll(series.labels, series, active)) found.set(series.labels.key(), series.labels);
    }
  }
  return [...found.values()].sort((a, b) => a.compare(b));
}

/** The windows' lists come in the order of precedence. */
async function mergeAll(perWindow: readonly SeriesPart[][], pace: Pace): Promise<SeriesPart[]> {
  const bySeries = new Map<string, SeriesPart[]>();
  for (const parts of perWindow) {
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

function columnsOf({ labels, times, values, histograms }: SeriesPart): SeriesColumns {
  const columns = { labels, timestamps: times, values };
  return histograms === undefined ? columns : { ...columns, histograms };
}

/** The order of one window's series is the one asked for unless a label name sorts before that of the metric. */
function sorted(columns: SeriesColumns[]): SeriesColumns[] {
  const isSorted = columns.every(
    ({ labels }, i) => i === 0 || (columns[i - 1] as SeriesColumns).labels.compare(labels) < 0,
  );
  return isSorted ? columns : columns.sort((a, b) => a.labels.compare(b.labels));
}
