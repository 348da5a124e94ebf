/**
 * Groups of an aggregation: series with equal labels after `by` or `without`.
 */
import { Labels, metricNameLabel } from '../../../model/index.ts';
import type { StepSeries } from '../../types.ts';
import { labelOf } from '../passing.ts';

export interface Grouping {
  readonly grouping: readonly string[];
  readonly without: boolean;
}

/** Values that tell groups apart, label by label; the last is that of a group. */
interface Branch<G> extends Map<string, Branch<G> | G> {}

/**
 * Finds the group of a series; `make` is asked for it once for each, or, where labels are grouped without some, for each
 * series. By a few labels that takes no more than to look at their values.
 */
export function groupFinder<G extends object>(
  { grouping, without }: Grouping,
  make: (labels: Labels) => G,
): (series: StepSeries) => G {
  if (without) {
    const dropped = new Set([...grouping, metricNameLabel]);
    return ({ labels }) => make(labels.without(dropped));
  }
  const kept = new Set(grouping);
  const names = [...kept];
  const last = names.pop();
  if (last === undefined) {
    let only: G | undefined;
    return () => {
      only ??= make(Labels.empty);
      return only;
    };
  }
  const root: Branch<G> = new Map();
  return (series) => {
    let branch = root;
    for (const name of names) {
      const value = labelOf(series, name);
      let next = branch.get(value) as Branch<G> | undefined;
      if (next === undefined) {
        next = new Map();
        branch.set(value, next);
      }
      branch = next;
    }
    const value = labelOf(series, last);
    let group = branch.get(value) as G | undefined;
    if (group === undefined) {
      group = make(series.labels.keeping(kept));
      branch.set(value, group);
    }
    return group;
  };
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
