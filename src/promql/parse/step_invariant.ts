/**
 * Expressions whose value is the same at every step. Prometheus evaluates such a part of a query once, at its first
 * step, and what it has to say of it, it says once.
 */
import { childrenOf, type Expr } from './tree.ts';

/** Functions of the evaluation time, or of the times of what they are given. */
const timeFunctions: ReadonlySet<string> = new Set([
  ...['day_of_month', 'day_of_week', 'day_of_year', 'days_in_month', 'hour', 'minute', 'month', 'year'],
  ...['predict_linear', 'time', 'timestamp'],
]);
/** Known before the query runs. */
const queryFunctions: ReadonlySet<string> = new Set(['start', 'end', 'range', 'step']);

/** Whether the steps at which the expression is evaluated make no difference. */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'vector':
    case 'subquery':
      return expr.at !== undefined;
    case 'matrix':
      return expr.selector.at !== undefined;
    case 'remote':
      return isStepInvariant(expr.fragment.expr);
    case 'aggregate':
      return isStepInvariant(expr.expr);
    case 'call':
      if (queryFunctions.has(expr.func)) return true;
      if (expr.func === 'timestamp')
        return expr.args.every((arg) => arg.kind === 'vector' && isStepInvariant(arg));
      return !timeFunctions.has(expr.func) && expr.args.every(isStepInvariant);
    default:
      return childrenOf(expr).every(isStepInvariant);
  }
}
