/**
 * sum: Neumaier summation per step, so that the order and partition of the inputs hardly matter. The state is
 * the pair (sum, compensation).
 */

import type { StepSeries } from '../../types.ts';
import { isInfinite, lostBits } from '../kahan.ts';
import type { Accumulator, GroupColumns } from './columns.ts';

export class SumAccumulator implements Accumulator {
  readonly sums: Float64Array;
  readonly compensations: Float64Array;
  readonly present: Uint8Array;

  constructor(steps: number) {
    this.sums = new Float64Array(steps);
    this.compensations = new Float64Array(steps);
    this.present = new Uint8Array(steps);
  }

  add(series: StepSeries): void {
    const { values, present } = series;
    for (let i = 0; i < values.length; i++) if (present[i] === 1) this.#inc(i, values[i] as number);
  }

  /** Adds the state of another accumulator over the same steps. */
  merge(other: SumAccumulator): void {
    for (let i = 0; i < other.sums.length; i++) {
      if (other.present[i] !== 1) continue;
      this.#inc(i, other.sums[i] as number);
      if (!isInfinite(this.sums[i] as number)) {
        this.compensations[i] = (this.compensations[i] as number) + (other.compensations[i] as number);
      }
    }
  }

  #inc(i: number, value: number): void {
    if (this.present[i] === 0) {
      this.present[i] = 1;
      this.sums[i] = value;
      return;
    }
    const sum = this.sums[i] as number;
    const total = sum + value;
    if (isInfinite(total)) this.compensations[i] = 0;
    else this.compensations[i] = (this.compensations[i] as number) + lostBits(sum, value, total);
    this.sums[i] = total;
  }

  finish(): GroupColumns {
    const values = new Float64Array(this.sums.length);
    for (let i = 0; i < values.length; i++) {
      values[i] = (this.sums[i] as number) + (this.compensations[i] as number);
    }
    return { values, present: this.present };
  }
}
