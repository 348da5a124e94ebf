/**
 * Sums of floats, one per step, by Neumaier's compensated summation, so that the order of the inputs hardly matters. A sum
 * that would overflow goes on at 2^-128 of its size: whether it comes back into range, or is a mean that never left it,
 * does then not depend on the order either. (Prometheus turns to a running mean in avg, and to Inf in sum.)
 */
import type { ByteWriter } from '../../../base/index.ts';
import { readNumbers, readSteps, writeNumbers, writeSteps } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import { isInfinite, lostBits } from '../kahan.ts';
import type { ReadContext } from './group_state.ts';

const down = 2 ** -128;
const up = 2 ** 128;

export class FloatSums {
  readonly #counts: Float64Array;
  /** Series with a value at every step are counted once. */
  #whole = 0;
  readonly #sums: Float64Array;
  readonly #lost: Float64Array;
  /** 1 where sum and loss are held times 2^-128; hardly ever there. */
  #scaled: Uint8Array | undefined;

  constructor(steps: number) {
    this.#counts = new Float64Array(steps);
    this.#sums = new Float64Array(steps);
    this.#lost = new Float64Array(steps);
  }

  /** How many values each step has. */
  get counts(): Float64Array {
    const counts = this.#counts;
    if (this.#whole > 0)
      for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + this.#whole;
    this.#whole = 0;
    return counts;
  }

  /** The floats of a series; its histograms are passed over. */
  add({ values, present, histograms }: StepSeries): void {
    if (histograms !== undefined || this.#scaled !== undefined) {
      for (let i = 0; i < values.length; i++) {
        if (present[i] !== 1 || (histograms !== undefined && histograms[i] !== null)) continue;
        this.#combine(i, values[i] as number, 0, 1, false);
      }
      return;
    }
    if (present.includes(0)) this.#addSparse(values, present);
    else this.#addWhole(values);
  }

  #addSparse(values: Float64Array, present: Uint8Array): void {
    const counts = this.#counts;
    const sums = this.#sums;
    const lost = this.#lost;
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      const value = values[i] as number;
      const sum = sums[i] as number;
      const total = sum + value;
      // Not so for NaN and infinities.
      if (total - total === 0) {
        counts[i] = (counts[i] as number) + 1;
        sums[i] = total;
        lost[i] =
          (lost[i] as number) +
          (Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum);
      } else this.#combine(i, value, 0, 1, false);
    }
  }

  #addWhole(values: Float64Array): void {
    const sums = this.#sums;
    const lost = this.#lost;
    this.#whole++;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      const sum = sums[i] as number;
      const total = sum + value;
      if (total - total === 0) {
        // What is lost, as above, but without asking which of the two is larger (Knuth's TwoSum).
        const added = total - sum;
        sums[i] = total;
        lost[i] = (lost[i] as number) + (sum - (total - added) + (value - added));
      } else this.#combine(i, value, 0, 0, false);
    }
  }

  merge(other: FloatSums): void {
    const counts = other.counts;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i] as number;
      if (count === 0) continue;
      this.#combine(i, other.#sums[i] as number, other.#lost[i] as number, count, other.#scaled?.[i] === 1);
    }
  }

  /** Adds `count` values whose sum is `sum + lost`. */
  #combine(i: number, sum: number, lost: number, count: number, isScaled: boolean): void {
    if (isScaled) this.#scale(i);
    const isScaledHere = this.#scaled?.[i] === 1;
    const factor = isScaledHere && !isScaled ? down : 1;
    let addend = sum * factor;
    let addendLost = lost * factor;
    let total = (this.#sums[i] as number) + addend;
    if (isInfinite(total) && Number.isFinite(addend) && Number.isFinite(this.#sums[i])) {
      this.#scale(i);
      addend *= down;
      addendLost *= down;
      total = (this.#sums[i] as number) + addend;
    }
    const lostHere = isInfinite(total) ? 0 : lostBits(this.#sums[i] as number, addend, total);
    this.#lost[i] = isInfinite(total) ? 0 : (this.#lost[i] as number) + lostHere + addendLost;
    this.#sums[i] = total;
    this.#counts[i] = (this.#counts[i] as number) + count;
  }

  #scale(i: number): void {
    this.#scaled ??= new Uint8Array(this.#counts.length);
    if (this.#scaled[i] === 1) return;
    this.#scaled[i] = 1;
    this.#sums[i] = (this.#sums[i] as number) * down;
    this.#lost[i] = (this.#lost[i] as number) * down;
  }

  /** Of a step that has values. */
  sum(i: number): number {
    const sum = (this.#sums[i] as number) + (this.#lost[i] as number);
    return this.#scaled?.[i] === 1 ? sum * up : sum;
  }

  /** Of a step that has values. */
  mean(i: number): number {
    const count = this.#whole + (this.#counts[i] as number);
    const mean = (this.#sums[i] as number) / count + (this.#lost[i] as number) / count;
    return this.#scaled?.[i] === 1 ? mean * up : mean;
  }

  /** Steps with values, then for these: counts, sums, what they lost; then the steps whose sums are scaled. */
  write(writer: ByteWriter, withCounts: boolean): void {
    const { counts } = this;
    const present = counts.length === 0 ? new Uint8Array(0) : Uint8Array.from(counts, (n) => +(n > 0));
    writeSteps(writer, present);
    if (withCounts) writeNumbers(writer, counts, present);
    writeNumbers(writer, this.#sums, present);
    writeNumbers(writer, this.#lost, present);
    writeSteps(writer, this.#scaled ?? new Uint8Array(present.length));
  }

  /** Throws ByteFormatError. */
  static read({ reader, steps, claim }: ReadContext, withCounts: boolean): FloatSums {
    claim(3);
    const read = new FloatSums(steps);
    const present = readSteps(reader, steps);
    read.#counts.set(withCounts ? readNumbers(reader, present) : present);
    read.#sums.set(readNumbers(reader, present));
    read.#lost.set(readNumbers(reader, present));
    const scaled = readSteps(reader, steps);
    if (scaled.includes(1)) read.#scaled = scaled;
    return read;
  }
}
