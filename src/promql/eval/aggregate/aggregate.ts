/**
 * Aggregations in a query: their parameter is evaluated and judged, then the series become a state (AggregateState), which
 * is finished here or travels on.
 */
import { formatFloatG, isValidLabelName } from '../../../model/index.ts';
import { ExecutionError } from '../../errors.ts';
import { quote } from '../../parse/literals.ts';
import type { AggregateExpr, AggregateOp, Span } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { Annotations } from '../annotations.ts';
import type { Evaluator } from '../context.ts';
import type { VectorValue } from '../values.ts';
import { AggregateState } from './aggregate_state.ts';
import { type Grouping, valueGrouping } from './grouping.ts';

/** A parameter's value at each step. */
interface Parameter {
  readonly values: Float64Array;
  readonly span: Span;
  readonly annotations: Annotations;
}

/** Whether anything can be picked at any step. */
type Check = (parameter: Parameter) => boolean;

const checks: Readonly<Partial<Record<AggregateOp, Check>>> = {
  topk: checkK,
  bottomk: checkK,
  limitk: checkK,
  limit_ratio: checkRatios,
  quantile: checkQuantiles,
};

const noParameter = new Float64Array(0);

/**
 * One series a group, or for selections the chosen ones, on the evaluator's grid. Rejects with ExecutionError when the
 * parameter is no count, quantile, ratio or label name as the operator asks.
 */
export async function evaluateAggregate(expr: AggregateExpr, evaluator: Evaluator): Promise<VectorValue> {
  const { context } = evaluator;
  const state = await evaluatePartially(expr, evaluator);
  const results: StepSeries[] = [];
  for (const series of state.finish(expr, context.annotations)) {
    for (const one of series) results.push(one);
    if (context.due) await context.pause();
  }
  return { type: 'vector', series: results };
}

/** Puts the next part of the data in the place of the one before; false when there is none. */
export type NextPart = () => Promise<boolean>;

/** The same without the last step, over part after part of the data; the first is there. */
export async function evaluatePartially(
  expr: AggregateExpr,
  evaluator: Evaluator,
  nextPart: NextPart = async () => false,
): Promise<AggregateState> {
  const { steps } = evaluator.grid;
  if (expr.op === 'count_values') {
    const { by, label } = valueGrouping(await valueLabel(expr, evaluator), expr);
    const state = new AggregateState(expr.op, { steps, parameter: noParameter, label });
    return aggregate(expr, evaluator, state, by, nextPart);
  }
  const check = checks[expr.op];
  if (check === undefined) {
    const state = new AggregateState(expr.op, { steps, parameter: noParameter, label: '' });
    return aggregate(expr, evaluator, state, expr, nextPart);
  }
  if (expr.param === undefined) throw new ExecutionError(`${expr.op} needs a parameter`);
  const values = await evaluator.scalar(expr.param);
  const state = new AggregateState(expr.op, { steps, parameter: values, label: '' });
  const { span } = expr.param;
  return aggregate(expr, evaluator, state, expr, nextPart, () =>
    check({ values, span, annotations: evaluator.context.annotations }),
  );
}

/** The series are evaluated before the parameter is judged; states that take them in as they come keep none by it. */
async function aggregate(
  expr: AggregateExpr,
  evaluator: Evaluator,
  state: AggregateState,
  grouping: Grouping,
  nextPart: NextPart,
  isWanted: () => boolean = () => true,
): Promise<AggregateState> {
  if (state.keepsColumns) {
    const { series } = await evaluator.vector(expr.expr);
    if (isWanted()) await state.partial(series, grouping, evaluator.context);
    return state;
  }
  const add = state.adder(grouping);
  do await evaluator.each(expr.expr, add);
  while (await nextPart());
  isWanted();
  return state;
}

async function valueLabel(expr: AggregateExpr, evaluator: Evaluator): Promise<string> {
  const label = expr.param === undefined ? undefined : await evaluator.evaluate(expr.param);
  if (label?.type !== 'string') throw new ExecutionError('count_values needs the name of a label');
  if (!isValidLabelName(label.text)) throw new ExecutionError(`invalid label name ${quote(label.text)}`);
  return label.text;
}

function checkK({ values }: Parameter): boolean {
  if (!values.some((k) => k >= 1) && !values.some((k) => Number.isNaN(k))) return false;
  checkCounts(values);
  return true;
}

function checkRatios({ values, span, annotations }: Parameter): boolean {
  if (values.some((ratio) => Number.isNaN(ratio))) throw new ExecutionError('Ratio value is NaN');
  const text = 'ratio value should be between -1 and 1, got';
  const highest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const lowest = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  if (highest > 1) annotations.warn(`${text} ${formatFloatG(highest)}, capping to 1`, span);
  if (lowest < -1) annotations.warn(`${text} ${formatFloatG(lowest)}, capping to -1`, span);
  return highest !== 0 || lowest !== 0;
}

function checkQuantiles({ values, span, annotations }: Parameter): boolean {
  const [highest = 0, lowest = 0] = extremesOrNaN(values);
  const isWrong = (q: number): boolean => (q === highest && q > 1) || (q === lowest && q < 0);
  for (const q of new Set([highest, lowest])) {
    if (!isWrong(q) && !Number.isNaN(q)) continue;
    annotations.warn(`quantile value should be between 0 and 1, got ${formatFloatG(q)}`, span);
  }
  return true;
}

/** The highest and the lowest, or NaN alone when that is among them. */
function extremesOrNaN(values: Float64Array): number[] {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (Number.isNaN(value)) return [value];
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return lowest <= highest ? [highest, lowest] : [];
}

/** Throws ExecutionError when a count parameter is not an int64. */
function checkCounts(counts: Float64Array): void {
  const [highest = 0, lowest = highest] = extremesOrNaN(counts);
  if (Number.isNaN(highest)) throw new ExecutionError('Parameter value is NaN');
  if (lowest <= -(2 ** 63)) throw new ExecutionError(`Scalar value ${formatFloatG(lowest)} underflows int64`);
  if (highest >= 2 ** 63) throw new ExecutionError(`Scalar value ${formatFloatG(highest)} overflows int64`);
}
