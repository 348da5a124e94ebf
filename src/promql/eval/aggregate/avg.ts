/**
 * avg: a compensated sum and a count per step. Where the sum would overflow, the step switches to a running mean
 * for good, as in Prometheus: mean += (value - mean) / count, compensated. Merging two states adds the sums while
 * both still are sums and the result is finite; otherwise both become means and are weighted by their counts.
 */

import type { StepSeries } from '../../types.ts';
import { isInfinite, lostBits } from '../kahan.ts';
import type { Accumulator, GroupColumns } from './columns.ts';

export class AvgAccumulator implements Accumulator {
  /** The sum, or the mean where `isMean` is 1. */
  readonly totals: Float64Array;
  readonly compensations: Float64Array;
  readonly counts: Float64Array;
  readonly isMean: Uint8Array;

  constructor(steps: number) {
    this.totals = new Float64Array(steps);
    this.compensations = new Float64Array(steps);
    this.counts = new Float64Array(steps);
    this.isMean = new Uint8Array(steps);
  }

  add(series: StepSeries): void {
    const { values, present } = series;
    for (let i = 0; i < values.length; i++) {
      if (present[i] === 1) this.#combine(i, values[i] as number, 0, 1, false);
    }
  }

  merge(other: AvgAccumulator): void {
    for (let i = 0; i < other.totals.length; i++) {
      const count = other.counts[i] as number;
      if (count === 0) continue;
      const isMean = other.isMean[i] === 1;
      this.#combine(i, other.totals[i] as number, other.compensations[i] as number, count, isMean);
    }
  }

  /** Adds `count` values whose sum (or mean) is `total + compensation`. */
  #combine(i: number, total: number, compensation: number, count: number, isMean: boolean): void {
    const before = this.counts[i] as number;
    this.counts[i] = before + count;
    if (before === 0) {
      this.totals[i] = total;
      this.compensations[i] = compensation;
      this.isMean[i] = isMean ? 1 : 0;
      return;
    }
    if (this.isMean[i] === 0 && !isMean) {
      const sum = this.totals[i] as number;
      const next = sum + total;
      if (!isInfinite(next)) {
        this.compensations[i] = (this.compensations[i] as number) + lostBits(sum, total, next) + compensation;
        this.totals[i] = next;
        return;
      }
    }
    this.#toMean(i, before);
    const mean = isMean ? total : total / count;
    const meanCompensation = isMean ? compensation : compensation / count;
    this.#combineMeans(i, before, mean, meanCompensation, count);
  }

  #toMean(i: number, count: number): void {
    if (this.isMean[i] === 1) return;
    this.isMean[i] = 1;
    this.totals[i] = (this.totals[i] as number) / count;
    this.compensations[i] = (this.compensations[i] as number) / count;
  }

  #combineMeans(i: number, before: number, mean: number, compensation: number, count: number): void {
    const all = before + count;
    const kept = (this.totals[i] as number) * (before / all);
    const added = mean * (count / all);
    const total = kept + added;
    const carried = (this.compensations[i] as number) * (before / all) + compensation * (count / all);
    this.compensations[i] = isInfinite(total) ? 0 : carried + lostBits(kept, added, total);
    this.totals[i] = total;
  }

  finish(): GroupColumns {
    const values = new Float64Array(this.totals.length);
    const present = new Uint8Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const count = this.counts[i] as number;
      if (count === 0) continue;
      present[i] = 1;
      const divisor = this.isMean[i] === 1 ? 1 : count;
      values[i] = (this.totals[i] as number) / divisor + (this.compensations[i] as number) / divisor;
    }
    return { values, present };
  }
}
