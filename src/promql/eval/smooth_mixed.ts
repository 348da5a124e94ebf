/**
 * `smoothed` instant selectors of series that have native histograms: the histogram at the step, between the samples
 * around it. Where floats are among those nothing is.
 */
import { CounterResetHint, type FloatHistogram, type SeriesColumns } from '../../model/index.ts';
import type { StepSeries } from '../types.ts';
import { interpolate } from './extended.ts';
import { type Grid, lookupMs, type Shift } from './grid.ts';
import { interpolateHistograms } from './histogram_interpolation.ts';
import type { SeriesNotes } from './notes.ts';
import { noHistograms } from './values.ts';

/** The series must have no staleness markers. */
export function smoothMixed(
  columns: SeriesColumns,
  grid: Grid,
  shift: Shift,
  lookbackMs: number,
  notes: SeriesNotes,
): StepSeries {
  const { labels, timestamps } = columns;
  const values = new Float64Array(grid.steps);
  const present = new Uint8Array(grid.steps);
  const histograms = noHistograms(grid.steps);
  let from = 0;
  let to = 0;
  for (let step = 0; step < grid.steps; step++) {
    const atMs = lookupMs(grid, shift, step);
    while (to < timestamps.length && (timestamps[to] as number) <= atMs + lookbackMs) to++;
    while (from < to && (timestamps[from] as number) <= atMs - lookbackMs) from++;
    const value = smoothedAt(columns, from, to, atMs, notes);
    if (value === undefined) continue;
    present[step] = 1;
    if (typeof value === 'number') values[step] = value;
    else histograms[step] = value;
  }
  return { labels, values, present, histograms };
}

function smoothedAt(
  columns: SeriesColumns,
  from: number,
  to: number,
  atMs: number,
  notes: SeriesNotes,
): number | FloatHistogram | undefined {
  const { timestamps, values, histograms } = columns;
  let count = 0;
  let next = to;
  for (let i = from; i < to; i++) {
    if (histograms?.[i]) count++;
    if (next === to && (timestamps[i] as number) >= atMs) next = i;
  }
  if (count > 0 && count < to - from) return void notes.mixedTypes();
  const isExact = next < to && timestamps[next] === atMs;
  if (from === to || (next === from && !isExact)) return undefined;
  if (count > 0) return smoothedHistogram(columns, next, to, atMs, notes);
  if (isExact) return values[next];
  return next === to ? values[next - 1] : interpolate(columns, next - 1, atMs, false);
}

/** `next` is the first sample at or after the time, `to` when there is none. */
function smoothedHistogram(
  { timestamps, histograms }: SeriesColumns,
  next: number,
  to: number,
  atMs: number,
  notes: SeriesNotes,
): FloatHistogram | undefined {
  const after = next < to ? histograms?.[next] : undefined;
  if (after && timestamps[next] === atMs) return after;
  const before = histograms?.[next - 1];
  if (!before) return undefined;
  // What it says of the sample before it is not so of the step before.
  if (!after) return before.withHint(CounterResetHint.Unknown);
  if (before.usesCustomBuckets !== after.usesCustomBuckets) return void notes.mixedSchemas();
  const { Gauge } = CounterResetHint;
  const isCounter = before.counterResetHint !== Gauge || after.counterResetHint !== Gauge;
  return interpolateHistograms(
    { histogram: before, atMs: timestamps[next - 1] as number },
    { histogram: after, atMs: timestamps[next] as number },
    atMs,
    isCounter,
    notes,
  );
}
