/**
 * Explaining a query: its operators as a tree, what of it is computed where the data lives, and after a run what each gave
 * and how long it took.
 */
import { distribute } from './distribute/distribute.ts';
import type { QueryProfile } from './eval/profile.ts';
import { printExpr } from './parse/print.ts';
import { childrenOf, type Expr } from './parse/tree.ts';
import type { QueryRange } from './types.ts';

/** Deeper operators are left out, as a line says. */
const depthMax = 100;
const textMax = 120;

/**
 * One line an operator, operands indented below it: `aggregate sum by (l) (...)  [pushed down]`. With the profile of a run of
 * this very tree also series, samples and ms of each, its own ms without its operands' in parentheses.
 */
export function explain(expr: Expr, range: QueryRange, profile?: QueryProfile): string {
  const { fragments, notPushed } = distribute(expr, () => true, range);
  const pushed = new Set(fragments.map(({ text }) => text));
  const reasons = new Map(notPushed.map(({ text, reason }) => [text, reason]));
  const lines: string[] = [];
  const visit = (node: Expr, depth: number): void => {
    const indent = '  '.repeat(depth);
    if (depth > depthMax) {
      if (depth === depthMax + 1) lines.push(`${indent}...`);
      return;
    }
    if (node.kind === 'paren') {
      visit(node.expr, depth);
      return;
    }
    const text = printExpr(node);
    const parts = [`${indent}${node.kind} ${shortened(text)}`];
    const reason = reasons.get(text);
    if (pushed.has(text)) parts.push('[pushed down]');
    else if (reason !== undefined) parts.push(`[not pushed down: ${reason}]`);
    if (profile !== undefined) parts.push(...told(node, profile));
    lines.push(parts.join('  '));
    for (const child of childrenOf(node)) visit(child, depth + 1);
  };
  visit(expr, 0);
  return lines.join('\n');
}

function shortened(text: string): string {
  return text.length <= textMax ? text : `${text.slice(0, textMax)}...`;
}

function told(node: Expr, profile: QueryProfile): string[] {
  const { runs, series, samples, totalMs } = profile.of(node);
  if (runs === 0) return [];
  const operandsMs = childrenOf(node).reduce((sum, child) => sum + timeOf(child, profile), 0);
  const own = Math.max(0, totalMs - operandsMs).toFixed(1);
  return [`series=${series} samples=${samples} ms=${totalMs.toFixed(1)} (${own})`];
}

/** Of an operator, or of those below it where it takes no time of its own, as range selectors. */
function timeOf(node: Expr, profile: QueryProfile): number {
  const { runs, totalMs } = profile.of(node);
  if (runs > 0) return totalMs;
  return childrenOf(node).reduce((sum, child) => sum + timeOf(child, profile), 0);
}
