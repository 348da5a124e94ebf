/**
 * What the table says of a function beside its signature, and the shapes that most functions have: a float
 * function of each value, or a kernel over each window.
 */
import { formatFloatG } from '../../model/index.ts';
import { ExecutionError, UnsupportedError } from '../errors.ts';
import type { Evaluator } from '../eval/context.ts';
import type { Extension } from '../eval/extended.ts';
import { dropNames, isEmptyColumn, type Value, type VectorValue } from '../eval/values.ts';
import { evaluateRange, type RangeVector, runWindows, type WindowKernel } from '../eval/windows.ts';
import type { CallExpr, Expr } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
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

/** A float function of each value of the first argument and the scalar arguments behind it. */
export function elementwise(apply: (value: number, args: Float64Array) => number): FunctionSpec {
  return {
    perSeries: true,
    evaluate: async (call, evaluator) => {
      const { series } = await evaluator.vector(argument(call, 0));
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
  /** Sees the other arguments before anything is computed, to warn or refuse. */
  readonly check?: (call: CallExpr, evaluator: Evaluator, args: readonly Float64Array[]) => void;
  /** Sees each series that has a result. */
  readonly inspect?: (call: CallExpr, evaluator: Evaluator, series: StepSeries) => void;
}

/** A function of each window of a range vector and of scalars. */
export function windowed(kernel: WindowKernel, options: WindowFunctionOptions = {}): FunctionSpec {
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
      options.check?.(call, evaluator, args);
      const series = await runSeries(range, evaluator, kernel, args);
      if (options.inspect !== undefined) for (const one of series) options.inspect(call, evaluator, one);
      if (options.keepsName === true) return { type: 'vector', series };
      return named(series, evaluator);
    },
  };
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

/** One result per series that has any. */
export async function runSeries(
  range: RangeVector,
  evaluator: Evaluator,
  kernel: WindowKernel,
  args: readonly Float64Array[],
): Promise<StepSeries[]> {
  const { context, grid } = evaluator;
  const results: StepSeries[] = [];
  context.reserve(range.series.length, grid);
  for (const columns of range.series) {
    const { values, present, windowMax } = runWindows(columns, range, grid, kernel, args);
    // The widest window was in memory beside the results so far.
    const before = context.samples;
    context.hold(windowMax);
    context.settle(before, 0);
    if (!isEmptyColumn(present)) {
      const dropName = columns.dropName === true ? { dropName: true } : {};
      results.push({ labels: columns.labels, values, present, ...dropName });
      let count = 0;
      for (const bit of present) count += bit;
      context.hold(count);
    }
    if (context.due) await context.pause();
  }
  return results;
}

/** A function that is refused by the name of what it needs, in the plural. */
export function unsupported(feature: string): FunctionSpec {
  return {
    perSeries: false,
    evaluate: async () => {
      throw new UnsupportedError(feature);
    },
  };
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
