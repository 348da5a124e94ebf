/**
 * Operator precedence. The Lezer grammar serves an editor and binds postfix modifiers and signs differently
 * from Prometheus' own (`a + b offset 5m` comes out as `(a + b) offset 5m`, `-2^2` as `(-2)^2`), so unparenthesised
 * chains are flattened and bound again here by the rules of the language: `^` (right associative), then signs,
 * `* / % atan2`, `+ -`, comparisons, `and unless`, `or`.
 */
import type { BinaryExpr, BinaryOperator, Expr, VectorMatching } from './tree.ts';

export interface OperandItem {
  readonly kind: 'operand';
  readonly expr: Expr;
}

export interface SignItem {
  readonly kind: 'sign';
  readonly op: '+' | '-';
  readonly start: number;
}

export interface OperatorItem {
  readonly kind: 'operator';
  readonly op: BinaryOperator;
  readonly returnBool: boolean;
  readonly matching: VectorMatching;
}

export type ChainItem = OperandItem | SignItem | OperatorItem;

const powerLevel = 6;
const levels: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': powerLevel,
};

/** Binds a chain `sign* operand (operator sign* operand)*` into one expression. */
export function bindChain(items: readonly ChainItem[]): Expr {
  const cursor = { at: 0 };
  return bindLevel(items, cursor, 1);
}

function bindLevel(items: readonly ChainItem[], cursor: { at: number }, levelMin: number): Expr {
  let left = bindOperand(items, cursor);
  for (;;) {
    const item = items[cursor.at];
    if (item === undefined || item.kind !== 'operator') return left;
    const level = levels[item.op];
    if (level < levelMin) return left;
    cursor.at++;
    const right = bindLevel(items, cursor, level === powerLevel ? level : level + 1);
    left = binary(item, left, right);
  }
}

function bindOperand(items: readonly ChainItem[], cursor: { at: number }): Expr {
  const item = items[cursor.at++];
  if (item === undefined || item.kind === 'operator') throw new RangeError('operand missing in a chain');
  if (item.kind === 'operand') return item.expr;
  const inner = bindLevel(items, cursor, powerLevel);
  const span = { start: item.start, end: inner.span.end };
  if (inner.kind === 'number') return { ...inner, span, value: item.op === '-' ? -inner.value : inner.value };
  return { kind: 'unary', span, op: item.op, expr: inner };
}

function binary(item: OperatorItem, lhs: Expr, rhs: Expr): BinaryExpr {
  return {
    kind: 'binary',
    span: { start: lhs.span.start, end: rhs.span.end },
    op: item.op,
    lhs,
    rhs,
    returnBool: item.returnBool,
    matching: item.matching,
  };
}
