/**
 * What the table says of a function beside its signature, and the shapes that most functions have: a float
 * function of each value, or a kernel over each window.
 */
import { formatFloatG } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { Evaluator } from '../eval/context.ts';
import type { Extension } from '../eval/extended.ts';
import { type MixedKernel, runMixedWindows } from '../eval/mixed_windows.ts';
import { SeriesNotes } from '../eval/notes.ts';
import { StepColumns } from '../eval/step_columns.ts';
import { StepWindowsCache } from '../eval/step_windows.ts';
import {
  anyPresent,
  dropNames,
  dropNamesOfWindows,
  floatsOnly,
  isEmptyColumn,
  sampleCount,
  type Value,
  type VectorValue,
} from '../eval/values.ts';
import {
  evaluateRange,
  type RangeSeries,
  type RangeVector,
  runWindows,
  type WindowKernel,
} from '../eval/windows.ts';
import { type CallExpr, type Expr, type Span, unwrapParens } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import type { ColumnKernel } from './column_kernels.ts';
import type { FunctionName } from './signatures.ts';

export interface FunctionSpec {
  /**
   * Each result series depends on one input series alone and keeps its labels but for the metric name: the call
   * may be computed wherever that series lives.
   */
  readonly perSeries: boolean;
  readonly evaluate: (call: CallExpr, evaluator: Evaluator) => Promise<Value>;
}

/** Some functions of the table; the compiler checks that all families together are the whole table. */
export type FunctionFamily<Name extends FunctionName> = Readonly<Record<Name, FunctionSpec>>;

/** The argument at `index`; the parser has checked arity. */
export function argument(call: CallExpr, index: number): Expr {
  const arg = call.args[index];
  if (arg === undefined) throw new ExecutionError(`${call.func}() lacks its argument ${index + 1}`);
  return arg;
}

/**
 * Where annotations about an argument point to: inside its parentheses. Prometheus knows no place for a subquery, which
 * it shows as the start of the text.
 */
export function argumentSpan(call: CallExpr, index: number): Span {
  const arg = unwrapParens(argument(call, index));
  return arg.kind === 'subquery' ? { start: 0, end: 0 } : arg.span;
}

/** The values of all scalar arguments from `from` on, one column each. */
export async function scalarColumns(
  call: CallExpr,
  evaluator: Evaluator,
  from: number,
): Promise<Float64Array[]> {
  const columns: Float64Array[] = [];
  for (let i = from; i < call.args.length; i++) columns.push(await evaluator.scalar(argument(call, i)));
  return columns;
}

/** The text of a string argument. */
export async function stringArgument(call: CallExpr, evaluator: Evaluator, index: number): Promise<string> {
  const value = await evaluator.evaluate(argument(call, index));
  if (value.type !== 'string')
    throw new ExecutionError(`argument ${index + 1} of ${call.func}() is no string`);
  return value.text;
}

/** A function of each float of the first argument and the scalar arguments behind it; histograms have no result. */
export function elementwise(apply: (value: number, args: Float64Array) => number): FunctionSpec {
  return {
    perSeries: true,
    evaluate: async (call, evaluator) => {
      const series = floatsOnly((await evaluator.vector(argument(call, 0))).series);
      const columns = await scalarColumns(call, evaluator, 1);
      const args = new Float64Array(columns.length);
      for (const { values } of series) {
        for (let i = 0; i < values.length; i++) {
          for (let j = 0; j < args.length; j++) args[j] = columns[j]?.[i] as number;
          values[i] = apply(values[i] as number, args);
        }
      }
      return named(series, evaluator);
    },
  };
}

/** Drops the names of a function's result. */
export function named(series: StepSeries[], evaluator: Evaluator): VectorValue {
  return { type: 'vector', series: dropNames(series, evaluator.context.options.delayedNameRemoval) };
}

export interface WindowFunctionOptions {
  /** Samples are returned as they are, so the metric name stays. */
  readonly keepsName?: boolean;
  /** Where the range vector stands among the arguments. Default 0. */
  readonly rangeAt?: number;
  /** The extended selectors that the function takes. Default none. */
  readonly extensions?: readonly Extension[];
  /** Sees the other arguments at the steps that have a result, to warn. */
  readonly check?: (call: CallExpr, evaluator: Evaluator, args: readonly Float64Array[]) => void;
  /** Sees each series that has a result. */
  readonly inspect?: (call: CallExpr, evaluator: Evaluator, series: StepSeries) => void;
  /** For series with histograms. Default: the function ignores them, and tells so beside floats. */
  readonly mixed?: MixedKernel;
  /** The same as the kernel, for series of plain floats whose windows are not extended; for functions of nothing else. */
  readonly column?: ColumnKernel;
  /** Series with start times are also for `mixed`, if queries use start times. */
  readonly usesStartTimes?: boolean;
}

/** What runSeries does with each series. */
export interface SeriesKernels {
  readonly floats: WindowKernel;
  readonly column?: ColumnKernel | undefined;
  readonly mixed: MixedKernel;
  readonly usesStartTimes: boolean;
}

/** Histograms have no result; beside floats that is told. */
function ignoringHistograms(kernel: WindowKernel): MixedKernel {
  return ({ floats, histograms }, args, notes) => {
    if (floats.count === 0) return undefined;
    if (histograms.count > 0) notes.ignoredHistograms();
    return kernel(floats, args) ? floats.result : undefined;
  };
}

