/**
 * Match groups: series of both sides of an operator that agree on the labels they are matched by.
 */

import type { Labels } from '../../../model/index.ts';
import { metricNameLabel } from '../../../model/index.ts';
import type { VectorMatching } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';

export const defaultMatching: VectorMatching = {
  cardinality: 'one-to-one',
  on: false,
  labels: [],
  include: [],
};

/** Reduces labels to what series are matched by. */
export function matchLabels(matching: VectorMatching): (labels: Labels) => Labels {
  if (matching.on) {
    const names = new Set(matching.labels);
    return (labels) => labels.keeping(names);
  }
  const names = new Set([...matching.labels, metricNameLabel]);
  return (labels) => labels.without(names);
}

/** Series by the key of their match labels, groups in the order of their first series. */
export function groupByMatch(
  series: readonly StepSeries[],
  reduce: (labels: Labels) => Labels,
): Map<string, StepSeries[]> {
  const groups = new Map<string, StepSeries[]>();
  for (const one of series) {
    const key = reduce(one.labels).key();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
