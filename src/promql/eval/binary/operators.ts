/**
 * The element operations of binary operators on floats, with Go's corner cases where JavaScript's differ.
 */
import { assert } from '../../../base/index.ts';
import { type BinaryOperator, type ComparisonOperator, isComparisonOperator } from '../../parse/tree.ts';

export type FloatOperation = (left: number, right: number) => number;
export type FloatComparison = (left: number, right: number) => boolean;

/** IEEE 754-2008 pow as in C and Go: 1 to anything is 1, and so is -1 to an infinity. */
function power(left: number, right: number): number {
  if (left === 1 || (left === -1 && Math.abs(right) === Number.POSITIVE_INFINITY)) return 1;
  return left ** right;
}

const arithmetic: Readonly<Partial<Record<BinaryOperator, FloatOperation>>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
  '^': power,
  atan2: Math.atan2,
};

const comparisons: Readonly<Record<ComparisonOperator, FloatComparison>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/** What an operator does to two floats: compute a value, or decide whether the left one stays. */
export type ElementOperator =
  | { readonly kind: 'arithmetic'; readonly apply: FloatOperation }
  | { readonly kind: 'comparison'; readonly holds: FloatComparison }
  /** Floats cannot be trimmed; histograms keep what they are. */
  | { readonly kind: 'trim' };

/** `op` is no set operator. */
export function elementOperator(op: BinaryOperator): ElementOperator {
  if (isComparisonOperator(op)) return { kind: 'comparison', holds: comparisons[op] };
  if (op === '</' || op === '>/') return { kind: 'trim' };
  const apply = arithmetic[op];
  assert(apply !== undefined, `${op} is no operator of elements`);
  return { kind: 'arithmetic', apply };
}
