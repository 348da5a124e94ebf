/**
 * Binary operators: chooses the family by the operands' types, and holds the two simple ones, scalars with
 * scalars and vectors with scalars.
 */
import { ExecutionError } from '../../errors.ts';
import { type BinaryExpr, isSetOperator } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { Evaluator, QueryContext } from '../context.ts';
import { dropNames, type ScalarValue, type Value, type VectorValue, withoutEmpty } from '../values.ts';
import { combineMixed, elementAt, StepNotes } from './mixed_operators.ts';
import { type ElementOperator, elementOperator } from './operators.ts';
import { evaluateSet } from './sets.ts';
import { evaluateVectors } from './vectors.ts';

/**
 * A scalar from two scalars, else a vector, one value a step. Columns of the operands may be overwritten. Throws
 * ExecutionError for series that do not match as the expression asks.
 */
export async function evaluateBinary(expr: BinaryExpr, evaluator: Evaluator): Promise<Value> {
  const lhs = await evaluator.evaluate(expr.lhs);
  const rhs = await evaluator.evaluate(expr.rhs);
  return combineValues(expr, lhs, rhs, evaluator.context);
}

/** The same of operands that are there. */
export async function combineValues(
  expr: BinaryExpr,
  lhs: Value,
  rhs: Value,
  context: QueryContext,
): Promise<Value> {
  if (lhs.type === 'vector' && rhs.type === 'vector') {
    return isSetOperator(expr.op)
      ? evaluateSet(expr, expr.op, lhs.series, rhs.series)
      : evaluateVectors(expr, lhs.series, rhs.series, context);
  }
  const operator = elementOperator(expr.op);
  if (lhs.type === 'scalar' && rhs.type === 'scalar') return scalars(operator, lhs.values, rhs.values);
  if (lhs.type === 'vector' && rhs.type === 'scalar') {
    return vectorWithScalar(expr, operator, lhs, rhs.values, false, context);
  }
  if (lhs.type === 'scalar' && rhs.type === 'vector') {
    return vectorWithScalar(expr, operator, rhs, lhs.values, true, context);
  }
  throw new ExecutionError('binary expression must contain only scalar and instant vector types');
}

function scalars(operator: ElementOperator, left: Float64Array, right: Float64Array): ScalarValue {
  if (operator.kind === 'trim')
    throw new ExecutionError('trim operators are not allowed for Scalar operations');
  for (let i = 0; i < left.length; i++) {
    const x = left[i] as number;
    const y = right[i] as number;
    left[i] = operator.kind === 'arithmetic' ? operator.apply(x, y) : operator.holds(x, y) ? 1 : 0;
  }
  return { type: 'scalar', values: left };
}

function vectorWithScalar(
  expr: BinaryExpr,
  operator: ElementOperator,
  vector: VectorValue,
  scalar: Float64Array,
  swapped: boolean,
  context: QueryContext,
): VectorValue {
  const { series } = vector;
  const notes = new StepNotes();
  for (const one of series) {
    if (operator.kind === 'trim' || one.histograms !== undefined) {
      mixed(expr, operator, one, scalar, swapped, notes);
    } else if (operator.kind === 'arithmetic') arithmetic(operator.apply, one, scalar, swapped);
    else compare(operator.holds, one, scalar, swapped, expr.returnBool);
  }
  notes.annotate(context.annotations, expr.span);
  const left = withoutEmpty(series);
  if (operator.kind === 'arithmetic' || expr.returnBool) {
    return { type: 'vector', series: dropNames(left, context.options.delayedNameRemoval) };
  }
  return { type: 'vector', series: left };
}

/** For series that have histograms; steps whose element does not go with the scalar have no result. */
function mixed(
  { op, returnBool }: BinaryExpr,
  operator: ElementOperator,
  series: StepSeries,
  scalar: Float64Array,
  swapped: boolean,
  notes: StepNotes,
): void {
  const { values, present, histograms } = series;
  for (let i = 0; i < values.length; i++) {
    if (present[i] !== 1) continue;
    const element = elementAt(series, i);
    const [left, right] = swapped ? [scalar[i] as number, element] : [element, scalar[i] as number];
    if (operator.kind !== 'trim' && typeof left === 'number' && typeof right === 'number') {
      if (operator.kind === 'arithmetic') values[i] = operator.apply(left, right);
      else if (returnBool) values[i] = operator.holds(left, right) ? 1 : 0;
      else if (!operator.holds(left, right)) present[i] = 0;
      continue;
    }
    const { value, note } = combineMixed(op, left, right);
    if (note !== undefined) notes.add(i, 0, note);
    if (value === undefined) present[i] = 0;
    else if (typeof value !== 'number' && histograms !== undefined) histograms[i] = value;
  }
}

function arithmetic(
  apply: (left: number, right: number) => number,
  { values }: StepSeries,
  scalar: Float64Array,
  swapped: boolean,
): void {
  for (let i = 0; i < values.length; i++) {
    const x = values[i] as number;
    const y = scalar[i] as number;
    values[i] = swapped ? apply(y, x) : apply(x, y);
  }
}

function compare(
  holds: (left: number, right: number) => boolean,
  { values, present }: StepSeries,
  scalar: Float64Array,
  swapped: boolean,
  returnBool: boolean,
): void {
  for (let i = 0; i < values.length; i++) {
    if (present[i] !== 1) continue;
    const x = values[i] as number;
    const y = scalar[i] as number;
    const held = swapped ? holds(y, x) : holds(x, y);
    if (returnBool) values[i] = held ? 1 : 0;
    else if (!held) present[i] = 0;
  }
}
