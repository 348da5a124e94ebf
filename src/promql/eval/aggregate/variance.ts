/**
 * stdvar and stddev of the population, by Welford's algorithm ("Note on a method for calculating corrected sums
 * of squares and products", 1962).
 */
import type { StepSeries } from '../../types.ts';
import type { Accumulator, GroupColumns } from './columns.ts';

export class VarianceAccumulator implements Accumulator {
  readonly #counts: Float64Array;
  readonly #means: Float64Array;
  readonly #squares: Float64Array;
  readonly #root: boolean;

  constructor(steps: number, which: 'stddev' | 'stdvar') {
    this.#counts = new Float64Array(steps);
    this.#means = new Float64Array(steps);
    this.#squares = new Float64Array(steps);
    this.#root = which === 'stddev';
  }

  add(series: StepSeries): void {
    const { values, present } = series;
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      const value = values[i] as number;
      const count = (this.#counts[i] as number) + 1;
      this.#counts[i] = count;
      if (count === 1) {
        this.#means[i] = value;
        this.#squares[i] = Number.isFinite(value) ? 0 : Number.NaN;
        continue;
      }
      const delta = value - (this.#means[i] as number);
      const mean = (this.#means[i] as number) + delta / count;
      this.#means[i] = mean;
      this.#squares[i] = (this.#squares[i] as number) + delta * (value - mean);
    }
  }

  finish(): GroupColumns {
    const values = new Float64Array(this.#counts.length);
    const present = new Uint8Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const count = this.#counts[i] as number;
      if (count === 0) continue;
      present[i] = 1;
      const variance = (this.#squares[i] as number) / count;
      values[i] = this.#root ? Math.sqrt(variance) : variance;
    }
    return { values, present };
  }
}
