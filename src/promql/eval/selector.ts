/**
 * Instant selectors: at each step the newest sample inside the lookback window, nothing when that is a staleness
 * marker.
 */
import { isStaleNaN, type SeriesColumns } from '../../model/index.ts';
import { ExecutionError, UnsupportedError } from '../errors.ts';
import type { VectorSelector } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import type { Evaluator } from './context.ts';
import { type Grid, lookupMs, type Shift, shiftOf } from './grid.ts';
import type { VectorValue } from './values.ts';

/** What a step of the result holds: the sample's value, or its time in seconds. */
export type SelectorOutput = 'values' | 'timestamps';

/** Series without any value are left out. */
export async function evaluateSelector(
  node: VectorSelector,
  evaluator: Evaluator,
  output: SelectorOutput = 'values',
): Promise<VectorValue> {
  const { context, grid } = evaluator;
  if (node.extension !== undefined) throw new UnsupportedError('anchored and smoothed selectors');
  const shift = shiftOf(node, context.times);
  const series: StepSeries[] = [];
  for (const columns of seriesOf(node, evaluator)) {
    const stepped = stepSeries(columns, grid, shift, context.options.lookbackMs, output);
    if (stepped.count > 0) {
      series.push(stepped.series);
      context.hold(stepped.count);
    }
    if (context.due) await context.pause();
  }
  return { type: 'vector', series };
}

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

function stepSeries(
  columns: SeriesColumns,
  grid: Grid,
  shift: Shift,
  lookbackMs: number,
  output: SelectorOutput,
): { series: StepSeries; count: number } {
  const { timestamps, values: samples } = columns;
  const values = new Float64Array(grid.steps);
  const present = new Uint8Array(grid.steps);
  let count = 0;
  let next = 0;
  for (let step = 0; step < grid.steps; step++) {
    const atMs = lookupMs(grid, shift, step);
    while (next < timestamps.length && (timestamps[next] as number) <= atMs) next++;
    const index = next - 1;
    if (index < 0 || (timestamps[index] as number) <= atMs - lookbackMs) continue;
    refuseHistograms(columns, index, next);
    const value = samples[index] as number;
    if (Number.isNaN(value) && isStaleNaN(samples, index)) continue;
    values[step] = output === 'values' ? value : (timestamps[index] as number) / 1000;
    present[step] = 1;
    count++;
  }
  return { series: { labels: columns.labels, values, present }, count };
}
