/**
 * stdvar and stddev of the population: number, mean and sum of squared distances from it, added to by Welford's algorithm
 * ("Note on a method for calculating corrected sums of squares and products", 1962) and merged by that of Chan,
 * Golub and LeVeque ("Updating formulae and a pairwise algorithm for computing sample variances", 1979). The mean is
 * compensated, so that values far from zero with little between them keep their digits whatever the partition.
 */
import type { ByteWriter } from '../../../base/index.ts';
import { readNumbers, readSteps, writeNumbers, writeSteps } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import { lostBits } from '../kahan.ts';
import {
  type Finish,
  type GroupState,
  groupSeries,
  noMembers,
  noteIgnored,
  type ReadContext,
  type Setup,
} from './group_state.ts';

export class VarianceState implements GroupState {
  readonly #counts: Float64Array;
  readonly #means: Float64Array;
  readonly #lost: Float64Array;
  /** NaN once there was a value that is not finite; Inf once a square was too large. */
  readonly #squares: Float64Array;
  readonly #root: boolean;
  #ignored = false;
  readonly memberLabels: typeof noMembers = noMembers;

  constructor(which: 'stddev' | 'stdvar', { steps }: Pick<Setup, 'steps'>) {
    this.#counts = new Float64Array(steps);
    this.#means = new Float64Array(steps);
    this.#lost = new Float64Array(steps);
    this.#squares = new Float64Array(steps);
    this.#root = which === 'stddev';
  }

  add({ values, present, histograms }: StepSeries): void {
    const counts = this.#counts;
    const means = this.#means;
    const lost = this.#lost;
    const squares = this.#squares;
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      if (histograms !== undefined && histograms[i] !== null) {
        this.#ignored = true;
        continue;
      }
      const value = values[i] as number;
      const count = (counts[i] as number) + 1;
      counts[i] = count;
      const mean = means[i] as number;
      const delta = value - mean - (lost[i] as number);
      const step = delta / count;
      const next = mean + step;
      const nextLost =
        (lost[i] as number) + (Math.abs(mean) >= Math.abs(step) ? mean - next + step : step - next + mean);
      const square = (squares[i] as number) + delta * (value - next - nextLost);
      if (square - square === 0) {
        means[i] = next;
        lost[i] = nextLost;
        squares[i] = square;
      } else this.#overflow(i, Number.isFinite(value) ? Number.POSITIVE_INFINITY : Number.NaN);
    }
  }

  merge(other: VarianceState): void {
    if (other.#ignored) this.#ignored = true;
    for (let i = 0; i < this.#counts.length; i++) {
      const added = other.#counts[i] as number;
      if (added > 0) this.#mergeStep(i, other, added);
    }
  }

  #mergeStep(i: number, other: VarianceState, added: number): void {
    const before = this.#counts[i] as number;
    const count = before + added;
    this.#counts[i] = count;
    if (before === 0) {
      this.#means[i] = other.#means[i] as number;
      this.#lost[i] = other.#lost[i] as number;
      this.#squares[i] = other.#squares[i] as number;
      return;
    }
    const mean = this.#means[i] as number;
    const delta =
      (other.#means[i] as number) - mean + ((other.#lost[i] as number) - (this.#lost[i] as number));
    const step = delta * (added / count);
    const next = mean + step;
    const own = this.#squares[i] as number;
    const theirs = other.#squares[i] as number;
    const square = own + theirs + delta * delta * ((before * added) / count);
    if (!Number.isFinite(square)) {
      this.#overflow(i, Number.isNaN(theirs) ? Number.NaN : Number.POSITIVE_INFINITY);
      return;
    }
    this.#squares[i] = square;
    this.#means[i] = next;
    this.#lost[i] = (this.#lost[i] as number) + lostBits(mean, step, next);
  }

  /** A mean is of no use any more then. */
  #overflow(i: number, squares: number): void {
    this.#squares[i] = Number.isNaN(this.#squares[i]) ? Number.NaN : squares;
    this.#means[i] = 0;
    this.#lost[i] = 0;
  }

  finish(context: Finish): StepSeries[] {
    if (this.#ignored) noteIgnored(context);
    const values = new Float64Array(this.#counts.length);
    const present = new Uint8Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const count = this.#counts[i] as number;
      if (count === 0) continue;
      present[i] = 1;
      const variance = (this.#squares[i] as number) / count;
      values[i] = this.#root ? Math.sqrt(variance) : variance;
    }
    return groupSeries(context, values, present);
  }

  /** Whether histograms were ignored; steps with values; counts, means, what they lost, squares. */
  write(writer: ByteWriter): void {
    writer.u8(this.#ignored ? 1 : 0);
    const present = Uint8Array.from(this.#counts, (count) => (count > 0 ? 1 : 0));
    writeSteps(writer, present);
    for (const column of this.#columns()) writeNumbers(writer, column, present);
  }

  /** Throws ByteFormatError. */
  static read(which: 'stddev' | 'stdvar', context: ReadContext): VarianceState {
    const { reader, steps, claim } = context;
    claim(4);
    const state = new VarianceState(which, context);
    state.#ignored = reader.u8() === 1;
    const present = readSteps(reader, steps);
    for (const column of state.#columns()) column.set(readNumbers(reader, present));
    return state;
  }

  #columns(): Float64Array[] {
    return [this.#counts, this.#means, this.#lost, this.#squares];
  }
}
