/**
 * count and group: floats and histograms alike, no more than presence matters. group gives 1 where there is anything.
 */
import type { ByteWriter } from '../../../base/index.ts';
import { readNumbers, writeNumbers } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import {
  type Finish,
  type GroupState,
  groupSeries,
  noMembers,
  type ReadContext,
  type Setup,
} from './group_state.ts';

export class CountState implements GroupState {
  #counts: Float64Array;
  readonly #isGroup: boolean;
  readonly memberLabels: typeof noMembers = noMembers;

  constructor(which: 'count' | 'group', { steps }: Pick<Setup, 'steps'>) {
    this.#counts = new Float64Array(steps);
    this.#isGroup = which === 'group';
  }

  add({ present }: StepSeries): void {
    addColumn(this.#counts, present);
  }

  merge(other: CountState): void {
    addColumn(this.#counts, other.#counts);
  }

  finish(context: Finish): StepSeries[] {
    const present = Uint8Array.from(this.#counts, (count) => (count > 0 ? 1 : 0));
    const values = this.#isGroup ? Float64Array.from(present) : this.#counts;
    return groupSeries(context, values, present);
  }

  /** Counts of all steps. */
  write(writer: ByteWriter): void {
    const counts = this.#isGroup ? this.#counts.map((count) => Math.min(1, count)) : this.#counts;
    writeNumbers(writer, counts, new Uint8Array(counts.length).fill(1));
  }

  /** Throws ByteFormatError. */
  static read(which: 'count' | 'group', { reader, steps, claim }: ReadContext): CountState {
    claim(1);
    const state = new CountState(which, { steps: 0 });
    state.#counts = readNumbers(reader, new Uint8Array(steps).fill(1));
    return state;
  }
}

function addColumn(sums: Float64Array, addends: Float64Array | Uint8Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (addends[i] as number);
}
