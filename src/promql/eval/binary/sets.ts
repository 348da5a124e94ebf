/**
 * Set operators: `and`, `or`, `unless` keep or leave series of one side by whether the other side has any series
 * in their match group at that step. Values pass unchanged.
 */
import type { BinaryExpr, SetOperator } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import { anyPresent, mergeSameLabels, type VectorValue, withoutEmpty } from '../values.ts';
import { defaultMatching, groupByMatch, matchLabels } from './matching.ts';

/** Both sides are on one grid; their columns are overwritten and handed on in the result. */
export function evaluateSet(
  expr: BinaryExpr,
  op: SetOperator,
  lhs: StepSeries[],
  rhs: StepSeries[],
): VectorValue {
  const reduce = matchLabels(expr.matching ?? defaultMatching);
  if (op === 'or') return union(lhs, rhs, reduce);
  const groups = groupByMatch(rhs, reduce);
  const presence = new Map<string, Uint8Array>();
  for (const one of lhs) {
    const key = reduce(one.labels).key();
    const group = groups.get(key);
    let other = presence.get(key);
    if (other === undefined) {
      other = anyPresent(group ?? [], one.present.length);
      presence.set(key, other);
    }
    const wanted = op === 'and' ? 1 : 0;
    mask(one.present, other, wanted);
  }
  return { type: 'vector', series: withoutEmpty(lhs) };
}

/** All of the left, and of the right what has no partner on the left. */
function union(
  lhs: StepSeries[],
  rhs: StepSeries[],
  reduce: Parameters<typeof groupByMatch>[1],
): VectorValue {
  const groups = groupByMatch(lhs, reduce);
  const presence = new Map<string, Uint8Array>();
  for (const [key, group] of groups) presence.set(key, anyPresent(group, group[0]?.present.length ?? 0));
  for (const one of rhs) {
    const left = presence.get(reduce(one.labels).key());
    if (left !== undefined) mask(one.present, left, 0);
  }
  return { type: 'vector', series: mergeSameLabels([...lhs, ...withoutEmpty(rhs)]) };
}

/** Clears the steps at which the other side's presence is not as wanted. */
function mask(present: Uint8Array, other: Uint8Array, wanted: 0 | 1): void {
  for (let i = 0; i < present.length; i++) if (other[i] !== wanted) present[i] = 0;
}
