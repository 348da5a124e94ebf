/**
 * count_values: how many series of a group have each value; the value becomes a label. The state is a map from a value's
 * text to its counts.
 */
import { ByteFormatError, type ByteWriter } from '../../../base/index.ts';
import { formatFloat, type Labels, LabelsBuilder } from '../../../model/index.ts';
import { readNumbers, writeNumbers } from '../../codec/columns.ts';
import { TooManySamplesError } from '../../errors.ts';
import type { StepSeries } from '../../types.ts';
import {
  type Finish,
  type GroupState,
  groupSeries,
  noMembers,
  type ReadContext,
  type Setup,
} from './group_state.ts';

/** Values times steps of a group: 600 MB. */
const cellsMax = 1 << 26;

export class CountValuesState implements GroupState {
  readonly #steps: number;
  readonly #label: string;
  readonly #counts = new Map<string, Float64Array>();
  /** The same counts by number, since most series repeat values. -0 has a text of its own, but not a key. */
  readonly #byNumber = new Map<number, Float64Array>();
  readonly memberLabels: typeof noMembers = noMembers;

  constructor({ steps, label }: Pick<Setup, 'steps' | 'label'>) {
    this.#steps = steps;
    this.#label = label;
  }

  add({ values, present, histograms }: StepSeries): void {
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      const histogram = histograms?.[i];
      const counts =
        histogram === undefined || histogram === null
          ? this.#ofNumber(values[i] as number)
          : this.#ofText(histogram.toString());
      counts[i] = (counts[i] as number) + 1;
    }
  }

  #ofNumber(value: number): Float64Array {
    if (Object.is(value, -0)) return this.#ofText(formatFloat(value));
    let counts = this.#byNumber.get(value);
    if (counts === undefined) {
      counts = this.#ofText(formatFloat(value));
      this.#byNumber.set(value, counts);
    }
    return counts;
  }

  #ofText(value: string): Float64Array {
    // A label that the group does not keep tells no values apart.
    const text = this.#label === '' ? '' : value;
    let counts = this.#counts.get(text);
    if (counts === undefined) {
      if ((this.#counts.size + 1) * this.#steps > cellsMax) throw new TooManySamplesError();
      counts = new Float64Array(this.#steps);
      this.#counts.set(text, counts);
    }
    return counts;
  }

  merge(other: CountValuesState): void {
    for (const [text, counts] of other.#counts) {
      const own = this.#ofText(text);
      for (let i = 0; i < own.length; i++) own[i] = (own[i] as number) + (counts[i] as number);
    }
  }

  /** A name that is marked for removal stays, as in Prometheus. */
  finish(context: Finish): StepSeries[] {
    const results: StepSeries[] = [];
    for (const [text, counts] of this.#counts) {
      const present = Uint8Array.from(counts, (count) => (count > 0 ? 1 : 0));
      const labels = this.#labelled(context.labels, text);
      for (const one of groupSeries({ ...context, labels, dropName: false }, counts, present))
        results.push(one);
    }
    return results;
  }

  #labelled(labels: Labels, text: string): Labels {
    return this.#label === '' ? labels : new LabelsBuilder(labels).set(this.#label, text).labels();
  }

  /** varint values, per value: text, counts of all steps. */
  write(writer: ByteWriter): void {
    writer.varint(this.#counts.size);
    const all = new Uint8Array(this.#steps).fill(1);
    for (const [text, counts] of this.#counts) {
      writer.text(text);
      writeNumbers(writer, counts, all);
    }
  }

  /** Throws ByteFormatError. */
  static read(context: ReadContext): CountValuesState {
    const { reader, steps, claim } = context;
    const state = new CountValuesState(context);
    const all = new Uint8Array(steps).fill(1);
    for (let left = reader.varint(); left > 0; left--) {
      claim(1);
      const text = reader.text();
      if (state.#counts.has(text)) throw new ByteFormatError('a value is counted twice');
      state.#counts.set(text, readNumbers(reader, all));
    }
    return state;
  }
}
