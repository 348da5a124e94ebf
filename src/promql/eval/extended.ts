/**
 * `anchored` and `smoothed` selectors: windows that also see samples outside of their range. An anchored window
 * starts with the last sample at or before its start; a smoothed one has its values at both edges interpolated
 * between the samples on either side.
 */
import type { Window } from './windows.ts';

export type Extension = 'anchored' | 'smoothed';

/** The window's first and last sample that count, and the values at its edges. */
export interface Edges {
  readonly first: number;
  readonly last: number;
  readonly left: number;
  readonly right: number;
}

/** Where the samples of an extended window are: not empty, and possibly beyond its edges. */
export interface WindowBounds {
  readonly timestamps: Float64Array;
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** The position of the newest sample that is not after the window's start; the first where all are. */
export function firstEdge({ timestamps, from, to, startMs }: WindowBounds): number {
  let first = from;
  while (first < to - 1 && (timestamps[first] as number) <= startMs) first++;
  return Math.max(from, first - 1);
}

/** The position of the last sample; of a smoothed window that of the first one not before its end. */
export function lastEdge({ timestamps, from, to, endMs }: WindowBounds, smoothed: boolean): number {
  if (!smoothed) return to - 1;
  let last = from;
  while (last < to - 1 && (timestamps[last] as number) < endMs) last++;
  return last;
}

/** Undefined when no sample is after the window's start. The window must not be empty. */
function edgesOf(window: Window, extension: Extension, isCounter: boolean): Edges | undefined {
  const { timestamps, values, from, startMs, endMs } = window;
  const smoothed = extension === 'smoothed';
  const first = firstEdge(window);
  const last = lastEdge(window, smoothed);
  if ((timestamps[last] as number) <= startMs) return undefined;
  const interpolatesLeft = smoothed && (timestamps[first] as number) < startMs;
  const interpolatesRight = smoothed && last > from && (timestamps[last] as number) > endMs;
  return {
    first,
    last,
    left: interpolatesLeft ? interpolate(window, first, startMs, isCounter) : (values[first] as number),
    right: interpolatesRight ? interpolate(window, last - 1, endMs, isCounter) : (values[last] as number),
  };
}

/** The value between two neighbouring samples; a counter that was reset in between starts at zero. */
export function interpolate(
  { timestamps, values }: Pick<Window, 'timestamps' | 'values'>,
  index: number,
  atMs: number,
  isCounter: boolean,
): number {
  const before = values[index] as number;
  const after = values[index + 1] as number;
  const beforeMs = timestamps[index] as number;
  const afterMs = timestamps[index + 1] as number;
  const start = isCounter && after < before ? 0 : before;
  return start + ((after - start) * (atMs - beforeMs)) / (afterMs - beforeMs);
}

/** The difference of the edges' values, counter resets strictly inside added back. */
export function edgeDifference(window: Window, extension: Extension, isCounter: boolean): number | undefined {
  const edges = edgesOf(window, extension, isCounter);
  if (edges === undefined) return undefined;
  const { timestamps, values, startMs, endMs } = window;
  if (extension === 'smoothed' && (timestamps[edges.first] as number) > endMs) return undefined;
  let result = edges.right - edges.left;
  if (!isCounter) return result;
  const first = (timestamps[edges.first] as number) <= startMs ? edges.first + 1 : edges.first;
  const last = (timestamps[edges.last] as number) >= endMs ? edges.last - 1 : edges.last;
  let previous = edges.left;
  for (let i = first; i <= last; i++) {
    const value = values[i] as number;
    if (value < previous) result += previous;
    previous = value;
  }
  if (edges.right < previous) result += previous;
  return result;
}

/** The samples of an extended range vector that is itself the result: its edges, and what is strictly inside. */
export function extendedSamples(
  window: Window,
  extension: Extension,
): { timestamps: Float64Array; values: Float64Array } | undefined {
  const edges = edgesOf(window, extension, false);
  if (edges === undefined) return undefined;
  const { timestamps, values, startMs, endMs } = window;
  const first = (timestamps[edges.first] as number) <= startMs ? edges.first + 1 : edges.first;
  const last = (timestamps[edges.last] as number) >= endMs ? edges.last - 1 : edges.last;
  const inside = timestamps.subarray(first, Math.max(first, last + 1));
  return {
    timestamps: Float64Array.from([startMs, ...inside, endMs]),
    values: Float64Array.from([edges.left, ...values.subarray(first, first + inside.length), edges.right]),
  };
}
