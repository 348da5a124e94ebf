/**
 * topk and bottomk: of each step the series with the best values, which keep their labels. Ties are broken by label order,
 * so that every placement of the data gives the same answer. The state is what is among the k so far: what is not among the
 * k of a part is not among the k of the whole.
 */
import type { ByteWriter } from '../../../base/index.ts';
import type { Labels } from '../../../model/index.ts';
import type { StepSeries } from '../../types.ts';
import { ExtremeHeaps } from './extreme_heaps.ts';
import { type Finish, type GroupState, noteIgnored, type ReadContext, type Setup } from './group_state.ts';
import { readMembers, writeMembers } from './members.ts';

export type ExtremesOp = 'topk' | 'bottomk';

export class ExtremesState implements GroupState {
  readonly #parameter: Float64Array;
  readonly #heaps: ExtremeHeaps;
  #ignored = false;
  /** What the heaps keep, until something is added. */
  #kept: StepSeries[] | undefined;

  constructor(op: ExtremesOp, { parameter }: Pick<Setup, 'parameter'>) {
    this.#parameter = parameter;
    // What is no number is refused elsewhere.
    const limits = parameter.map((k) => (k >= 1 ? Math.trunc(k) : 0));
    this.#heaps = new ExtremeHeaps(op === 'topk' ? 1 : -1, limits);
  }

  add(series: StepSeries): void {
    this.#kept = undefined;
    this.#heaps.add(series.histograms === undefined ? series : this.#floatsOf(series, series.histograms));
  }

  /** Histograms have no place among floats; that there were some is told where any series could have been picked. */
  #floatsOf(
    { labels, values, present, dropName }: StepSeries,
    histograms: NonNullable<StepSeries['histograms']>,
  ): StepSeries {
    const floats = present.map((bit, i) => (histograms[i] === null ? bit : 0));
    for (let i = 0; i < floats.length; i++) {
      if (floats[i] !== present[i] && (this.#parameter[i] as number) >= 1) this.#ignored = true;
    }
    return { labels, values, present: floats, ...(dropName === true ? { dropName } : {}) };
  }

  merge(other: ExtremesState): void {
    if (other.#ignored) this.#ignored = true;
    for (const member of other.#members()) this.add(member);
  }

  /** A single step's result is in order of value. */
  finish(context: Finish): StepSeries[] {
    if (this.#ignored) noteIgnored(context);
    return this.#parameter.length === 1 ? this.#heaps.ranked() : this.#members();
  }

  #members(): StepSeries[] {
    this.#kept ??= this.#heaps.kept();
    return this.#kept;
  }

  memberLabels(): readonly Labels[] {
    return this.#members().map(({ labels }) => labels);
  }

  write(writer: ByteWriter): void {
    writeMembers(writer, this.#members(), this.#ignored);
  }

  /** Throws ByteFormatError. */
  static read(op: ExtremesOp, context: ReadContext): ExtremesState {
    const state = new ExtremesState(op, context);
    const { members, ignored } = readMembers(context);
    if (ignored) state.#ignored = true;
    for (const member of members) state.add(member);
    return state;
  }
}
