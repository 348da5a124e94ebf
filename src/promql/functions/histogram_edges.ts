/**
 * rate, increase and delta of histograms in anchored and smoothed windows: as extended.ts has it for floats, the
 * difference of the window's edges, resets strictly inside added back.
 */
import { CounterResetHint, type FloatHistogram } from '../../model/index.ts';
import { type Extension, firstEdge, lastEdge } from '../eval/extended.ts';
import { interpolateHistograms } from '../eval/histogram_interpolation.ts';
import type { HistogramWindow } from '../eval/mixed_windows.ts';
import type { SeriesNotes } from '../eval/notes.ts';
import { combined, isGauge } from './histogram_change.ts';

interface Edges {
  /** Indexes of the first and the last histogram that count. */
  readonly first: number;
  readonly last: number;
  readonly left: FloatHistogram;
  readonly right: FloatHistogram;
}

/** Undefined when nothing is inside, or, with a note, when kinds of buckets are mixed. The window must not be empty. */
export function histogramEdgeDifference(
  window: HistogramWindow,
  extension: Extension,
  isCounter: boolean,
  notes: SeriesNotes,
): FloatHistogram | undefined {
  const edges = edgesOf(window, extension, isCounter, notes);
  if (edges === undefined) return undefined;
  const { left, right } = edges;
  if (!isCounter && (!isGauge(left) || !isGauge(right))) notes.notGauge();
  let result = combined(right.sub(left), 'subtraction', notes);
  if (isCounter) {
    const correction = resetCorrection(window, edges, extension, notes);
    if (correction !== undefined) result = combined(result.add(correction), 'addition', notes);
  }
  return result.withHint(CounterResetHint.Gauge).compact();
}

function edgesOf(
  window: HistogramWindow,
  extension: Extension,
  isCounter: boolean,
  notes: SeriesNotes,
): Edges | undefined {
  const { timestamps, from, startMs, endMs } = window;
  const smoothed = extension === 'smoothed';
  const first = firstEdge(window);
  const last = lastEdge(window, smoothed);
  if ((timestamps[last] as number) <= startMs) return undefined;
  if (smoothed && (timestamps[first] as number) > endMs) return undefined;
  if (!isUsable(window, first, last, isCounter, notes)) return undefined;
  const between = (index: number, atMs: number): FloatHistogram =>
    interpolateHistograms(
      { histogram: window.at(index), atMs: timestamps[index] as number },
      { histogram: window.at(index + 1), atMs: timestamps[index + 1] as number },
      atMs,
      isCounter,
      notes,
    );
  const interpolatesLeft = smoothed && (timestamps[first] as number) < startMs;
  const interpolatesRight = smoothed && last > from && (timestamps[last] as number) > endMs;
  return {
    first,
    last,
    left: interpolatesLeft ? between(first, startMs) : window.at(first),
    right: interpolatesRight ? between(last - 1, endMs) : window.at(last),
  };
}

function isUsable(
  window: HistogramWindow,
  first: number,
  last: number,
  isCounter: boolean,
  notes: SeriesNotes,
): boolean {
  const custom = window.at(first).usesCustomBuckets;
  for (let i = first; i <= last; i++) {
    const histogram = window.at(i);
    if (histogram.usesCustomBuckets !== custom) {
      notes.mixedSchemas();
      return false;
    }
    if (isCounter && isGauge(histogram)) notes.notCounter();
  }
  return true;
}

/** What the counter had reached before each reset between the edges; undefined when there was none. */
function resetCorrection(
  window: HistogramWindow,
  { first, last, left, right }: Edges,
  extension: Extension,
  notes: SeriesNotes,
): FloatHistogram | undefined {
  let at = first + 1;
  let previous = left;
  const interpolated = extension === 'smoothed' && (window.timestamps[first] as number) < window.startMs;
  if (interpolated && window.isReset(first + 1)) {
    // The left edge lies behind that reset already.
    previous = window.at(first + 1);
    at++;
  }
  // The last histogram is, or is behind, the right edge, which is looked at by itself.
  if (at > last) return undefined;
  let correction: FloatHistogram | undefined;
  const addBack = (histogram: FloatHistogram): void => {
    correction =
      correction === undefined ? histogram : combined(correction.add(histogram), 'addition', notes);
  };
  for (; at < last; at++) {
    if (window.at(at).detectReset(previous)) addBack(previous);
    previous = window.at(at);
  }
  if (right.detectReset(previous)) addBack(previous);
  return correction;
}
