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
import { SampleCounts } from './sample_counts.ts';
import type { StepCells } from './step_columns.ts';

/** One series' samples without staleness markers. */
export interface RangeSeries extends SeriesColumns {
  /** As in StepSeries; set by subqueries. */
  readonly dropName?: boolean;
}

/** Where the windows of a range vector lie. */
export interface RangeShape {
  readonly shift: Shift;
  readonly rangeMs: number;
  readonly extension?: Extension;
  /** How far beyond the range an extended window looks. */
  readonly lookbackMs: number;
}

export interface RangeVector extends RangeShape {
  readonly series: readonly RangeSeries[];
}

/** A range vector whose series come one after the other. */
export interface RangeSource {
  readonly range: RangeShape;
  /** Series may still have staleness markers. */
  readonly isRaw: boolean;
  /** The columns of a series may be overwritten when it is taken. */
  each(take: (series: RangeSeries) => void): Promise<void>;
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

/** Evaluates an expression of type range vector. `inner` is told what the steps of a subquery look at. */
export async function evaluateRange(
  expr: Expr,
  evaluator: Evaluator,
  inner: SampleCounts = new SampleCounts(),
): Promise<RangeVector> {
  const node = unwrapParens(expr);
  if (node.kind === 'matrix') {
    const series = seriesOf(node.selector, evaluator).map(withoutStale);
    return { ...selectorShape(node, evaluator), series };
  }
  if (node.kind !== 'subquery') throw noRange(node);
  const { range, grid, times } = subqueryShape(node, evaluator);
  if (grid.steps === 0) return { ...range, series: [] };
  const { series } = await evaluator.on(grid, inner).vector(node.expr);
  return { ...range, series: series.map((one) => withoutResetHints(toColumns(one, times))) };
}

/** The same, series by series. */
export function rangeSource(expr: Expr, evaluator: Evaluator): RangeSource {
  const node = unwrapParens(expr);
  if (node.kind === 'matrix') {
    const { context } = evaluator;
    return {
      range: selectorShape(node, evaluator),
      isRaw: true,
      each: async (take) => {
        for (const series of seriesOf(node.selector, evaluator)) {
          take(series);
          if (context.due) await context.pause();
        }
      },
    };
  }
  if (node.kind !== 'subquery') throw noRange(node);
  const { range, grid, times } = subqueryShape(node, evaluator);
  return {
    range,
    isRaw: false,
    each: async (take) => {
      if (grid.steps === 0) return;
      await evaluator.on(grid).each(node.expr, (one) => take(withoutResetHints(toColumns(one, times))));
    },
  };
}

function noRange({ kind }: Expr): ExecutionError {
  return new ExecutionError(`a range vector was expected, not ${kind}`);
}

function selectorShape({ selector, range }: MatrixSelector, { context }: Evaluator): RangeShape {
  const { times, options } = context;
  return {
    ...(selector.extension === undefined ? {} : { extension: selector.extension }),
    lookbackMs: options.lookbackMs,
    shift: shiftOf(selector, times),
    rangeMs: resolveDuration(range, times, 'positive'),
  };
}

/** And the steps inside of it. */
function subqueryShape(
  node: SubqueryExpr,
  evaluator: Evaluator,
): { range: RangeShape; grid: Grid; times: Float64Array } {
  const { times, options } = evaluator.context;
  const grid = subqueryGrid(node, evaluator.grid, times, options.subqueryStepMs);
  const range = {
    lookbackMs: options.lookbackMs,
    shift: shiftOf(node, times),
    rangeMs: resolveDuration(node.range, times, 'positive'),
  };
  return { range, grid, times: stepTimes(grid) };
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

/** The times of all steps. */
export function stepTimes(grid: Grid): Float64Array {
  const times = new Float64Array(grid.steps);
  for (let step = 0; step < times.length; step++) times[step] = grid.startMs + step * grid.stepMs;
  return times;
}

/** The values that are present, with the times of their steps. Where all are, the columns are `times` and the series' own. */
export function toColumns(series: StepSeries, times: Float64Array): RangeSeries {
  const { labels, present, values, histograms, dropName } = series;
  const isWhole = !present.includes(0);
  if (isWhole && histograms === undefined) {
    return dropName === true
      ? { labels, timestamps: times, values, dropName }
      : { labels, timestamps: times, values };
  }
  let count = 0;
  for (const bit of present) count += bit;
  const keptTimes = new Float64Array(count);
  const keptValues = new Float64Array(count);
  const keptHistograms: (FloatHistogram | null)[] = [];
  let at = 0;
  for (let step = 0; step < present.length; step++) {
    if (present[step] !== 1) continue;
    keptTimes[at] = times[step] as number;
    keptValues[at++] = values[step] as number;
    if (histograms !== undefined) keptHistograms.push(histograms[step] ?? null);
  }
  return {
    labels,
    timestamps: keptTimes,
    values: keptValues,
    ...(keptHistograms.some((histogram) => histogram !== null) ? { histograms: keptHistograms } : {}),
    ...(dropName === true ? { dropName: true } : {}),
  };
}

/**
 * Runs a kernel over all windows of one series, into cells of which none is present. `args` holds one column per other
 * argument. Steps whose window is empty have no value. Gives the most samples that a window has, those of the last one,
 * and how many results.
 */
export function runWindows(
  columns: RangeSeries,
  range: RangeShape,
  grid: Grid,
  kernel: WindowKernel,
  args: readonly Float64Array[],
  { values, present, counts }: StepCells & { readonly counts: SampleCounts },
): { count: number; windowMax: number; lastCount: number } {
  const window = new Window();
  const stepArgs = new Float64Array(args.length);
  window.timestamps = columns.timestamps;
  window.values = columns.values;
  let windowMax = 0;
  let count = 0;
  for (let step = 0; step < grid.steps; step++) {
    moveWindow(window, range, grid, step);
    if (window.count > windowMax) windowMax = window.count;
    if (window.count === 0) continue;
    counts.addAt(step, window.count);
    for (let i = 0; i < args.length; i++) stepArgs[i] = args[i]?.[step] as number;
    if (!kernel(window, stepArgs)) continue;
    values[step] = window.result;
    present[step] = 1;
    count++;
  }
  return { count, windowMax, lastCount: window.count };
}

/** Moves to a step's window; both edges only ever move forward. */
export function moveWindow(window: Window, range: RangeShape, grid: Grid, step: number): void {
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
