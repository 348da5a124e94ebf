/** Binary operators over whole columns of floats. */
import type { BinaryOperator } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { ColumnSource, StepCells } from '../step_columns.ts';
import type { ElementOperator } from './operators.ts';

/** What an expression does with two columns. */
export interface ColumnOperation {
  readonly op: BinaryOperator;
  readonly operator: ElementOperator;
  readonly returnBool: boolean;
}

type FloatColumns = Pick<StepSeries, 'values' | 'present'>;

/** The results at the steps at which both have a value; undefined when there are none. `kept` is what a comparison keeps. */
export function combineColumns(
  operation: ColumnOperation,
  left: FloatColumns,
  right: FloatColumns,
  kept: Float64Array,
  source: ColumnSource,
): StepCells | undefined {
  const { op, operator, returnBool } = operation;
  if (operator.kind === 'trim') return undefined;
  const cells = bothPresent(left.present, right.present, source, operator.kind === 'comparison');
  const { values, present } = cells;
  if (operator.kind === 'arithmetic') fill(op, operator.apply, left.values, right.values, values);
  else {
    for (let step = 0; step < values.length; step++) {
      if (present[step] !== 1) continue;
      const holds = operator.holds(left.values[step] as number, right.values[step] as number);
      values[step] = returnBool ? (holds ? 1 : 0) : (kept[step] as number);
      if (!returnBool && !holds) present[step] = 0;
    }
  }
  return present.includes(1) ? cells : undefined;
}

function bothPresent(left: Uint8Array, right: Uint8Array, source: ColumnSource, changes: boolean): StepCells {
  const isLeftWhole = !left.includes(0);
  const isRightWhole = !right.includes(0);
  if (!changes && (isLeftWhole || isRightWhole)) {
    return source.nextCovering({ present: isLeftWhole ? right : left, count: 0 });
  }
  const cells = source.next();
  const { present } = cells;
  for (let step = 0; step < present.length; step++) {
    present[step] = (left[step] as number) & (right[step] as number);
  }
  return cells;
}

/** Loops of their own for what is frequent: a call for each element takes longer than the operation. */
function fill(
  op: BinaryOperator,
  apply: (left: number, right: number) => number,
  left: Float64Array,
  right: Float64Array,
  values: Float64Array,
): void {
  const { length } = values;
  switch (op) {
    case '+':
      for (let i = 0; i < length; i++) values[i] = (left[i] as number) + (right[i] as number);
      return;
    case '-':
      for (let i = 0; i < length; i++) values[i] = (left[i] as number) - (right[i] as number);
      return;
    case '*':
      for (let i = 0; i < length; i++) values[i] = (left[i] as number) * (right[i] as number);
      return;
    case '/':
      for (let i = 0; i < length; i++) values[i] = (left[i] as number) / (right[i] as number);
      return;
    default:
      for (let i = 0; i < length; i++) values[i] = apply(left[i] as number, right[i] as number);
  }
}
