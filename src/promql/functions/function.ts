/**
 * What the table says of a function beside its signature, and the shapes that most functions have: a float
 * function of each value, or a kernel over each window.
 */
import { formatFloatG } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { Evaluator } from '../eval/context.ts';
import type { Extension } from '../eval/extended.ts';
import type { MixedKernel } from '../eval/mixed_windows.ts';
import { PassingNames } from '../eval/passing.ts';
import { type ColumnSource, PassingColumns, StepColumns } from '../eval/step_columns.ts';
import {
  anyPresent,
  dropNames,
  dropNamesOfWindows,
  floatsOnly,
  type TakeSeries,
  type Value,
  type VectorValue,
} from '../eval/values.ts';
import { type RangeShape, rangeSource, type WindowKernel } from '../eval/windows.ts';
import { type CallExpr, type Expr, type Span, unwrapParens } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import type { ColumnKernel } from './column_kernels.ts';
import type { FunctionName } from './signatures.ts';
import { eachWindowed } from './windowed_series.ts';

export interface FunctionSpec {
  /**
   * Each result series depends on one input series alone and keeps its labels but for the metric name: the call
   * may be computed wherever that series lives.
   */
  readonly perSeries: boolean;
  readonly evaluate: (call: CallExpr, evaluator: Evaluator) => Promise<Value>;
  /** The same, one series after the other; see Evaluator.each. Absent where the result is not made so. */
  readonly pass?: (call: CallExpr, evaluator: Evaluator, take: TakeSeries) => Promise<void>;
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

/** Histograms have no result; beside floats that is told. */
function ignoringHistograms(kernel: WindowKernel): MixedKernel {
  return ({ floats, histograms }, args, notes) => {
    if (floats.count === 0) return undefined;
    if (histograms.count > 0) notes.ignoredHistograms();
    return kernel(floats, args) ? floats.result : undefined;
  };
}

/** The scalars beside a range vector. Of what fails in both, the failure inside the range vector is told, as in Prometheus. */
async function otherArguments(
  call: CallExpr,
  rangeAt: number,
  evaluator: Evaluator,
): Promise<Float64Array[]> {
  const args: Float64Array[] = [];
  try {
    for (let i = 0; i < call.args.length; i++) {
      if (i !== rangeAt) args.push(await evaluator.scalar(argument(call, i)));
    }
  } catch (error) {
    if (error instanceof ExecutionError) await rangeSource(argument(call, rangeAt), evaluator).each(() => {});
    throw error;
  }
  return args;
}

/** A function of each window of a range vector and of scalars. */
export function windowed(kernel: WindowKernel, options: WindowFunctionOptions = {}): FunctionSpec {
  const { rangeAt = 0, check, inspect } = options;
  const kernels = {
    floats: kernel,
    column: options.column,
    mixed: options.mixed ?? ignoringHistograms(kernel),
    usesStartTimes: options.usesStartTimes === true,
  };
  const run = async (
    call: CallExpr,
    evaluator: Evaluator,
    cells: ColumnSource,
    take: TakeSeries,
  ): Promise<readonly Float64Array[]> => {
    const args = await otherArguments(call, rangeAt, evaluator);
    const accept = (range: RangeShape): void => checkExtension(call, range, options.extensions ?? []);
    const job = { kernels, args, span: argumentSpan(call, 0), cells, accept };
    await eachWindowed(argument(call, rangeAt), evaluator, job, take);
    return args;
  };
  return {
    perSeries: true,
    evaluate: async (call, evaluator) => {
      const series: StepSeries[] = [];
      const { delayedNameRemoval } = evaluator.context.options;
      const cells = new StepColumns(evaluator);
      const args = await run(call, evaluator, cells, (one) => series.push(one));
      check?.(call, evaluator, usedArguments(args, series));
      if (inspect !== undefined) for (const one of series) inspect(call, evaluator, one);
      if (options.keepsName === true) return { type: 'vector', series };
      return { type: 'vector', series: dropNamesOfWindows(series, delayedNameRemoval) };
    },
    ...(check === undefined
      ? { pass: (call, evaluator, take) => pass(run, options, call, evaluator, take) }
      : {}),
  };
}

type Run = (call: CallExpr, evaluator: Evaluator, cells: ColumnSource, take: TakeSeries) => Promise<unknown>;

async function pass(
  run: Run,
  { inspect, keepsName }: WindowFunctionOptions,
  call: CallExpr,
  evaluator: Evaluator,
  take: TakeSeries,
): Promise<void> {
  const names = new PassingNames(evaluator.context.options.delayedNameRemoval);
  let inspected: string | undefined;
  await run(call, evaluator, new PassingColumns(evaluator.grid.steps), (series) => {
    const { labels, histograms } = series;
    // Most series have the name of the one before.
    if (inspect !== undefined && (histograms !== undefined || labels.metricName !== inspected)) {
      inspect(call, evaluator, series);
      if (histograms === undefined && !evaluator.context.options.typeLabels) inspected = labels.metricName;
    }
    take(keepsName === true ? series : names.drop(series));
  });
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
  { extension }: RangeShape,
  allowed: readonly Extension[],
): void {
  if (extension === undefined || allowed.includes(extension)) return;
  const users = extensionUsers[extension];
  throw new ExecutionError(`${extension} modifier can only be used with: ${users} - not with ${call.func}`);
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
