/**
 * The raw series that were fetched for a selector, and what must be seen to before they are used.
 */
import { type FloatHistogram, isStaleNaN, type SeriesColumns } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { VectorSelector } from '../parse/tree.ts';
import type { Evaluator } from './context.ts';

/** The fetched series of a selector. */
export function seriesOf(node: VectorSelector, evaluator: Evaluator): readonly SeriesColumns[] {
  const columns = evaluator.context.data.get(node);
  if (columns === undefined) throw new ExecutionError('the data of a selector was not fetched');
  return columns;
}

/** Whether the sample at an index is a staleness marker, of a float or of a histogram. */
export function isStale({ values, histograms }: SeriesColumns, index: number): boolean {
  const histogram = histograms?.[index];
  if (histogram) return histogram.isStale;
  return Number.isNaN(values[index] as number) && isStaleNaN(values, index);
}

/** The series without its staleness markers; itself when it has none. */
export function withoutStale(columns: SeriesColumns): SeriesColumns {
  const { values, timestamps, histograms, startTimes } = columns;
  if (histograms === undefined && !hasNaN(values)) return columns;
  let kept = 0;
  for (let i = 0; i < values.length; i++) if (!isStale(columns, i)) kept++;
  if (kept === values.length) return columns;
  const keptTimestamps = new Float64Array(kept);
  const keptValues = new Float64Array(kept);
  const keptHistograms: (FloatHistogram | null)[] = [];
  const keptStartTimes = new Float64Array(kept);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    if (isStale(columns, i)) continue;
    keptTimestamps[at] = timestamps[i] as number;
    keptValues[at] = values[i] as number;
    if (histograms !== undefined) keptHistograms.push(histograms[i] ?? null);
    if (startTimes !== undefined) keptStartTimes[at] = startTimes[i] as number;
    at++;
  }
  return {
    labels: columns.labels,
    timestamps: keptTimestamps,
    values: keptValues,
    ...(histograms === undefined ? {} : { histograms: keptHistograms }),
    ...(startTimes === undefined ? {} : { startTimes: keptStartTimes }),
  };
}

export function hasNaN(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** Whether no value is NaN or below the one before it: then there are neither resets nor staleness markers. */
export function isRising(values: Float64Array): boolean {
  let previous = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(value >= previous)) return false;
    previous = value;
  }
  return true;
}
