/**
 * Instant selectors: at each step the newest sample inside the lookback window, nothing when that is a staleness
 * marker.
 */
import { type FloatHistogram, isStaleNaN, type Labels, type SeriesColumns } from '../../model/index.ts';
import type { VectorSelector } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import type { Evaluator, QueryContext } from './context.ts';
import { interpolate } from './extended.ts';
import { type Grid, lookupMs, type Shift, shiftOf } from './grid.ts';
import { SeriesNotes } from './notes.ts';
import { hasNaN, isStale, seriesOf, withoutStale } from './raw.ts';
import { smoothMixed } from './smooth_mixed.ts';
import { type ColumnSource, PassingColumns, type StepCells, StepColumns } from './step_columns.ts';
import { type StepWindows, StepWindowsCache } from './step_windows.ts';
import { histogramSize, noHistograms, sampleCount, type TakeSeries, type VectorValue } from './values.ts';

/** What a step of the result holds: the sample's value, or its time or start time in seconds. */
export type SelectorOutput = 'values' | 'timestamps' | 'startTimes';

/** Series without any value are left out. `anchored` says nothing about an instant and changes nothing. */
export async function evaluateSelector(
  node: VectorSelector,
  evaluator: Evaluator,
  output: SelectorOutput = 'values',
): Promise<VectorValue> {
  const series: StepSeries[] = [];
  await eachSelected(node, evaluator, output, new StepColumns(evaluator), (one) => series.push(one));
  return { type: 'vector', series };
}

/** The same for series that pass by; see Evaluator.each. */
export async function passSelector(
  node: VectorSelector,
  evaluator: Evaluator,
  take: TakeSeries,
): Promise<void> {
  await eachSelected(node, evaluator, 'values', new PassingColumns(evaluator.grid.steps), take);
}

async function eachSelected(
  node: VectorSelector,
  evaluator: Evaluator,
  output: SelectorOutput,
  cells: ColumnSource,
  take: TakeSeries,
): Promise<void> {
  const { context, grid } = evaluator;
  const shift = shiftOf(node, context.times);
  const { lookbackMs } = context.options;
  const windows = new StepWindowsCache(grid, shift, lookbackMs);
  for (const columns of seriesOf(node, evaluator)) {
    const stepped =
      output === 'values' && node.extension === 'smoothed'
        ? smoothSeries(columns, grid, shift, node, context)
        : output === 'values' && columns.histograms === undefined
          ? stepFloats(columns, windows.of(columns.timestamps), cells)
          : stepSeries(columns, grid, shift, lookbackMs, output);
    if (stepped.count > 0) {
      evaluator.counts.addSeries(stepped.series, stepped.count);
      context.hold(stepped.count);
      take(stepped.series);
    }
    if (context.due) await context.pause();
  }
}

interface SteppedSeries {
  readonly series: StepSeries;
  readonly count: number;
}

/** `smoothed`: the value at the step, between the samples around it; before the first there is none. */
function smoothSeries(
  all: SeriesColumns,
  grid: Grid,
  shift: Shift,
  node: VectorSelector,
  { annotations, options }: QueryContext,
): SteppedSeries {
  const columns = withoutStale(all);
  const { lookbackMs } = options;
  if (columns.histograms !== undefined) {
    const notes = new SeriesNotes(annotations, node.span, columns.labels.metricName);
    const series = smoothMixed(columns, grid, shift, lookbackMs, notes);
    return { series, count: sampleCount([series]) };
  }
  const { timestamps } = columns;
  const values = new Float64Array(grid.steps);
  const present = new Uint8Array(grid.steps);
  let count = 0;
  let next = 0;
  for (let step = 0; step < grid.steps; step++) {
    const atMs = lookupMs(grid, shift, step);
    while (next < timestamps.length && (timestamps[next] as number) < atMs) next++;
    const after = timestamps[next] ?? Number.POSITIVE_INFINITY;
    const before = next > 0 ? (timestamps[next - 1] as number) : Number.NEGATIVE_INFINITY;
    if (after === atMs) values[step] = columns.values[next] as number;
    else if (before <= atMs - lookbackMs) continue;
    else if (after > atMs + lookbackMs) values[step] = columns.values[next - 1] as number;
    else values[step] = interpolate(columns, next - 1, atMs, false);
    present[step] = 1;
    count++;
  }
  return { series: { labels: columns.labels, values, present }, count };
}

