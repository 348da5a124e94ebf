/**
 * quantile: all values of a step, interpolated between the two that are nearest in rank. The state is the values
 * themselves, so it is no smaller than the input.
 */
import { ByteFormatError, type ByteWriter } from '../../../base/index.ts';
import { readNumbers, readSteps, writeNumbers, writeSteps } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import { isEmptyColumn } from '../values.ts';
import {
  type Finish,
  type GroupState,
  groupSeries,
  noMembers,
  noteIgnored,
  type ReadContext,
  type Setup,
} from './group_state.ts';

type Column = Pick<StepSeries, 'values' | 'present'>;

/** Steps whose values are gathered in one pass over the series: a cache line of each. */
const blockSteps = 8;

export class QuantileState implements GroupState {
  readonly #columns: Column[] = [];
  readonly #quantiles: Float64Array;
  #ignored = false;
  readonly memberLabels: typeof noMembers = noMembers;

  constructor({ parameter }: Pick<Setup, 'parameter'>) {
    this.#quantiles = parameter;
  }

  add({ values, present, histograms }: StepSeries): void {
    if (histograms === undefined) {
      this.#columns.push({ values, present });
      return;
    }
    for (const [i, histogram] of histograms.entries()) {
      if (histogram === null || present[i] !== 1) continue;
      present[i] = 0;
      this.#ignored = true;
    }
    if (!isEmptyColumn(present)) this.#columns.push({ values, present });
  }

  merge(other: QuantileState): void {
    if (other.#ignored) this.#ignored = true;
    for (const column of other.#columns) this.#columns.push(column);
  }

  finish(context: Finish): StepSeries[] {
    if (this.#ignored) noteIgnored(context);
    const steps = this.#quantiles.length;
    const results = new Float64Array(steps);
    const seen = new Uint8Array(steps);
    const buffers = Array.from({ length: blockSteps }, () => new Float64Array(this.#columns.length));
    for (let from = 0; from < steps; from += blockSteps) {
      const to = Math.min(steps, from + blockSteps);
      const counts = this.#gather(buffers, from, to);
      for (let i = from; i < to; i++) {
        const count = counts[i - from] as number;
        if (count === 0) continue;
        seen[i] = 1;
        const buffer = buffers[i - from] as Float64Array;
        results[i] = quantileOf(this.#quantiles[i] as number, buffer.subarray(0, count));
      }
    }
    return groupSeries(context, results, seen);
  }

  /** The values of each step of a block, and how many there are. */
  #gather(buffers: readonly Float64Array[], from: number, to: number): Int32Array {
    const counts = new Int32Array(blockSteps);
    for (const { values, present } of this.#columns) {
      for (let i = from; i < to; i++) {
        if (present[i] !== 1) continue;
        const at = counts[i - from] as number;
        (buffers[i - from] as Float64Array)[at] = values[i] as number;
        counts[i - from] = at + 1;
      }
    }
    return counts;
  }

  /** Whether histograms were ignored; varint columns; each its steps with values, then these. */
  write(writer: ByteWriter): void {
    writer.u8(this.#ignored ? 1 : 0);
    writer.varint(this.#columns.length);
    for (const { values, present } of this.#columns) {
      writeSteps(writer, present);
      writeNumbers(writer, values, present);
    }
  }

  /** Throws ByteFormatError. */
  static read(context: ReadContext): QuantileState {
    const { reader, steps, claim } = context;
    const state = new QuantileState(context);
    state.#ignored = reader.u8() === 1;
    const count = reader.varint();
    if (count > reader.remaining) throw new ByteFormatError(`${count} columns in ${reader.remaining} bytes`);
    for (let i = 0; i < count; i++) {
      claim(1);
      const present = readSteps(reader, steps);
      state.#columns.push({ values: readNumbers(reader, present), present });
    }
    return state;
  }
}

/** The q-quantile of `values`, which get reordered; NaN is the smallest: q < 0 is -Inf, q > 1 is +Inf, NaN is NaN. */
export function quantileOf(q: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const rank = q * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  const nans = moveNaNs(values);
  const low = ranked(values, nans, lower);
  const high = upper === lower ? low : upper < nans ? Number.NaN : leastFrom(values, Math.max(upper, nans));
  return low * (1 - weight) + high * weight;
}

/** To the front; returns their number. -0 becomes 0, so that the order of the two does not show. */
function moveNaNs(values: Float64Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) {
      values[i] = values[count] as number;
      values[count++] = value;
    } else if (value === 0) values[i] = 0;
  }
  return count;
}

/** The value at `rank`, with no greater one before it and no lesser one behind (Hoare, "Algorithm 65: find", 1961). */
function ranked(values: Float64Array, nans: number, rank: number): number {
  if (rank < nans) return Number.NaN;
  let left = nans;
  let right = values.length - 1;
  // Each round halves the range when all goes well; where it does not, sorting bounds the time.
  let rounds = 4 * Math.ceil(Math.log2(right - left + 2));
  while (left < right) {
    if (rounds-- === 0) {
      values.subarray(left, right + 1).sort();
      break;
    }
    const pivot = medianOfThree(
      values[left] as number,
      values[(left + right) >> 1] as number,
      values[right] as number,
    );
    let i = left;
    let j = right;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i > j) break;
      const swapped = values[i] as number;
      values[i++] = values[j] as number;
      values[j--] = swapped;
    }
    if (rank <= j) right = j;
    else if (rank >= i) left = i;
    else break;
  }
  return values[rank] as number;
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function leastFrom(values: Float64Array, from: number): number {
  let least = values[from] as number;
  for (let i = from + 1; i < values.length; i++)
    if ((values[i] as number) < least) least = values[i] as number;
  return least;
}
