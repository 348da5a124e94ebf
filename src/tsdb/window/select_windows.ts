/** What several windows of a shard have together: their parts of each series merged, without what was deleted. */
import type { Matcher, SeriesColumns } from '../../model/index.ts';
import { ColumnArena } from './column_arena.ts';
import { sortedBy } from './label_lists.ts';
import { mapPaced, type Pace } from './pace.ts';
import type { SealedWindow } from './sealed_window.ts';
import { comparePrecedence, mergeParts, type SeriesPart } from './series_part.ts';
import { covers, type Tombstone, withoutDeleted } from './tombstone.ts';

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
  const overlays = selection.overlays.filter(({ columns }) => columns.length > 0);
  const [overlay] = overlays;
  if (windows.length === 0 && overlays.length <= 1) return [...(overlay?.columns ?? [])];
  const layers: Layer[] = [];
  for (const window of windows) {
    const { matchers, fromMs, toMs } = selection;
    const parts = await window.select(matchers, fromMs, toMs, pace);
    const active = tombstones.filter((tombstone) => covers(tombstone, window.header));
    const { epoch, sequence } = window.header;
    layers.push({ epoch, sequence, parts: active.length === 0 ? parts : await cut(parts, active, pace) });
  }
  for (const { epoch, columns } of overlays) {
    const parts = await mapPaced(columns.filter(isFilled), partOf, pace);
    layers.push({ epoch, sequence: Number.POSITIVE_INFINITY, parts });
  }
  const filled = layers.filter(({ parts }) => parts.length > 0);
  const [only] = filled;
  const merged = filled.length === 1 && only !== undefined ? only.parts : await mergeAll(filled, pace);
  // The order of one window's series is the one asked for unless a label name sorts before that of the metric.
  return sortedBy(await mapPaced(merged, columnsOf, pace), (a, b) => a.labels.compare(b.labels), pace);
}

async function cut(
  parts: readonly SeriesPart[],
  tombstones: readonly Tombstone[],
  pace: Pace,
): Promise<SeriesPart[]> {
  const left: SeriesPart[] = [];
  const arena = new ColumnArena();
  for (const part of parts) {
    const one = withoutDeleted(part, tombstones, arena);
    if (one !== undefined) left.push(one);
    await pace.pause();
  }
  return left;
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
      // Mostly there is nothing to wait for, and waiting for that costs, too.
      const rest = pace.pause();
      if (rest !== undefined) await rest;
    }
  }
  const merged: SeriesPart[] = [];
  const arena = new ColumnArena();
  for (const parts of bySeries.values()) {
    merged.push(mergeParts(parts, arena));
    const rest = pace.pause();
    if (rest !== undefined) await rest;
  }
  return merged;
}

function isFilled({ timestamps }: SeriesColumns): boolean {
  return timestamps.length > 0;
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