function stepSeries(
  columns: SeriesColumns,
  grid: Grid,
  shift: Shift,
  lookbackMs: number,
  output: SelectorOutput,
): SteppedSeries {
  return output === 'values'
    ? stepMixed(columns, columns.histograms ?? [], grid, shift, lookbackMs)
    : stepTimes(columns, grid, shift, lookbackMs, output);
}

/** Of each window over the lookback the last sample. */
function stepFloats(
  { labels, values: samples }: SeriesColumns,
  windows: StepWindows,
  cells: ColumnSource,
): SteppedSeries {
  const { from, to, isPaced } = windows;
  const coverage = windows.withAtLeast(1);
  if (isPaced && cells.takesShared) {
    const first = (to[0] as number) - 1;
    const values = samples.subarray(first, first + to.length);
    if (hasNaN(values)) return stepStale(labels, samples, windows, cells.next());
    return { series: { labels, values, present: coverage.present }, count: coverage.count };
  }
  const { values, present } = cells.nextCovering(coverage);
  for (let step = 0; step < values.length; step++) {
    const end = to[step] as number;
    if (end === from[step]) continue;
    const value = samples[end - 1] as number;
    if (Number.isNaN(value)) return stepStale(labels, samples, windows, cells.next());
    values[step] = value;
  }
  return { series: { labels, values, present }, count: coverage.count };
}

/** The same for series that may have staleness markers. */
function stepStale(
  labels: Labels,
  samples: Float64Array,
  { from, to }: StepWindows,
  { values, present }: StepCells,
): SteppedSeries {
  let count = 0;
  for (let step = 0; step < values.length; step++) {
    const end = to[step] as number;
    if (end === from[step]) continue;
    const value = samples[end - 1] as number;
    if (Number.isNaN(value) && isStaleNaN(samples, end - 1)) continue;
    values[step] = value;
    present[step] = 1;
    count++;
  }
  return { series: { labels, values, present }, count };
}

/** Calls `take` for each step that has a sample, with the sample's index. */
function eachStep(
  columns: SeriesColumns,
  grid: Grid,
  shift: Shift,
  lookbackMs: number,
  take: (step: number, index: number) => void,
): void {
  const { timestamps } = columns;
  let next = 0;
  for (let step = 0; step < grid.steps; step++) {
    const atMs = lookupMs(grid, shift, step);
    while (next < timestamps.length && (timestamps[next] as number) <= atMs) next++;
    const index = next - 1;
    if (index < 0 || (timestamps[index] as number) <= atMs - lookbackMs) continue;
    if (!isStale(columns, index)) take(step, index);
  }
}

/** A series that has histograms, perhaps beside floats. */
function stepMixed(
  columns: SeriesColumns,
  samples: readonly (FloatHistogram | null)[],
  grid: Grid,
  shift: Shift,
  lookbackMs: number,
): SteppedSeries {
  const values = new Float64Array(grid.steps);
  const present = new Uint8Array(grid.steps);
  const histograms = noHistograms(grid.steps);
  let count = 0;
  eachStep(columns, grid, shift, lookbackMs, (step, index) => {
    const histogram = samples[index] ?? null;
    histograms[step] = histogram;
    if (histogram === null) values[step] = columns.values[index] as number;
    present[step] = 1;
    count += histogram === null ? 1 : histogramSize(histogram);
  });
  return { series: { labels: columns.labels, values, present, histograms }, count };
}

/** Floats and histograms alike; a start time that is not known is 0. */
function stepTimes(
  columns: SeriesColumns,
  grid: Grid,
  shift: Shift,
  lookbackMs: number,
  output: 'timestamps' | 'startTimes',
): SteppedSeries {
  const values = new Float64Array(grid.steps);
  const present = new Uint8Array(grid.steps);
  const times = columns[output];
  let count = 0;
  eachStep(columns, grid, shift, lookbackMs, (step, index) => {
    values[step] = (times?.[index] ?? 0) / 1000;
    present[step] = 1;
    count++;
  });
  return { series: { labels: columns.labels, values, present }, count };
}
