/**
 * The k best of many columns at each step, column by column: a heap per step whose root is the worst that is kept, so that
 * most values are turned away by one comparison.
 */
import type { StepSeries } from '../../types.ts';

export class ExtremeHeaps {
  readonly #members: readonly StepSeries[];
  /** Each member's place in label order: of equal values the earlier one is the better. */
  readonly #ranks: Int32Array;
  readonly #sign: 1 | -1;
  readonly #limits: Int32Array;
  readonly #limitMax: number;
  readonly #sizes: Int32Array;
  /** Members by step; the first `#sizes` of each `#limitMax`. */
  readonly #slots: Int32Array;
  /** The value at each root. */
  readonly #worst: Float64Array;

  /** `limits` holds how many are kept at each step. NaN is worse than any number, for both signs. */
  constructor(members: readonly StepSeries[], ranks: Int32Array, sign: 1 | -1, limits: Int32Array) {
    this.#members = members;
    this.#ranks = ranks;
    this.#sign = sign;
    this.#limits = limits;
    this.#limitMax = limits.reduce((a, b) => Math.max(a, b), 0);
    this.#sizes = new Int32Array(limits.length);
    this.#slots = new Int32Array(limits.length * this.#limitMax);
    this.#worst = new Float64Array(limits.length);
  }

  /** Every value that is present. */
  fill(): void {
    const sign = this.#sign;
    const limits = this.#limits;
    const sizes = this.#sizes;
    const worst = this.#worst;
    for (let m = 0; m < this.#members.length; m++) {
      const { values, present } = this.#members[m] as StepSeries;
      for (let step = 0; step < limits.length; step++) {
        if (present[step] !== 1) continue;
        const limit = limits[step] as number;
        if (sizes[step] === limit) {
          // Not so for NaN on either side, nor for equal values.
          if (sign * (values[step] as number) < sign * (worst[step] as number)) continue;
          if (limit === 0 || !this.#isBetter(step, m, this.#slots[step * this.#limitMax] as number)) continue;
          this.#sink(step, m);
        } else this.#rise(step, m);
        worst[step] = this.#value(step, this.#slots[step * this.#limitMax] as number);
      }
    }
  }

  /** Members that are kept at a step, the best first. */
  kept(step: number): number[] {
    const from = step * this.#limitMax;
    const kept = Array.from(this.#slots.subarray(from, from + (this.#sizes[step] as number)));
    return kept.sort((a, b) => (this.#isBetter(step, a, b) ? -1 : 1));
  }

  /** Sets `present` of each member to the steps at which it is kept. */
  mark(): void {
    for (const { present } of this.#members) present.fill(0);
    for (let step = 0; step < this.#sizes.length; step++) {
      const from = step * this.#limitMax;
      for (let i = from; i < from + (this.#sizes[step] as number); i++) {
        (this.#members[this.#slots[i] as number] as StepSeries).present[step] = 1;
      }
    }
  }

  #value(step: number, member: number): number {
    return (this.#members[member] as StepSeries).values[step] as number;
  }

  #isBetter(step: number, a: number, b: number): boolean {
    const x = this.#value(step, a);
    const y = this.#value(step, b);
    if (x === y) return (this.#ranks[a] as number) < (this.#ranks[b] as number);
    if (Number.isNaN(x)) return Number.isNaN(y) && (this.#ranks[a] as number) < (this.#ranks[b] as number);
    return Number.isNaN(y) || this.#sign * x > this.#sign * y;
  }

  /** Adds a member at the end and lets it rise above better ones. */
  #rise(step: number, member: number): void {
    const slots = this.#slots;
    const from = step * this.#limitMax;
    let at = this.#sizes[step] as number;
    this.#sizes[step] = at + 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = slots[from + parent] as number;
      if (!this.#isBetter(step, above, member)) break;
      slots[from + at] = above;
      at = parent;
    }
    slots[from + at] = member;
  }

  /** Puts a member in the place of the root and lets it sink below worse ones. */
  #sink(step: number, member: number): void {
    const slots = this.#slots;
    const from = step * this.#limitMax;
    const size = this.#sizes[step] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (
        right < size &&
        this.#isBetter(step, slots[from + child] as number, slots[from + right] as number)
      ) {
        child = right;
      }
      if (!this.#isBetter(step, member, slots[from + child] as number)) break;
      slots[from + at] = slots[from + child] as number;
      at = child;
    }
    slots[from + at] = member;
  }
}
