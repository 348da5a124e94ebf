/**
 * min and max: NaN only when all values are NaN; of the two zeros max gives the positive one and min the negative, so
 * that the order of the series does not show.
 */
import type { ByteWriter } from '../../../base/index.ts';
import { readNumbers, readSteps, writeNumbers, writeSteps } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import {
  type Finish,
  type GroupState,
  groupSeries,
  noMembers,
  noteIgnored,
  type ReadContext,
  type Setup,
} from './group_state.ts';

export class ExtremumState implements GroupState {
  #values: Float64Array;
  #present: Uint8Array;
  readonly #sign: 1 | -1;
  #ignored = false;
  readonly memberLabels: typeof noMembers = noMembers;

  constructor(which: 'min' | 'max', { steps }: Pick<Setup, 'steps'>) {
    this.#values = new Float64Array(steps);
    this.#present = new Uint8Array(steps);
    this.#sign = which === 'max' ? 1 : -1;
  }

  add({ values, present, histograms }: Pick<StepSeries, 'values' | 'present' | 'histograms'>): void {
    const sign = this.#sign;
    const best = this.#values;
    const seen = this.#present;
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      if (histograms !== undefined && histograms[i] !== null) {
        this.#ignored = true;
        continue;
      }
      const value = values[i] as number;
      const known = best[i] as number;
      if (seen[i] === 0 || sign * value > sign * known || Number.isNaN(known)) best[i] = value;
      else if (value === 0 && known === 0) best[i] = sign * Math.max(sign * value, sign * known);
      seen[i] = 1;
    }
  }

  merge(other: ExtremumState): void {
    if (other.#ignored) this.#ignored = true;
    this.add({ values: other.#values, present: other.#present });
  }

  finish(context: Finish): StepSeries[] {
    if (this.#ignored) noteIgnored(context);
    return groupSeries(context, this.#values, this.#present);
  }

  /** Whether histograms were ignored; steps with values; values. */
  write(writer: ByteWriter): void {
    writer.u8(this.#ignored ? 1 : 0);
    writeSteps(writer, this.#present);
    writeNumbers(writer, this.#values, this.#present);
  }

  /** Throws ByteFormatError. */
  static read(which: 'min' | 'max', context: ReadContext): ExtremumState {
    const { reader, steps, claim } = context;
    claim(1);
    const state = new ExtremumState(which, { steps: 0 });
    state.#ignored = reader.u8() === 1;
    state.#present = readSteps(reader, steps);
    state.#values = readNumbers(reader, state.#present);
    return state;
  }
}
