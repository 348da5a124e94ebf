/**
 * The second argument of `info()` made whole: which info metrics are read (`target_info` unless the names say
 * otherwise), at the time at which the first argument's selector looks.
 */
import { Matcher, MatchType, metricNameLabel } from '../../model/index.ts';
import type { AtModifier, DurationNode, Expr, VectorSelector } from './tree.ts';
import { childrenOf } from './tree.ts';

const defaultInfoMetric = 'target_info';

/** `given` are the labels asked for; without them all labels of the info metric are. */
export function completeInfoSelector(base: Expr, given: VectorSelector | undefined): VectorSelector {
  const matchers = given?.matchers ?? [];
  const names = matchers.filter(({ name }) => name === metricNameLabel);
  const others = matchers.filter(({ name }) => name !== metricNameLabel);
  const { at, offset } = timesOf(base) ?? {};
  return {
    kind: 'vector',
    span: given?.span ?? base.span,
    written: given ?? null,
    name: '',
    matchers: [...nameMatchers(names), ...others],
    ...(at === undefined ? {} : { at }),
    ...(offset === undefined ? {} : { offset }),
  };
}

/** Names that are only excluded are excluded from all info metrics. */
function nameMatchers(given: readonly Matcher[]): readonly Matcher[] {
  if (given.length === 0) return [Matcher.create(MatchType.Equal, metricNameLabel, defaultInfoMetric)];
  const selects = given.some(({ type }) => type === MatchType.Equal || type === MatchType.Regexp);
  return selects ? given : [Matcher.create(MatchType.Regexp, metricNameLabel, '.+_info'), ...given];
}

interface Times {
  readonly at?: AtModifier | undefined;
  readonly offset?: DurationNode | undefined;
}

/** The modifiers of the first selector, with those of the subqueries around it. */
function timesOf(expr: Expr): Times | undefined {
  if (expr.kind === 'vector') return { at: expr.at, offset: expr.offset };
  for (const child of childrenOf(expr)) {
    const inner = timesOf(child);
    if (inner === undefined) continue;
    if (expr.kind !== 'subquery' || inner.at !== undefined) return inner;
    return { at: expr.at, offset: sum(inner.offset, expr.offset) };
  }
  return undefined;
}

function sum(left: DurationNode | undefined, right: DurationNode | undefined): DurationNode | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const span = { start: left.span.start, end: right.span.end };
  return { kind: 'wrap', span, operand: { kind: '+', span, left, right } };
}
