/**
 * Pins every selector and subquery that has no `@` of its own to one time, as Prometheus' runner does: an instant
 * query must not change by it. Expressions that depend on the evaluation time stay as they are.
 */
import type { Expr } from '../../src/promql/index.ts';

export function withAt(expr: Expr, timestampMs: number): Expr {
  const at = { kind: 'timestamp', timestampMs } as const;
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'remote':
      return expr;
    case 'vector':
      return expr.at === undefined ? { ...expr, at } : expr;
    case 'matrix':
      return expr.selector.at === undefined ? { ...expr, selector: { ...expr.selector, at } } : expr;
    case 'subquery':
      // Inner selectors move with the inner steps, so only the subquery is pinned.
      return expr.at === undefined ? { ...expr, at } : expr;
    case 'unary':
    case 'paren':
      return { ...expr, expr: withAt(expr.expr, timestampMs) };
    case 'binary':
      return { ...expr, lhs: withAt(expr.lhs, timestampMs), rhs: withAt(expr.rhs, timestampMs) };
    case 'aggregate': {
      const param = expr.param === undefined ? {} : { param: withAt(expr.param, timestampMs) };
      return { ...expr, ...param, expr: withAt(expr.expr, timestampMs) };
    }
    case 'call':
      return { ...expr, args: expr.args.map((arg) => withAt(arg, timestampMs)) };
  }
}
