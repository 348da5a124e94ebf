/**
 * The k best of many columns at each step, column by column: a heap per step whose root is the worst that is kept, so that
 * most values are turned away by one comparison. Values lie in the heaps, so that columns need not be kept.
 */
import type { Labels } from '../../../model/index.ts';
import type { StepSeries } from '../../types.ts';
import { LabelPlace } from '../passing.ts';

/** Room for so many a step at first. */
const roomMin = 4;

/** A series that has been kept at some step. */
interface Member {
  readonly place: LabelPlace;
  readonly dropName: boolean;
}

export class ExtremeHeaps {
  readonly #sign: 1 | -1;
  /** How many are kept at each step. */
  readonly #limits: Float64Array;
  readonly #limitMax: number;
  readonly #members: Member[] = [];
  /** Members have come in label order so far: of equal values the earlier one is the better. */
  #isAscending = true;
  readonly #sizes: Int32Array;
  /** The value at the root, times the sign, where as many are kept as may be; else anything gets in. */
  readonly #bars: Float64Array;
  /** So many places a step, of which the first `#sizes` are used: members and their values. */
  #room: number;
  #slots: Int32Array;
  #values: Float64Array;

  /** `limits` are whole numbers, 0 or more. NaN is worse than any number, for both signs. */
  constructor(sign: 1 | -1, limits: Float64Array) {
    const steps = limits.length;
    this.#sign = sign;
    this.#limits = limits;
    this.#limitMax = limits.reduce((a, b) => Math.max(a, b), 0);
    this.#room = Math.min(this.#limitMax, roomMin);
    this.#sizes = new Int32Array(steps);
    this.#bars = new Float64Array(steps).fill(Number.NEGATIVE_INFINITY);
    this.#slots = new Int32Array(steps * this.#room);
    this.#values = new Float64Array(steps * this.#room);
  }

  /** Every value that is present; histograms are not looked at. */
  add(series: StepSeries): void {
    const { values, present } = series;
    const sign = this.#sign;
    const bars = this.#bars;
    let member = -1;
    for (let step = 0; step < bars.length; step++) {
      const value = values[step] as number;
      // Not so for NaN on either side, nor for equal values. What is not present may have any value.
      if (sign * value < (bars[step] as number) || present[step] !== 1 || this.#limits[step] === 0) continue;
      if (member < 0) member = this.#join(series);
      this.#offer(step, member, value);
    }
  }

  #offer(step: number, member: number, value: number): void {
    const root = step * this.#room;
    if (this.#sizes[step] !== this.#limits[step]) this.#rise(step, member, value);
    else if (this.#isBetter(value, member, this.#values[root] as number, this.#slots[root] as number))
      this.#sink(step, member, value);
    else return;
    if (this.#sizes[step] === this.#limits[step])
      this.#bars[step] = this.#sign * (this.#values[step * this.#room] as number);
  }

  #join(series: StepSeries): number {
    const last = this.#members.at(-1);
    if (last !== undefined && !last.place.isBefore(series)) this.#isAscending = false;
    return this.#members.push({ place: new LabelPlace(series), dropName: series.dropName === true }) - 1;
  }

  /** What is kept at the only step, the best first. */
  ranked(): StepSeries[] {
    const places = Array.from(this.#slots.subarray(0, this.#sizes[0]), (member, i) => ({ member, i }));
    places.sort((a, b) =>
      this.#isBetter(this.#values[a.i] as number, a.member, this.#values[b.i] as number, b.member) ? -1 : 1,
    );
    return places.map(({ member, i }) =>
      this.#series(member, Float64Array.of(this.#values[i] as number), Uint8Array.of(1)),
    );
  }

  /** The series that are kept at some step, with the steps at which they are, in the order in which they came. */
  kept(): StepSeries[] {
    const steps = this.#sizes.length;
    const columns = new Map<number, { values: Float64Array; present: Uint8Array }>();
    for (let step = 0; step < steps; step++) {
      const from = step * this.#room;
      for (let i = from; i < from + (this.#sizes[step] as number); i++) {
        const member = this.#slots[i] as number;
        let column = columns.get(member);
        if (column === undefined) {
          column = { values: new Float64Array(steps), present: new Uint8Array(steps) };
          columns.set(member, column);
        }
        column.values[step] = this.#values[i] as number;
        column.present[step] = 1;
      }
    }
    const inOrder = [...columns].sort(([a], [b]) => a - b);
    return inOrder.map(([member, { values, present }]) => this.#series(member, values, present));
  }

  #series(member: number, values: Float64Array, present: Uint8Array): StepSeries {
    const { place, dropName } = this.#members[member] as Member;
    return { labels: place.labels, values, present, ...(dropName ? { dropName } : {}) };
  }

  #isBetter(x: number, a: number, y: number, b: number): boolean {
    if (x === y) return this.#isEarlier(a, b);
    if (Number.isNaN(x)) return Number.isNaN(y) && this.#isEarlier(a, b);
    return Number.isNaN(y) || this.#sign * x > this.#sign * y;
  }

  #isEarlier(a: number, b: number): boolean {
    return this.#isAscending ? a < b : this.#labels(a).compare(this.#labels(b)) < 0;
  }

  #labels(member: number): Labels {
    return (this.#members[member] as Member).place.labels;
  }

  /** Adds a member at the end and lets it rise above better ones. */
  #rise(step: number, member: number, value: number): void {
    let at = this.#sizes[step] as number;
    if (at === this.#room) this.#grow();
    const slots = this.#slots;
    const values = this.#values;
    const from = step * this.#room;
    this.#sizes[step] = at + 1;
    while (at > 0) {
      const parent = from + ((at - 1) >> 1);
      const above = slots[parent] as number;
      if (!this.#isBetter(values[parent] as number, above, value, member)) break;
      slots[from + at] = above;
      values[from + at] = values[parent] as number;
      at = (at - 1) >> 1;
    }
    slots[from + at] = member;
    values[from + at] = value;
  }

  /** Puts a member in the place of the root and lets it sink below worse ones. */
  #sink(step: number, member: number, value: number): void {
    const slots = this.#slots;
    const values = this.#values;
    const from = step * this.#room;
    const end = from + (this.#sizes[step] as number);
    let at = from;
    for (;;) {
      let child = from + 2 * (at - from) + 1;
      if (child >= end) break;
      const right = child + 1;
      if (right < end && this.#isBetterAt(child, right)) child = right;
      if (!this.#isBetter(value, member, values[child] as number, slots[child] as number)) break;
      slots[at] = slots[child] as number;
      values[at] = values[child] as number;
      at = child;
    }
    slots[at] = member;
    values[at] = value;
  }

  #isBetterAt(a: number, b: number): boolean {
    const values = this.#values;
    const slots = this.#slots;
    return this.#isBetter(values[a] as number, slots[a] as number, values[b] as number, slots[b] as number);
  }

  #grow(): void {
    const steps = this.#sizes.length;
    const room = Math.min(this.#limitMax, this.#room * 2);
    const slots = new Int32Array(steps * room);
    const values = new Float64Array(steps * room);
    for (let step = 0; step < steps; step++) {
      const from = step * this.#room;
      slots.set(this.#slots.subarray(from, from + this.#room), step * room);
      values.set(this.#values.subarray(from, from + this.#room), step * room);
    }
    this.#room = room;
    this.#slots = slots;
    this.#values = values;
  }
}
