/**
 * Aggregations that can be evaluated part by part: one selector whose series pass through a function at most, into a state
 * that keeps none of their columns. Then of the data only one part is held at a time, and its memory, still in the
 * processor's cache, serves the next.
 */
import { functionTable } from '../functions/table.ts';
import { type AggregateExpr, type Expr, selectorsOf, unwrapParens } from '../parse/tree.ts';
import type { Storage } from '../types.ts';
import { stateKinds } from './aggregate/states.ts';
import type { Grid } from './grid.ts';

/** What an aggregation is to be read from, one after the other. */
export function partsFor(expr: AggregateExpr, grid: Grid, storage: Storage): readonly Storage[] {
  // Of an instant there is too little to read.
  if (grid.steps === 1 || !passesThrough(expr)) return [storage];
  const parts = storage.parts?.() ?? [];
  return parts.length === 0 ? [storage] : parts;
}

function passesThrough({ op, expr, param }: AggregateExpr): boolean {
  if (stateKinds[op].keepsColumns === true) return false;
  // One selector: what two of them read must be of one moment.
  if (param !== undefined && selectorsOf(param).length > 0) return false;
  const node = unwrapParens(expr);
  if (node.kind === 'vector') return true;
  if (node.kind !== 'call' || functionTable[node.func].pass === undefined) return false;
  return selectorsOf(node).length === 1 && node.args.every(isPlain);
}

function isPlain(arg: Expr): boolean {
  const node = unwrapParens(arg);
  return node.kind === 'matrix' || node.kind === 'number' || node.kind === 'string';
}
