/**
 * The distributed planner: finds the largest subtrees that can be computed where the data lives and replaces them
 * by remote leaves. A subtree is pushed when it is a partial aggregation over an expression each of whose series
 * depends on one series of one selector: functions of single series, and operations of those with constants.
 * Since no series lives in two places, aggregating the places' partial results is exact.
 */
import { functionTable } from '../functions/table.ts';
import { typeOf } from '../parse/check.ts';
import { printExpr } from '../parse/print.ts';
import {
  type AggregateExpr,
  type CallExpr,
  type DurationNode,
  type Expr,
  type Fragment,
  isSetOperator,
  selectorsOf,
  unwrapParens,
  type VectorSelector,
  walk,
} from '../parse/tree.ts';
import type { QueryRange } from '../types.ts';

/** An aggregation that stays with the coordinator. */
export interface NotPushed {
  readonly text: string;
  readonly reason: string;
}

export interface DistributedPlan {
  readonly expr: Expr;
  readonly fragments: readonly Fragment[];
  readonly notPushed: readonly NotPushed[];
}

/**
 * `canPush` judges by a candidate's selectors whether their series lie where fragments can be sent. `text` is what `expr` was
 * parsed from: fragments are then cut from it, so that positions in them can be told in it.
 */
export function distribute(
  expr: Expr,
  canPush: (selectors: readonly VectorSelector[]) => boolean,
  range: QueryRange,
  text?: string,
): DistributedPlan {
  const planner = new Planner(canPush, range, text);
  return { expr: planner.rewrite(expr), fragments: planner.fragments, notPushed: planner.notPushed };
}

class Planner {
  readonly fragments: Fragment[] = [];
  readonly notPushed: NotPushed[] = [];
  readonly #canPush: (selectors: readonly VectorSelector[]) => boolean;
  readonly #range: QueryRange;
  readonly #text: string | undefined;

  constructor(
    canPush: (selectors: readonly VectorSelector[]) => boolean,
    range: QueryRange,
    text: string | undefined,
  ) {
    this.#canPush = canPush;
    this.#range = range;
    this.#text = text;
  }

  rewrite(expr: Expr): Expr {
    switch (expr.kind) {
      case 'number':
      case 'string':
      case 'vector':
      case 'matrix':
      case 'remote':
        return expr;
      case 'subquery':
        this.#noteInside(expr.expr);
        return expr;
      case 'unary':
      case 'paren':
        return { ...expr, expr: this.rewrite(expr.expr) };
      case 'binary':
        return { ...expr, lhs: this.rewrite(expr.lhs), rhs: this.rewrite(expr.rhs) };
      case 'call':
        return { ...expr, args: expr.args.map((arg) => this.rewrite(arg)) };
      case 'aggregate':
        return this.#aggregate(expr);
    }
  }

  #aggregate(expr: AggregateExpr): Expr {
    const reason = this.#refusal(expr);
    if (reason === undefined) return this.#push(expr);
    this.notPushed.push({ text: printExpr(expr), reason });
    const param = expr.param === undefined ? {} : { param: this.rewrite(expr.param) };
    return { ...expr, ...param, expr: this.rewrite(expr.expr) };
  }

  #push(expr: AggregateExpr): Expr {
    const { startMs, endMs, stepMs } = this.#range;
    const text = this.#text?.slice(expr.span.start, expr.span.end) ?? printExpr(expr);
    const fragment = { id: this.fragments.length + 1, text, expr, startMs, endMs, stepMs };
    this.fragments.push(fragment);
    return { kind: 'remote', span: expr.span, fragment };
  }

  #refusal(expr: AggregateExpr): string | undefined {
    if (expr.param !== undefined && !isSameEverywhere(expr.param)) {
      return `the parameter of ${expr.op} is not the same everywhere`;
    }
    const reason = perSeriesRefusal(expr.expr);
    if (reason !== undefined) return reason;
    return this.#canPush(selectorsOf(expr.expr))
      ? undefined
      : 'its series are not where fragments can be sent';
  }

  /** Inner steps of a subquery are not those of the query, which fragments are evaluated on. */
  #noteInside(expr: Expr): void {
    const inner = unwrapParens(expr);
    if (inner.kind === 'aggregate') {
      this.notPushed.push({ text: printExpr(inner), reason: 'it is inside a subquery' });
    }
  }
}

/** Why series of the expression depend on more than one series of one selector; undefined when they don't. */
function perSeriesRefusal(expr: Expr): string | undefined {
  switch (expr.kind) {
    case 'vector':
      return queryTimesRefusal([expr.offset]);
    case 'matrix':
      return queryTimesRefusal([expr.range, expr.selector.offset]);
    case 'subquery':
      return queryTimesRefusal([expr.range, expr.step, expr.offset]) ?? perSeriesRefusal(expr.expr);
    case 'unary':
    case 'paren':
      return perSeriesRefusal(expr.expr);
    case 'call':
      return callRefusal(expr);
    case 'binary': {
      if (isSetOperator(expr.op)) return `${expr.op} matches series of two sides`;
      if (isConstant(expr.rhs)) return perSeriesRefusal(expr.lhs);
      if (isConstant(expr.lhs)) return perSeriesRefusal(expr.rhs);
      return `${expr.op} has no side that is constant`;
    }
    case 'aggregate':
      return `${expr.op} inside combines series`;
    case 'number':
    case 'string':
    case 'remote':
      return 'it selects no series';
  }
}

function callRefusal(expr: CallExpr): string | undefined {
  if (!functionTable[expr.func].perSeries) return `${expr.func}() does not keep to single series`;
  const series = expr.args.filter((arg) => typeOf(arg) === 'vector' || typeOf(arg) === 'matrix');
  const [only] = series;
  if (only === undefined || series.length > 1) return `${expr.func}() is not of one series`;
  const others = expr.args.filter((arg) => arg !== only);
  if (!others.every(isConstant)) return `${expr.func}() has a parameter that is not constant`;
  return perSeriesRefusal(only);
}

/** The same on every node: numbers, strings, and arithmetic on them. */
function isConstant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'paren':
    case 'unary':
      return isConstant(expr.expr);
    case 'binary':
      return isConstant(expr.lhs) && isConstant(expr.rhs);
    default:
      return false;
  }
}

/**
 * A parameter is evaluated wherever a fragment is, step by step: it may depend on the time, but neither on series nor on
 * what another range would give.
 */
function isSameEverywhere(expr: Expr): boolean {
  let isSame = true;
  walk(expr, (node) => {
    if (node.kind === 'vector' || node.kind === 'remote') isSame = false;
    if (node.kind === 'subquery' && queryTimesRefusal([node.range, node.step, node.offset]) !== undefined) {
      isSame = false;
    }
    // A fragment of an instant query runs as a range of one step, where step() has another value.
    if (node.kind === 'call' && node.func === 'step') isSame = false;
  });
  return isSame;
}

/** A fragment of an instant query runs as a range of one step, where step() would have another value. */
function queryTimesRefusal(durations: readonly (DurationNode | undefined)[]): string | undefined {
  return durations.some(usesQueryTimes) ? 'a duration depends on the step or range of the query' : undefined;
}

function usesQueryTimes(node: DurationNode | undefined): boolean {
  if (node === undefined) return false;
  if ('operand' in node) return usesQueryTimes(node.operand);
  if ('left' in node) return usesQueryTimes(node.left) || usesQueryTimes(node.right);
  return node.kind !== 'seconds';
}
