/**
 * min and max: NaN only when all values are NaN. count and group need no more than presence.
 */
import type { StepSeries } from '../../types.ts';
import type { Accumulator, GroupColumns } from './columns.ts';

/** min or max; merging a state is the same as adding its result. */
export class ExtremumAccumulator implements Accumulator {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly #sign: 1 | -1;

  constructor(steps: number, which: 'min' | 'max') {
    this.values = new Float64Array(steps);
    this.present = new Uint8Array(steps);
    this.#sign = which === 'max' ? 1 : -1;
  }

  add(series: Pick<StepSeries, 'values' | 'present'>): void {
    const { values, present } = series;
    const sign = this.#sign;
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      const value = values[i] as number;
      const best = this.values[i] as number;
      if (this.present[i] === 0 || sign * value > sign * best || Number.isNaN(best)) this.values[i] = value;
      this.present[i] = 1;
    }
  }

  finish(): GroupColumns {
    return { values: this.values, present: this.present };
  }
}

/** count, and group with a constant result of 1. */
export class CountAccumulator implements Accumulator {
  readonly counts: Float64Array;
  readonly #constant: number | undefined;

  constructor(steps: number, constant?: number) {
    this.counts = new Float64Array(steps);
    this.#constant = constant;
  }

  add(series: Pick<StepSeries, 'present'>): void {
    const { present } = series;
    for (let i = 0; i < present.length; i++)
      this.counts[i] = (this.counts[i] as number) + (present[i] as number);
  }

  merge(other: CountAccumulator): void {
    for (let i = 0; i < this.counts.length; i++) {
      this.counts[i] = (this.counts[i] as number) + (other.counts[i] as number);
    }
  }

  finish(): GroupColumns {
    const values = new Float64Array(this.counts.length);
    const present = new Uint8Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const count = this.counts[i] as number;
      if (count === 0) continue;
      present[i] = 1;
      values[i] = this.#constant ?? count;
    }
    return { values, present };
  }
}
