/**
 * Groups of an aggregation: series with equal labels after `by` or `without`.
 */
import { Labels, metricNameLabel } from '../../../model/index.ts';
import type { StepSeries } from '../../types.ts';

export interface Grouping {
  readonly grouping: readonly string[];
  readonly without: boolean;
}

export interface Group {
  readonly labels: Labels;
  readonly members: StepSeries[];
}

/** Reduces labels to those of the group. */
export function groupLabels({ grouping, without }: Grouping): (labels: Labels) => Labels {
  if (without) {
    const dropped = new Set([...grouping, metricNameLabel]);
    return (labels) => labels.without(dropped);
  }
  if (grouping.length === 0) return () => Labels.empty;
  const kept = new Set(grouping);
  return (labels) => labels.keeping(kept);
}

/** Groups in the order of their first series. */
export function groupSeries(series: readonly StepSeries[], grouping: Grouping): Group[] {
  const reduce = groupLabels(grouping);
  const groups = new Map<string, Group>();
  for (const one of series) {
    const labels = reduce(one.labels);
    const group = groups.get(labels.key());
    if (group === undefined) groups.set(labels.key(), { labels, members: [one] });
    else group.members.push(one);
  }
  return [...groups.values()];
}
