/**
 * Aggregations that pick series rather than combine them: topk, bottomk, limitk, limit_ratio. Picked series keep
 * their labels. Ties are broken by label order, so that every placement of the data gives the same answer.
 */
import { formatFloatG } from '../../../model/index.ts';
import { ExecutionError } from '../../errors.ts';
import type { StepSeries } from '../../types.ts';
import { isEmptyColumn } from '../values.ts';
import { labelHash } from './label_hash.ts';

/** Which of a group's series stay at a step: clears `present` of the others. */
export type Selection = (group: readonly StepSeries[]) => StepSeries[];

/** topk or bottomk with `k` per step. NaN counts as last in both. A single step's result is in order of value. */
export function selectExtreme(which: 'topk' | 'bottomk', k: Float64Array): Selection {
  const sign = which === 'topk' ? 1 : -1;
  return (group) => {
    const ranks = labelRanks(group);
    const order: number[] = [];
    const better = (step: number) => (a: number, b: number) => {
      const x = (group[a] as StepSeries).values[step] as number;
      const y = (group[b] as StepSeries).values[step] as number;
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return (ranks[a] as number) - (ranks[b] as number);
      if (Number.isNaN(x)) return 1;
      if (Number.isNaN(y)) return -1;
      return sign * x > sign * y ? -1 : 1;
    };
    for (let step = 0; step < k.length; step++) {
      order.length = 0;
      for (let i = 0; i < group.length; i++) if ((group[i] as StepSeries).present[step] === 1) order.push(i);
      order.sort(better(step));
      clearFrom(group, order, step, k[step] as number);
    }
    if (k.length !== 1) return withValues(group);
    return withValues(order.map((i) => group[i] as StepSeries));
  };
}

/** limitk: the first `k` series in label order at each step. */
export function selectFirst(k: Float64Array): Selection {
  return (group) => {
    const ranks = labelRanks(group);
    const order = group.map((_, i) => i).sort((a, b) => (ranks[a] as number) - (ranks[b] as number));
    for (let step = 0; step < k.length; step++) {
      const here = order.filter((i) => (group[i] as StepSeries).present[step] === 1);
      clearFrom(group, here, step, k[step] as number);
    }
    return withValues(group);
  };
}

/** limit_ratio: series whose label hash, as a fraction of 2^64, is below r; for r < 0 the others. */
export function selectRatio(ratios: Float64Array): Selection {
  return (group) => {
    for (const { labels, present } of group) {
      const offset = Number(labelHash(labels)) / 2 ** 64;
      for (let step = 0; step < ratios.length; step++) {
        const ratio = Math.min(1, Math.max(-1, ratios[step] as number));
        const kept = ratio !== 0 && (ratio > 0 ? offset < ratio : offset >= 1 + ratio);
        if (!kept) present[step] = 0;
      }
    }
    return withValues(group);
  };
}

function clearFrom(group: readonly StepSeries[], order: readonly number[], step: number, k: number): void {
  for (let i = Math.max(0, Math.trunc(k)); i < order.length; i++) {
    (group[order[i] as number] as StepSeries).present[step] = 0;
  }
}

function withValues(group: readonly StepSeries[]): StepSeries[] {
  return group.filter(({ present }) => !isEmptyColumn(present));
}

/** Each series' place in label order. */
function labelRanks(group: readonly StepSeries[]): Float64Array {
  const ranks = new Float64Array(group.length);
  const order = group.map((_, i) => i);
  order.sort((a, b) => (group[a] as StepSeries).labels.compare((group[b] as StepSeries).labels));
  for (const [rank, i] of order.entries()) ranks[i] = rank;
  return ranks;
}

/** Throws when a count parameter is not an int64. */
export function checkCounts(counts: Float64Array): void {
  for (const count of counts) {
    if (Number.isNaN(count)) throw new ExecutionError('Parameter value is NaN');
    if (count <= -(2 ** 63)) throw new ExecutionError(`Scalar value ${formatFloatG(count)} underflows int64`);
    if (count >= 2 ** 63) throw new ExecutionError(`Scalar value ${formatFloatG(count)} overflows int64`);
  }
}
