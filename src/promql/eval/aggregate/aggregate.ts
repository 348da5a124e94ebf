/**
 * Aggregations: one table says for each operator whether it combines a group into one series or selects some of
 * its series; the rest is common.
 */
import { formatFloatG } from '../../../model/index.ts';
import { ExecutionError } from '../../errors.ts';
import type { AggregateExpr, AggregateOp, Span } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { Annotations } from '../annotations.ts';
import type { Evaluator, QueryContext } from '../context.ts';
import { isEmptyColumn, type VectorValue } from '../values.ts';
import { AvgAccumulator } from './avg.ts';
import type { Accumulator } from './columns.ts';
import { countValues } from './count_values.ts';
import { CountAccumulator, ExtremumAccumulator } from './extrema.ts';
import { type Group, groupSeries } from './grouping.ts';
import { QuantileAccumulator } from './quantile.ts';
import { checkCounts, type Selection, selectExtreme, selectFirst, selectRatio } from './select.ts';
import { SumAccumulator } from './sum.ts';
import { VarianceAccumulator } from './variance.ts';

/** A parameter's value at each step. */
interface Parameter {
  readonly values: Float64Array;
  readonly span: Span;
  readonly annotations: Annotations;
}

type Family =
  | { readonly kind: 'combine'; readonly create: (steps: number) => Accumulator }
  | {
      readonly kind: 'combine-with';
      readonly check: (parameter: Parameter) => void;
      readonly create: (parameter: Float64Array) => Accumulator;
    }
  | {
      readonly kind: 'select';
      /** Returns false when nothing can be selected at any step. */
      readonly check: (parameter: Parameter) => boolean;
      readonly select: (parameter: Float64Array) => Selection;
    }
  | { readonly kind: 'count-values' };

const families: Readonly<Record<AggregateOp, Family>> = {
  sum: { kind: 'combine', create: (steps) => new SumAccumulator(steps) },
  avg: { kind: 'combine', create: (steps) => new AvgAccumulator(steps) },
  count: { kind: 'combine', create: (steps) => new CountAccumulator(steps) },
  group: { kind: 'combine', create: (steps) => new CountAccumulator(steps, 1) },
  min: { kind: 'combine', create: (steps) => new ExtremumAccumulator(steps, 'min') },
  max: { kind: 'combine', create: (steps) => new ExtremumAccumulator(steps, 'max') },
  stddev: { kind: 'combine', create: (steps) => new VarianceAccumulator(steps, 'stddev') },
  stdvar: { kind: 'combine', create: (steps) => new VarianceAccumulator(steps, 'stdvar') },
  quantile: {
    kind: 'combine-with',
    check: checkQuantiles,
    create: (quantiles) => new QuantileAccumulator(quantiles),
  },
  topk: { kind: 'select', check: checkK, select: (k) => selectExtreme('topk', k) },
  bottomk: { kind: 'select', check: checkK, select: (k) => selectExtreme('bottomk', k) },
  limitk: { kind: 'select', check: checkK, select: selectFirst },
  limit_ratio: { kind: 'select', check: checkRatios, select: selectRatio },
  count_values: { kind: 'count-values' },
};

/**
 * One series a group, or for selections the chosen ones, on the evaluator's grid. Rejects with ExecutionError when the
 * parameter is no count, quantile, ratio or label name as the operator asks.
 */
export async function evaluateAggregate(expr: AggregateExpr, evaluator: Evaluator): Promise<VectorValue> {
  const family = families[expr.op];
  if (family.kind === 'count-values') return evaluateCountValues(expr, evaluator);
  const parameter = await evaluateParameter(expr, evaluator);
  const { series } = await evaluator.vector(expr.expr);
  const groups = groupSeries(series, expr);
  const { context } = evaluator;
  if (family.kind === 'combine') {
    return {
      type: 'vector',
      series: await combine(groups, () => family.create(evaluator.grid.steps), context),
    };
  }
  if (parameter === undefined) throw new ExecutionError(`${expr.op} needs a parameter`);
  if (family.kind === 'combine-with') {
    family.check(parameter);
    return { type: 'vector', series: await combine(groups, () => family.create(parameter.values), context) };
  }
  if (!family.check(parameter)) return { type: 'vector', series: [] };
  const select = family.select(parameter.values);
  const selected: StepSeries[] = [];
  for (const { members } of groups) {
    for (const one of select(members)) selected.push(one);
    if (context.due) await context.pause();
  }
  return { type: 'vector', series: selected };
}

async function evaluateParameter(expr: AggregateExpr, evaluator: Evaluator): Promise<Parameter | undefined> {
  if (expr.param === undefined) return undefined;
  const values = await evaluator.scalar(expr.param);
  return { values, span: expr.param.span, annotations: evaluator.context.annotations };
}

async function evaluateCountValues(expr: AggregateExpr, evaluator: Evaluator): Promise<VectorValue> {
  const label = expr.param === undefined ? undefined : await evaluator.evaluate(expr.param);
  if (label?.type !== 'string') throw new ExecutionError('count_values needs the name of a label');
  const { series } = await evaluator.vector(expr.expr);
  return { type: 'vector', series: countValues(expr, label.text, series) };
}

async function combine(
  groups: readonly Group[],
  create: () => Accumulator,
  context: QueryContext,
): Promise<StepSeries[]> {
  const results: StepSeries[] = [];
  for (const { labels, members } of groups) {
    const accumulator = create();
    let dropName = false;
    for (const member of members) {
      accumulator.add(member);
      if (member.dropName === true) dropName = true;
      if (context.due) await context.pause();
    }
    const { values, present } = accumulator.finish();
    if (!isEmptyColumn(present)) results.push({ labels, values, present, ...(dropName ? { dropName } : {}) });
  }
  return results;
}

function checkK({ values }: Parameter): boolean {
  if (!values.some((k) => k >= 1) && !values.some((k) => Number.isNaN(k))) return false;
  checkCounts(values);
  return true;
}

function checkRatios({ values, span, annotations }: Parameter): boolean {
  if (values.some((ratio) => Number.isNaN(ratio))) throw new ExecutionError('Ratio value is NaN');
  const text = 'ratio value should be between -1 and 1, got';
  const highest = values.reduce((a, b) => Math.max(a, b));
  const lowest = values.reduce((a, b) => Math.min(a, b));
  if (highest > 1) annotations.warn(`${text} ${formatFloatG(highest)}, capping to 1`, span);
  if (lowest < -1) annotations.warn(`${text} ${formatFloatG(lowest)}, capping to -1`, span);
  return highest !== 0 || lowest !== 0;
}

function checkQuantiles({ values, span, annotations }: Parameter): void {
  for (const q of extremesAndNaN(values)) {
    if (q >= 0 && q <= 1) continue;
    annotations.warn(`quantile value should be between 0 and 1, got ${formatFloatG(q)}`, span);
  }
}

function extremesAndNaN(values: Float64Array): number[] {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  const found: number[] = [];
  for (const value of values) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
    if (Number.isNaN(value) && found.length === 0) found.push(value);
  }
  if (lowest <= highest) found.push(lowest, highest);
  return found;
}
