/**
 * The distributed planner: finds the largest subtrees that can be computed where the data lives and replaces them
 * by remote leaves. Every place can compute an expression each of whose series depends on series that live together:
 * functions of single series, operations of those with constants, and operations of two sides whose series are matched by
 * all their labels but the name, since series that differ only in their name always live together. Such an expression is
 * pushed as the operand of a partial aggregation, or by itself where that is no more to send than what it reads. Since no
 * series lives in two places, joining the places' partial results is exact.
 */
import { isValidLabelName, MatchType, metricNameLabel } from '../../model/index.ts';
import { functionTable } from '../functions/table.ts';
import { typeOf } from '../parse/check.ts';
import { printExpr } from '../parse/print.ts';
import {
  type AggregateExpr,
  type BinaryExpr,
  type CallExpr,
  type DurationNode,
  type Expr,
  type Fragment,
  isSetOperator,
  type Span,
  selectorsOf,
  unwrapParens,
  type VectorSelector,
  walk,
} from '../parse/tree.ts';
import type { QueryRange } from '../types.ts';
import { everySeries, seriesOfEvery } from './every_series.ts';

/**
 * With steps at least so far apart, an expression's series are no more to send than the samples that they are made of: few
 * targets are scraped more often.
 */
const sparseStepMs = 15_000;

/** They read counts and sums alone, and selectors below them then deliver no buckets; see eval/bucketless.ts. */
const readsTotals: ReadonlySet<string> = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);

/** An aggregation that stays with the coordinator. */
export interface NotPushed {
  readonly span: Span;
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
    if (this.#isWorthSending(expr)) return this.#push(expr, everySeries(expr));
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
        // What is below would not know that its buckets are not looked at.
        if (readsTotals.has(expr.func)) return expr;
        return { ...expr, args: expr.args.map((arg) => this.rewrite(arg)) };
      case 'aggregate':
        return this.#aggregate(expr);
    }
  }

  #aggregate(expr: AggregateExpr): Expr {
    const reason = this.#refusal(expr);
    if (reason === undefined) return this.#push(expr, expr);
    this.notPushed.push({ span: expr.span, text: printExpr(expr), reason });
    const param = expr.param === undefined ? {} : { param: this.rewrite(expr.param) };
    return { ...expr, ...param, expr: this.rewrite(expr.expr) };
  }

  #push({ span }: Expr, aggregate: AggregateExpr): Expr {
    const { startMs, endMs, stepMs } = this.#range;
    const pushed = seriesOfEvery(aggregate) ?? aggregate;
    const text = this.#text?.slice(span.start, span.end) ?? printExpr(pushed);
    const fragment = { id: this.fragments.length + 1, text, expr: aggregate, startMs, endMs, stepMs };
    this.fragments.push(fragment);
    return { kind: 'remote', span, fragment };
  }

  /** Whether an expression by itself is pushed; a selector is not, what it reads says already which samples are needed. */
  #isWorthSending(expr: Expr): boolean {
    if (expr.kind !== 'call' && expr.kind !== 'binary' && expr.kind !== 'unary') return false;
    const { startMs, endMs, stepMs } = this.#range;
    if (startMs !== endMs && stepMs < sparseStepMs) return false;
    return perSeriesRefusal(expr) === undefined && this.#canPush(selectorsOf(expr));
  }

  #refusal(expr: AggregateExpr): string | undefined {
    if (expr.param !== undefined && !isSameEverywhere(expr.param)) {
      return `the parameter of ${expr.op} is not the same everywhere`;
    }
    // Places without series would tell of it where others tell what is wrong with the series, which comes first.
    if (isNeverAllowed(expr)) return `${expr.op} takes no such parameter`;
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
      this.notPushed.push({ span: inner.span, text: printExpr(inner), reason: 'it is inside a subquery' });
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
      if (isConstant(expr.rhs)) return perSeriesRefusal(expr.lhs);
      if (isConstant(expr.lhs)) return perSeriesRefusal(expr.rhs);
      return matchRefusal(expr);
    }
    case 'aggregate':
      return `${expr.op} inside combines series`;
    case 'number':
    case 'string':
    case 'remote':
      return 'it selects no series';
  }
}

/** Long chains lean to the left, and what is wrong with one shows soonest on the right. */
function matchRefusal({ op, lhs, rhs, matching }: BinaryExpr): string | undefined {
  if (typeOf(lhs) !== 'vector' || typeOf(rhs) !== 'vector') return `${op} has no side that is constant`;
  const isByAll =
    matching === undefined ||
    (!matching.on &&
      matching.labels.length === 0 &&
      matching.include.length === 0 &&
      (matching.cardinality === 'one-to-one' || isSetOperator(op)));
  if (!isByAll) return `${op} matches series that may lie apart`;
  // An error about two series that match one is not for a place to tell: it depends on what the other side has elsewhere.
  if (!isSetOperator(op) && !(hasOneOfEach(lhs) && hasOneOfEach(rhs))) {
    return `${op} may find several series of the same labels but the name`;
  }
  return perSeriesRefusal(rhs) ?? perSeriesRefusal(lhs);
}

/** Whether no two series of an expression that combines none differ in their name alone. */
function hasOneOfEach(expr: Expr): boolean {
  switch (expr.kind) {
    case 'vector':
      return expr.matchers.some(({ type, name }) => type === MatchType.Equal && name === metricNameLabel);
    case 'matrix':
      return hasOneOfEach(expr.selector);
    case 'subquery':
    case 'unary':
    case 'paren':
      return hasOneOfEach(expr.expr);
    case 'call':
      return expr.args.every((arg) => isConstant(arg) || hasOneOfEach(arg));
    case 'binary':
      if (expr.op === 'or') return false;
      return isConstant(expr.lhs) ? hasOneOfEach(expr.rhs) : hasOneOfEach(expr.lhs);
    default:
      return false;
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

/** A parameter that is written down and refused whatever the series: no name of a label, no number of series, no ratio. */
function isNeverAllowed({ op, param }: AggregateExpr): boolean {
  if (param === undefined || op === 'quantile') return false;
  const node = unwrapParens(param);
  if (node.kind === 'string') return !isValidLabelName(node.value);
  return node.kind === 'number' && (Number.isNaN(node.value) || node.value >= 2 ** 63);
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
