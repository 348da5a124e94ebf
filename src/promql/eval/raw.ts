/**
 * The raw series that were fetched for a selector, and what must be seen to before they are used.
 */
import { isStaleNaN, type SeriesColumns } from '../../model/index.ts';
import { ExecutionError, UnsupportedError } from '../errors.ts';
import type { VectorSelector } from '../parse/tree.ts';
import type { Evaluator } from './context.ts';

/** The fetched series of a selector. */
export function seriesOf(node: VectorSelector, evaluator: Evaluator): readonly SeriesColumns[] {
  const columns = evaluator.context.data.get(node);
  if (columns === undefined) throw new ExecutionError('the data of a selector was not fetched');
  return columns;
}

/** Throws UnsupportedError when a sample in the index range is a native histogram. */
export function refuseHistograms(columns: SeriesColumns, from: number, to: number): void {
  if (columns.histograms === undefined) return;
  for (let i = from; i < to; i++) if (columns.histograms[i]) throw new UnsupportedError('native histograms');
}

/** The series without its staleness markers; itself when it has none. */
export function withoutStale(columns: SeriesColumns): SeriesColumns {
  refuseHistograms(columns, 0, columns.timestamps.length);
  const { values, timestamps } = columns;
  let kept = 0;
  const isKept = (i: number): boolean => {
    const value = values[i] as number;
    return !Number.isNaN(value) || !isStaleNaN(values, i);
  };
  for (let i = 0; i < values.length; i++) if (isKept(i)) kept++;
  if (kept === values.length) return columns;
  const keptTimestamps = new Float64Array(kept);
  const keptValues = new Float64Array(kept);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    if (!isKept(i)) continue;
    keptTimestamps[at] = timestamps[i] as number;
    keptValues[at++] = values[i] as number;
  }
  return { labels: columns.labels, timestamps: keptTimestamps, values: keptValues };
}
