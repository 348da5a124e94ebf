/**
 * Histograms between two samples, for smoothed selectors: every count and the sum on a straight line.
 */
import type { FloatHistogram } from '../../model/index.ts';
import type { SeriesNotes } from './notes.ts';

export interface HistogramSample {
  readonly histogram: FloatHistogram;
  readonly atMs: number;
}

/** A counter that was reset in between starts at zero. Throws HistogramError for two of different kinds. */
export function interpolateHistograms(
  before: HistogramSample,
  after: HistogramSample,
  atMs: number,
  isCounter: boolean,
  notes: SeriesNotes,
): FloatHistogram {
  if (atMs === before.atMs) return before.histogram;
  if (atMs === after.atMs) return after.histogram;
  const fraction = (atMs - before.atMs) / (after.atMs - before.atMs);
  if (isCounter && after.histogram.detectReset(before.histogram)) return after.histogram.scale(fraction);
  const difference = after.histogram.sub(before.histogram);
  if (difference.boundsReconciled) notes.reconciledBounds('subtraction');
  const sum = difference.histogram.scale(fraction).add(before.histogram);
  if (sum.boundsReconciled) notes.reconciledBounds('addition');
  return sum.histogram;
}
