/**
 * Expressions that combine no series, as fragments: what they give is their series, as they are. That is the state of an
 * aggregation that picks every series, limit_ratio with the ratio 1, and so travels and is merged like any other.
 */
import type { AggregateExpr, Expr } from '../parse/tree.ts';

/** All series of `expr`. */
export function everySeries(expr: Expr): AggregateExpr {
  const { span } = expr;
  const param = { kind: 'number', value: 1, isDuration: false, span } as const;
  return { kind: 'aggregate', op: 'limit_ratio', span, expr, param, grouping: [], without: false };
}

/** The expression of which `expr` picks every series; undefined for any other aggregation, also for one like it in a query. */
export function seriesOfEvery(expr: AggregateExpr): Expr | undefined {
  const isWrapped = expr.op === 'limit_ratio' && expr.span === expr.expr.span;
  return isWrapped ? expr.expr : undefined;
}
