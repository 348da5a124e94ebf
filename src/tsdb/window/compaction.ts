/**
 * Which windows become one, and their series as one stream. Windows of one epoch that overlap are joined, windows with
 * deletions are rewritten without them, and the windows of a day that is over become one: within an epoch at first, of all
 * epochs a day later.
 */
import { ColumnArena } from './column_arena.ts';
import { joinedWindowMs, windowMs } from './limits.ts';
import { compareMetricFirst } from './order.ts';
import type { Pace } from './pace.ts';
import type { SealedWindow } from './sealed_window.ts';
import { comparePrecedence, mergeParts, type SeriesPart } from './series_part.ts';
import { covers, type Tombstone, withoutDeleted } from './tombstone.ts';
import type { WindowHeader } from './window_header.ts';
import type { SealSeries } from './window_writer.ts';

interface Compactable {
  readonly header: WindowHeader;
}

/**
 * The oldest group of windows that is to be rewritten as one window; empty when there is nothing to do. Groups with a window
 * that `isBlocked` are left alone.
 */
export function planCompaction<T extends Compactable>(
  windows: readonly T[],
  tombstones: readonly Tombstone[],
  nowMs: number,
  isBlocked: (window: T) => boolean = () => false,
): T[] {
  const days = new Map<number, T[]>();
  for (const window of windows) {
    const day = Math.floor(window.header.startMs / joinedWindowMs);
    days.set(day, [...(days.get(day) ?? []), window]);
  }
  for (const day of [...days.keys()].sort((a, b) => a - b)) {
    for (const group of groupsOfDay(days.get(day) ?? [], (day + 1) * joinedWindowMs, nowMs)) {
      const isDirty = group.some(({ header }) => tombstones.some((tombstone) => covers(tombstone, header)));
      if ((group.length > 1 || isDirty) && !group.some(isBlocked)) return group;
    }
  }
  return [];
}

/** Windows of one day that belong together, the oldest first. */
function groupsOfDay<T extends Compactable>(windows: readonly T[], dayEndMs: number, nowMs: number): T[][] {
  const byStart = [...windows].sort((a, b) => a.header.startMs - b.header.startMs);
  const endMs = Math.max(...byStart.map(({ header }) => header.startMs + header.lengthMs));
  // Joined samples all have the highest epoch of the windows, so that until replicas have handed over what the others lacked
  // each epoch keeps its windows.
  if (endMs + joinedWindowMs + windowMs <= nowMs) return [byStart];
  const epochs = new Set(byStart.map(({ header }) => header.epoch));
  const groups = [...epochs].flatMap((epoch) => {
    const ofEpoch = byStart.filter(({ header }) => header.epoch === epoch);
    // The last window of a day is sealed some time after the day's end.
    return dayEndMs + windowMs <= nowMs ? [ofEpoch] : overlapping(ofEpoch);
  });
  return groups.sort(([a], [b]) => (a?.header.startMs ?? 0) - (b?.header.startMs ?? 0));
}

/** Splits windows, sorted by their start, where no window crosses. */
function overlapping<T extends Compactable>(byStart: readonly T[]): T[][] {
  const groups: T[][] = [];
  let endMs = Number.NEGATIVE_INFINITY;
  for (const window of byStart) {
    const { startMs, lengthMs } = window.header;
    if (startMs >= endMs) groups.push([window]);
    else groups.at(-1)?.push(window);
    endMs = Math.max(endMs, startMs + lengthMs);
  }
  return groups;
}

/** The series of all windows in their order, each once, without what was deleted. */
export async function* mergedStream(
  windows: readonly SealedWindow[],
  tombstones: readonly Tombstone[],
  pace: Pace,
): AsyncGenerator<SealSeries> {
  const byPrecedence = [...windows].sort((a, b) => comparePrecedence(a.header, b.header));
  const arena = new ColumnArena();
  const streams = byPrecedence.map((window) => window.stream(pace));
  try {
    const heads: (SeriesPart | undefined)[] = [];
    for (const stream of streams) heads.push(await next(stream));
    for (let labels = smallest(heads); labels !== undefined; labels = smallest(heads)) {
      const parts: SeriesPart[] = [];
      for (const [i, head] of heads.entries()) {
        if (head === undefined || !head.labels.equals(labels)) continue;
        const { header } = byPrecedence[i] as SealedWindow;
        const left = withoutDeleted(
          head,
          tombstones.filter((tombstone) => covers(tombstone, header)),
          arena,
        );
        if (left !== undefined) parts.push(left);
        heads[i] = await next(streams[i] as AsyncGenerator<SeriesPart>);
      }
      if (parts.length === 0) continue;
      const merged = mergeParts(parts, arena);
      yield { ...merged, count: merged.times.length };
    }
  } finally {
    for (const stream of streams) await stream.return(undefined);
  }
}

async function next(stream: AsyncGenerator<SeriesPart>): Promise<SeriesPart | undefined> {
  const step = await stream.next();
  return step.done === true ? undefined : step.value;
}

function smallest(heads: readonly (SeriesPart | undefined)[]): SeriesPart['labels'] | undefined {
  let labels: SeriesPart['labels'] | undefined;
  for (const head of heads) {
    if (head === undefined) continue;
    if (labels === undefined || compareMetricFirst(head.labels, labels) < 0) labels = head.labels;
  }
  return labels;
}
