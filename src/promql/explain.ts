/**
 * Explaining a query: its operators as a tree, what of it is computed where the data lives, and after a run what each gave
 * and how long it took.
 */
import type { DistributedPlan } from './distribute/distribute.ts';
import { seriesOfEvery } from './distribute/every_series.ts';
import type { QueryProfile } from './eval/profile.ts';
import { childrenOf, type Expr, type RemoteExpr } from './parse/tree.ts';

/** Deeper operators are left out, as a line says. */
const depthMax = 100;
const linesMax = 2_000;
const textMax = 120;

/**
 * One line an operator, as `text`, which the plan is of, has it, operands indented below it. With the profile of a run of
 * the plan also series, samples and ms of each, its own ms without its operands' in parentheses; of what was pushed down also
 * what was read and done for it where the data lies, all places added up.
 */
export function explain(
  { expr, notPushed }: Pick<DistributedPlan, 'expr' | 'notPushed'>,
  text: string,
  profile?: QueryProfile,
): string {
  const reasons = new Map(notPushed.map(({ span, reason }) => [span.start, reason]));
  const lines: string[] = [];
  const visit = (node: Expr, depth: number): void => {
    if (lines.length > linesMax) return;
    const indent = '  '.repeat(depth);
    if (depth > depthMax || lines.length === linesMax) {
      if (depth === depthMax + 1 || lines.length === linesMax) lines.push(`${indent}...`);
      return;
    }
    if (node.kind === 'paren') {
      visit(node.expr, depth);
      return;
    }
    const shown = node.kind === 'remote' ? pushedOf(node) : node;
    const parts = [`${indent}${shown.kind} ${shortened(text.slice(shown.span.start, shown.span.end))}`];
    const reason = shown.kind === 'aggregate' ? reasons.get(shown.span.start) : undefined;
    if (node.kind === 'remote') parts.push('[pushed down]');
    else if (reason !== undefined) parts.push(`[not pushed down: ${reason}]`);
    if (profile !== undefined) parts.push(...told(node, profile));
    lines.push(parts.join('  '));
    for (const child of childrenOf(shown)) visit(child, depth + 1);
  };
  visit(expr, 0);
  return lines.join('\n');
}

/** What a fragment computes, as the query has it. */
function pushedOf({ fragment: { expr } }: RemoteExpr): Expr {
  return seriesOfEvery(expr) ?? expr;
}

function shortened(text: string): string {
  const shown = text.slice(0, textMax).replaceAll(/\s+/g, ' ');
  return text.length <= textMax ? shown : `${shown}...`;
}

function told(node: Expr, profile: QueryProfile): string[] {
  const { runs, series, samples, totalMs } = profile.of(node);
  if (runs === 0) return [];
  const operandsMs = childrenOf(node).reduce((sum, child) => sum + timeOf(child, profile), 0);
  const own = Math.max(0, totalMs - operandsMs).toFixed(1);
  const local = `series=${series} samples=${samples} ms=${totalMs.toFixed(1)} (${own})`;
  const there = node.kind === 'remote' ? profile.elsewhere(node.fragment.id) : undefined;
  if (there === undefined) return [local];
  return [
    local,
    `remote: series=${there.series} samples=${there.totalSamples} ms=${there.workMs.toFixed(1)}`,
  ];
}

/** Of an operator, or of those below it where it takes no time of its own, as range selectors. */
function timeOf(node: Expr, profile: QueryProfile): number {
  const { runs, totalMs } = profile.of(node);
  if (runs > 0) return totalMs;
  return childrenOf(node).reduce((sum, child) => sum + timeOf(child, profile), 0);
}
