/**
 * Which series carry a label pair: a list of series slots per pair for all shards of the worker together, ordered by
 * (shard, slot), so that one shard's series are a range of it and 128 shards don't cost 128 lists. New series go to the
 * end and are merged into order when somebody reads. A list of one series, as identifiers of processes and pods
 * have, takes no array.
 */
import { assert } from '../../base/index.ts';
import { grownUints } from './grown.ts';

/** Orders slots: shard × 2^22 + slot. */
export type SlotKey = (slot: number) => number;

/** The places `[from, to)` of `slots`. */
export interface SlotRange {
  readonly slots: Uint32Array;
  readonly from: number;
  readonly to: number;
}

const emptyRange: SlotRange = { slots: new Uint32Array(0), from: 0, to: 0 };

/** Slots in key order, the last few in order of arrival. */
export class SlotList {
  #slots = new Uint32Array(4);
  #count = 0;
  #sorted = 0;

  get count(): number {
    return this.#count;
  }

  get heldBytes(): number {
    return this.#slots.byteLength;
  }

  add(slot: number, keyOf: SlotKey): void {
    if (this.#count === this.#slots.length) this.#slots = grownUints(this.#slots);
    // Slots are given out in ascending order at first, so that the lists of one shard need no sorting.
    const isNext =
      this.#sorted === this.#count &&
      (this.#count === 0 || keyOf(this.#slots[this.#count - 1] as number) < keyOf(slot));
    this.#slots[this.#count++] = slot;
    if (isNext) this.#sorted++;
  }

  /** All slots, in no order. */
  copy(): Uint32Array {
    return this.#slots.slice(0, this.#count);
  }

  /** The slots with `fromKey <= key < toKey`: a view, valid until the list changes. */
  range(fromKey: number, toKey: number, keyOf: SlotKey): SlotRange {
    if (this.#sorted < this.#count) this.#merge(keyOf);
    const from = this.#firstAtOrAfter(fromKey, keyOf);
    return { slots: this.#slots, from, to: this.#firstAtOrAfter(toKey, keyOf) };
  }

  /** Takes out those slots of a range for which `isGone` holds; returns how many it looked at, for order's sake too. */
  remove(fromKey: number, toKey: number, keyOf: SlotKey, isGone: (slot: number) => boolean): number {
    const ordered = this.#sorted < this.#count ? this.#count : 0;
    const { from, to } = this.range(fromKey, toKey, keyOf);
    let kept = from;
    for (let i = from; i < to; i++) {
      const slot = this.#slots[i] as number;
      if (!isGone(slot)) this.#slots[kept++] = slot;
    }
    if (kept === to) return ordered + to - from;
    this.#slots.copyWithin(kept, to, this.#count);
    this.#count -= to - kept;
    this.#sorted = this.#count;
    if (this.#count * 4 <= this.#slots.length && this.#slots.length > 4) this.#shrink();
    return ordered + to - from;
  }

  #shrink(): void {
    let length = 4;
    while (length < this.#count * 2) length *= 2;
    const slots = new Uint32Array(length);
    slots.set(this.#slots.subarray(0, this.#count));
    this.#slots = slots;
  }

  /** Sorts what arrived since the last time and merges it in from the back. */
  #merge(keyOf: SlotKey): void {
    const slots = this.#slots;
    const late = new Float64Array(this.#count - this.#sorted);
    for (let i = 0; i < late.length; i++) late[i] = keyOf(slots[this.#sorted + i] as number);
    late.sort();
    let old = this.#sorted - 1;
    let oldKey = old < 0 ? -1 : keyOf(slots[old] as number);
    let write = this.#count - 1;
    for (let i = late.length - 1; i >= 0; write--) {
      const key = late[i] as number;
      if (oldKey < key) {
        slots[write] = key % slotsMax;
        i--;
      } else {
        slots[write] = slots[old] as number;
        old--;
        oldKey = old < 0 ? -1 : keyOf(slots[old] as number);
      }
    }
    this.#sorted = this.#count;
  }

  #firstAtOrAfter(key: number, keyOf: SlotKey): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keyOf(this.#slots[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Slots are smaller than this, so that shard and slot make one exact key. */
export const slotsMax: number = 2 ** 22;

export class Postings {
  readonly #keyOf: SlotKey;
  readonly #isLive: (slot: number) => boolean;
  /** By pair: the slot of the only series, where there is no list. */
  #only = new Uint32Array(1024);
  readonly #lists: (SlotList | undefined)[] = [];

  constructor(keyOf: SlotKey, isLive: (slot: number) => boolean) {
    this.#keyOf = keyOf;
    this.#isLive = isLive;
  }

  get heldBytes(): number {
    let bytes = this.#only.byteLength + this.#lists.length * 8;
    for (const list of this.#lists) if (list !== undefined) bytes += list.heldBytes + listOverheadBytes;
    return bytes;
  }

  /** `uses`: the number of series that carry the pair, this one and those taken out but not released counted. */
  add(pair: number, slot: number, uses: number): void {
    while (pair >= this.#only.length) this.#only = grownUints(this.#only);
    while (pair >= this.#lists.length) this.#lists.push(undefined);
    let list = this.#lists[pair];
    if (list === undefined && uses === 1) {
      this.#only[pair] = slot;
      return;
    }
    if (list === undefined) {
      assert(uses === 2, `a pair of ${uses} series has a list`);
      list = new SlotList();
      // One that was taken out may be on its last way through the lists, and must not come back to this one.
      const only = this.#only[pair] as number;
      if (this.#isLive(only)) list.add(only, this.#keyOf);
      this.#lists[pair] = list;
    }
    list.add(slot, this.#keyOf);
  }

  /** The series of one shard that carry the pair; a view, valid until series come or go. */
  range(pair: number, shard: number): SlotRange {
    const list = this.#lists[pair];
    const fromKey = shard * slotsMax;
    const toKey = fromKey + slotsMax;
    if (list !== undefined) return list.range(fromKey, toKey, this.#keyOf);
    const only = this.#only[pair] as number;
    const key = this.#keyOf(only);
    return key >= fromKey && key < toKey ? { slots: Uint32Array.of(only), from: 0, to: 1 } : emptyRange;
  }

  /** Takes series of one shard out of a pair's list, if it has one; returns how many entries it looked at. */
  remove(pair: number, shard: number, isGone: (slot: number) => boolean): number {
    const fromKey = shard * slotsMax;
    return this.#lists[pair]?.remove(fromKey, fromKey + slotsMax, this.#keyOf, isGone) ?? 0;
  }

  /** Forgets a pair that no series carries any more. */
  drop(pair: number): void {
    this.#lists[pair] = undefined;
  }
}

/** What V8 takes for the list object and the header of its array. */
const listOverheadBytes = 200;