/** A function of each window of a range vector and of scalars. */
export function windowed(kernel: WindowKernel, options: WindowFunctionOptions = {}): FunctionSpec {
  const kernels = {
    floats: kernel,
    column: options.column,
    mixed: options.mixed ?? ignoringHistograms(kernel),
    usesStartTimes: options.usesStartTimes === true,
  };
  return {
    perSeries: true,
    evaluate: async (call, evaluator) => {
      const rangeAt = options.rangeAt ?? 0;
      const args: Float64Array[] = [];
      for (let i = 0; i < call.args.length; i++) {
        if (i !== rangeAt) args.push(await evaluator.scalar(argument(call, i)));
      }
      const range = await evaluateRange(argument(call, rangeAt), evaluator);
      checkExtension(call, range, options.extensions ?? []);
      const series = await runSeries(range, evaluator, kernels, args, argumentSpan(call, 0));
      if (options.check !== undefined) options.check(call, evaluator, usedArguments(args, series));
      if (options.inspect !== undefined) for (const one of series) options.inspect(call, evaluator, one);
      if (options.keepsName === true) return { type: 'vector', series };
      const { delayedNameRemoval } = evaluator.context.options;
      return { type: 'vector', series: dropNamesOfWindows(series, delayedNameRemoval) };
    },
  };
}

/** The columns without the steps at which no series has a result. */
function usedArguments(args: readonly Float64Array[], series: readonly StepSeries[]): Float64Array[] {
  const used = anyPresent(series, args[0]?.length ?? 0);
  return args.map((column) => column.filter((_, step) => used[step] === 1));
}

/** What messages say of which functions take an extended selector. */
const extensionUsers: Readonly<Record<Extension, string>> = {
  anchored: 'changes, delta, increase, rate, resets',
  smoothed: 'delta, increase, rate',
};

/** Throws ExecutionError when the range vector is extended in a way that the function does not take. */
export function checkExtension(
  call: CallExpr,
  { extension }: RangeVector,
  allowed: readonly Extension[],
): void {
  if (extension === undefined || allowed.includes(extension)) return;
  const users = extensionUsers[extension];
  throw new ExecutionError(`${extension} modifier can only be used with: ${users} - not with ${call.func}`);
}

/** One result per series that has any. `span` is what annotations point to. */
export async function runSeries(
  range: RangeVector,
  evaluator: Evaluator,
  kernels: SeriesKernels,
  args: readonly Float64Array[],
  span: Span,
): Promise<StepSeries[]> {
  const { context, grid } = evaluator;
  const { annotations, options } = context;
  const usesStartTimes = kernels.usesStartTimes && options.useStartTimes;
  const results: StepSeries[] = [];
  context.reserve(range.series.length, grid);
  const column = range.extension === undefined ? kernels.column : undefined;
  const windows = new StepWindowsCache(grid, range.shift, range.rangeMs);
  const cells = new StepColumns(grid.steps, range.series.length);
  for (const columns of range.series) {
    const mixed = mixedColumns(columns, usesStartTimes);
    if (mixed === undefined && column !== undefined) {
      const { labels, dropName, timestamps } = columns;
      const at = windows.of(timestamps);
      const result = cells.next();
      const count = column(columns.values, at, result.values, result.present);
      context.holdBriefly(at.windowMax);
      if (count > 0) {
        results.push(dropName === true ? { labels, ...result, dropName } : { labels, ...result });
        context.hold(count);
      }
      if (context.due) await context.pause();
      continue;
    }
    const { windowMax, ...result } =
      mixed === undefined
        ? runWindows(columns, range, grid, kernels.floats, args)
        : runMixedWindows(
            mixed,
            range,
            grid,
            kernels.mixed,
            args,
            new SeriesNotes(annotations, span, columns.labels.metricName),
          );
    context.holdBriefly(windowMax);
    if (!isEmptyColumn(result.present)) {
      const dropName = columns.dropName === true ? { dropName: true } : {};
      results.push({ labels: columns.labels, ...result, ...dropName });
      context.hold(sampleCount(results.slice(-1)));
    }
    if (context.due) await context.pause();
  }
  return results;
}

/** What is not for the kernel of floats; start times only where they matter. */
function mixedColumns(columns: RangeSeries, usesStartTimes: boolean): RangeSeries | undefined {
  if (usesStartTimes && columns.startTimes !== undefined) return columns;
  if (columns.histograms === undefined) return undefined;
  const { startTimes: _, ...rest } = columns;
  return rest;
}

/** Warns when a quantile is not between 0 and 1, once per distinct value up to a bound. */
export function checkQuantile(
  call: CallExpr,
  evaluator: Evaluator,
  index: number,
  quantiles: Float64Array,
): void {
  const { span } = argument(call, index);
  const seen = new Set<number>();
  for (const q of quantiles) {
    if ((q >= 0 && q <= 1) || seen.has(q) || seen.size >= quantileWarningsMax) continue;
    seen.add(q);
    const text = `quantile value should be between 0 and 1, got ${formatFloatG(q)}`;
    evaluator.context.annotations.warn(text, span);
  }
}
const quantileWarningsMax = 100;
