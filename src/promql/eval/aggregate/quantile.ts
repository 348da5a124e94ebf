/**
 * quantile: all values of a step, sorted, interpolated between the two nearest ranks.
 */
import type { StepSeries } from '../../types.ts';
import type { Accumulator, GroupColumns } from './columns.ts';

export class QuantileAccumulator implements Accumulator {
  readonly #series: StepSeries[] = [];
  readonly #quantiles: Float64Array;

  constructor(quantiles: Float64Array) {
    this.#quantiles = quantiles;
  }

  add(series: StepSeries): void {
    this.#series.push(series);
  }

  finish(): GroupColumns {
    const steps = this.#quantiles.length;
    const values = new Float64Array(steps);
    const present = new Uint8Array(steps);
    const buffer = new Float64Array(this.#series.length);
    for (let i = 0; i < steps; i++) {
      let count = 0;
      for (const one of this.#series) if (one.present[i] === 1) buffer[count++] = one.values[i] as number;
      if (count === 0) continue;
      present[i] = 1;
      values[i] = quantileOf(this.#quantiles[i] as number, buffer.subarray(0, count));
    }
    return { values, present };
  }
}

/** The q-quantile of `values`, which get sorted, NaN first: q < 0 is -Inf, q > 1 is +Inf, NaN is NaN. */
export function quantileOf(q: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  sortNaNFirst(values);
  const rank = q * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return (values[lower] as number) * (1 - weight) + (values[upper] as number) * weight;
}

/** Typed arrays sort numerically with NaN last; Prometheus counts NaN as the smallest. */
function sortNaNFirst(values: Float64Array): void {
  values.sort();
  let count = 0;
  while (count < values.length && Number.isNaN(values[values.length - 1 - count])) count++;
  if (count === 0) return;
  values.copyWithin(count, 0, values.length - count);
  values.fill(Number.NaN, 0, count);
}
