/**
 * Groups of an aggregation: series with equal labels after `by` or `without`.
 */
import { Labels, metricNameLabel } from '../../../model/index.ts';

export interface Grouping {
  readonly grouping: readonly string[];
  readonly without: boolean;
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

/**
 * How count_values groups: apart from the label that it makes, which no input keeps. `label` is empty when `without` drops
 * the made one too.
 */
export function valueGrouping(
  label: string,
  { grouping, without }: Grouping,
): { by: Grouping; label: string } {
  if (!without) return { by: { grouping: grouping.filter((name) => name !== label), without }, label };
  const isDropped = grouping.includes(label) || label === metricNameLabel;
  return { by: { grouping: [...grouping, label], without }, label: isDropped ? '' : label };
}
