/**
 * Which windows become one, and their series as one stream. Windows that overlap are joined, windows with deletions are
 * rewritten without them, and the windows of a day that is over become one.
 */
import { joinedWindowMs, windowMs } from './limits.ts';
import { compareMetricFirst } from './order.ts';
import type { Pace } from './pace.ts';
import type { SealedWindow } from './sealed_window.ts';
import { comparePrecedence, mergeParts, type SeriesPart } from './series_part.ts';
import { covers, type Tombstone, withoutDeleted } from './tombstone.ts';
import type { WindowHeader } from './window_header.ts';
import type { SealSeries } from './window_writer.ts';

type Span = Pick<WindowHeader, 'startMs' | 'lengthMs'>;

/** The oldest group of windows that is to be rewritten as one window; empty when there is nothing to do. */
export function planCompaction<T extends { readonly header: WindowHeader }>(
  windows: readonly T[],
  tombstones: readonly Tombstone[],
  nowMs: number,
): T[] {
  const byStart = [...windows].sort((a, b) => a.header.startMs - b.header.startMs);
  for (let at = 0; at < byStart.length; ) {
    const group = groupFrom(byStart, at, nowMs);
    const isDirty = group.some(({ header }) => tombstones.some((tombstone) => covers(tombstone, header)));
    if (group.length > 1 || isDirty) return group;
    at += group.length;
  }
  return [];
}

/** A day that is over, or what overlaps. */
function groupFrom<T extends { readonly header: Span }>(
  byStart: readonly T[],
  at: number,
  nowMs: number,
): T[] {
  const first = byStart[at] as T;
  const dayEndMs = (Math.floor(first.header.startMs / joinedWindowMs) + 1) * joinedWindowMs;
  // The last window of a day is sealed some time after the day's end.
  let endMs = dayEndMs + windowMs <= nowMs ? dayEndMs : first.header.startMs + first.header.lengthMs;
  const group = [first];
  for (const window of byStart.slice(at + 1)) {
    if (window.header.startMs >= endMs) break;
    group.push(window);
    endMs = Math.max(endMs, window.header.startMs + window.header.lengthMs);
  }
  return group;
}

/** The series of all windows in their order, each once, without what was deleted. */
export async function* mergedStream(
  windows: readonly SealedWindow[],
  tombstones: readonly Tombstone[],
  pace: Pace,
): AsyncGenerator<SealSeries> {
  const byPrecedence = [...windows].sort((a, b) => comparePrecedence(a.header, b.header));
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
        );
        if (left !== undefined) parts.push(left);
        heads[i] = await next(streams[i] as AsyncGenerator<SeriesPart>);
      }
      if (parts.length === 0) continue;
      const merged = mergeParts(parts);
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
