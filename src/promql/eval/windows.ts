/**
 * Range vectors: for each series and step the samples inside (end - range, end], shown to a kernel as a window
 * over the series' columns, without copying. Staleness markers are taken out once per series.
 */
import { CounterResetHint, type FloatHistogram, type SeriesColumns } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import { resolveDuration } from '../parse/durations.ts';
import { type Expr, type MatrixSelector, type SubqueryExpr, unwrapParens } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import type { Evaluator } from './context.ts';
import type { Extension } from './extended.ts';
import { type Grid, lookupMs, type Shift, shiftOf, subqueryGrid } from './grid.ts';
import { seriesOf, withoutStale } from './raw.ts';

/** One series' samples without staleness markers. */
export interface RangeSeries extends SeriesColumns {
  /** As in StepSeries; set by subqueries. */
  readonly dropName?: boolean;
}

export interface RangeVector {
  readonly series: readonly RangeSeries[];
  readonly shift: Shift;
  readonly rangeMs: number;
  readonly extension?: Extension;
  /** How far beyond the range an extended window looks. */
  readonly lookbackMs: number;
}

/** What a kernel sees of a series at one step; reused between steps. */
export class Window {
  timestamps: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);
  /** Samples from <= i < to. */
  from = 0;
  to = 0;
  /** The window's open left and closed right edge. */
  startMs = 0;
  endMs = 0;
  /** Set when samples outside of the edges are among from..to. */
  extension: Extension | undefined;
  /** The evaluation time, which offset and `@` do not move. */
  stepMs = 0;
  /** Set by a kernel that returns true. */
  result = 0;

  #resets: number[] | undefined;
  #nextReset = 0;

  get count(): number {
    return this.to - this.from;
  }

  /** `change` plus the value that a counter had before each of its resets inside the window, one after the other. */
  withResets(change: number): number {
    this.#resets ??= resetIndexes(this.values);
    const resets = this.#resets;
    // Windows only move forward, and so does the first reset inside.
    while (this.#nextReset < resets.length && (resets[this.#nextReset] as number) <= this.from)
      this.#nextReset++;
    let total = change;
    for (let k = this.#nextReset; k < resets.length; k++) {
      const index = resets[k] as number;
      if (index >= this.to) break;
      total += this.values[index - 1] as number;
    }
    return total;
  }
}

/** Where a value is below the one before it. */
function resetIndexes(values: Float64Array): number[] {
  const indexes: number[] = [];
  for (let i = 1; i < values.length; i++) {
    if ((values[i] as number) < (values[i - 1] as number)) indexes.push(i);
  }
  return indexes;
}

/** Computes the window's result. Returns false when there is none. `args` are the other arguments at this step. */
export type WindowKernel = (window: Window, args: Float64Array) => boolean;

/** Evaluates an expression of type range vector. */
export async function evaluateRange(expr: Expr, evaluator: Evaluator): Promise<RangeVector> {
  const node = unwrapParens(expr);
  if (node.kind === 'matrix') return selectRange(node, evaluator);
  if (node.kind === 'subquery') return evaluateSubquery(node, evaluator);
  throw new ExecutionError(`a range vector was expected, not ${node.kind}`);
}

function selectRange(node: MatrixSelector, evaluator: Evaluator): RangeVector {
  const { selector } = node;
  const { times, options } = evaluator.context;
  return {
    ...(selector.extension === undefined ? {} : { extension: selector.extension }),
    lookbackMs: options.lookbackMs,
    series: seriesOf(selector, evaluator).map(withoutStale),
    shift: shiftOf(selector, times),
    rangeMs: resolveDuration(node.range, times, 'positive'),
  };
}

async function evaluateSubquery(node: SubqueryExpr, evaluator: Evaluator): Promise<RangeVector> {
  const { context, grid } = evaluator;
  const inner = subqueryGrid(node, grid, context.times, context.options.subqueryStepMs);
  const { series } = await evaluator.on(inner).vector(node.expr);
  return {
    lookbackMs: context.options.lookbackMs,
    series: series.map((one) => withoutResetHints(toColumns(one, inner))),
    shift: shiftOf(node, context.times),
    rangeMs: resolveDuration(node.range, context.times, 'positive'),
  };
}

/**
 * The steps of a subquery skip samples or repeat them, so what histograms say of a reset since the one before is not
 * true of its windows.
 */
function withoutResetHints(series: RangeSeries): RangeSeries {
  if (series.histograms === undefined) return series;
  const { Gauge, Unknown } = CounterResetHint;
  const histograms = series.histograms.map((histogram) =>
    histogram === null || histogram.counterResetHint === Gauge ? histogram : histogram.withHint(Unknown),
  );
  return { ...series, histograms };
}

/** The values that are present, with the times of their steps. */
export function toColumns(series: StepSeries, grid: Grid): RangeSeries {
  let count = 0;
  for (const bit of series.present) count += bit;
  const timestamps = new Float64Array(count);
  const values = new Float64Array(count);
  const histograms: (FloatHistogram | null)[] = [];
  let at = 0;
  for (let step = 0; step < grid.steps; step++) {
    if (series.present[step] !== 1) continue;
    timestamps[at] = grid.startMs + step * grid.stepMs;
    values[at++] = series.values[step] as number;
    if (series.histograms !== undefined) histograms.push(series.histograms[step] ?? null);
  }
  return {
    labels: series.labels,
    timestamps,
    values,
    ...(histograms.some((histogram) => histogram !== null) ? { histograms } : {}),
    ...(series.dropName === true ? { dropName: true } : {}),
  };
}

/**
 * Runs a kernel over all windows of one series. `args` holds one column per other argument. Steps whose window
 * is empty have no value. `hold` is told the most samples that a window has.
 */
export function runWindows(
  columns: RangeSeries,
  range: RangeVector,
  grid: Grid,
  kernel: WindowKernel,
  args: readonly Float64Array[],
): { values: Float64Array; present: Uint8Array; windowMax: number } {
  const values = new Float64Array(grid.steps);
  const present = new Uint8Array(grid.steps);
  const window = new Window();
  const stepArgs = new Float64Array(args.length);
  window.timestamps = columns.timestamps;
  window.values = columns.values;
  let windowMax = 0;
  for (let step = 0; step < grid.steps; step++) {
    moveWindow(window, range, grid, step);
    if (window.count > windowMax) windowMax = window.count;
    if (window.count === 0) continue;
    for (let i = 0; i < args.length; i++) stepArgs[i] = args[i]?.[step] as number;
    if (!kernel(window, stepArgs)) continue;
    values[step] = window.result;
    present[step] = 1;
  }
  return { values, present, windowMax };
}

/** Moves to a step's window; both edges only ever move forward. */
export function moveWindow(window: Window, range: RangeVector, grid: Grid, step: number): void {
  const { timestamps } = window;
  window.stepMs = grid.startMs + step * grid.stepMs;
  window.endMs = lookupMs(grid, range.shift, step);
  window.startMs = window.endMs - range.rangeMs;
  const { extension, lookbackMs } = range;
  window.extension = extension;
  const fromMs = extension === undefined ? window.startMs : window.startMs - lookbackMs;
  const toMs = extension === 'smoothed' ? window.endMs + lookbackMs : window.endMs;
  while (window.to < timestamps.length && (timestamps[window.to] as number) <= toMs) window.to++;
  while (window.from < window.to && (timestamps[window.from] as number) <= fromMs) window.from++;
}
