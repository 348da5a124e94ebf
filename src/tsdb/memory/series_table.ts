/**
 * Which series there are: slots in pages, and a hash table from (shard, label pairs) to slot by open addressing.
 * A slot that a series left waits at the end of a queue for the next one, under a new generation. A reference is
 * generation × 2^22 + slot and fits in 31 bits (a small integer to V8), so that whoever still holds the reference of a
 * series that is gone is told so instead of writing into its successor; only after 512 successors, which
 * the queue and the pace of collection put months apart, would it be taken for valid.
 */
import { LabelRuns } from './label_runs.ts';
import { slotsMax } from './postings.ts';
import { pageBits, pageMask, pageSeries, SeriesPage } from './series_page.ts';

const slotBits = 22;
const slotMask = slotsMax - 1;
const generationMask = 0x1ff;
const slotCountMin = 1024;

export class SeriesTable {
  readonly labelRuns: LabelRuns = new LabelRuns();
  readonly pages: SeriesPage[] = [];
  readonly #seed: number;
  /** Slot + 1; 0 is free. */
  #slots = new Uint32Array(slotCountMin);
  #size = 0;
  #end = 0;
  /** A queue of slots + 1 through `labelsAt`, 0 when empty. */
  #firstFree = 0;
  #lastFree = 0;

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  get heldBytes(): number {
    return (
      this.#slots.byteLength + this.labelRuns.heldBytes + this.pages.length * pageSeries * pageSeriesBytes
    );
  }

  /** The page of a slot; the series is at place `slot & pageMask` in it. */
  page(slot: number): SeriesPage {
    return this.pages[slot >>> pageBits] as SeriesPage;
  }

  refOf(slot: number): number {
    const generation = this.page(slot).generation[slot & pageMask] as number;
    return ((generation & generationMask) << slotBits) | slot;
  }

  /** The slot, or -1 when the series is gone or the reference was never given out. */
  slotOf(ref: number): number {
    const slot = ref & slotMask;
    if (slot >= this.#end || this.refOf(slot) !== ref) return -1;
    return this.page(slot).live[slot & pageMask] === 0 ? -1 : slot;
  }

  /** Whether a series has the slot. */
  isLive(slot: number): boolean {
    return this.page(slot).live[slot & pageMask] === 1;
  }

  /** Orders slots by shard; see postings.ts. */
  readonly keyOf: (slot: number) => number = (slot) =>
    (this.page(slot).shard[slot & pageMask] as number) * slotsMax + slot;

  /** The series' slot, or -1. */
  find(shard: number, pairs: Uint32Array, count: number): number {
    const hash = this.#hash(shard, pairs, count);
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = (this.#slots[at] as number) - 1;
      if (slot < 0) return -1;
      const page = this.page(slot);
      const i = slot & pageMask;
      if (page.hash[i] !== hash || page.shard[i] !== shard || page.labelCount[i] !== count) continue;
      if (count === 0 || this.labelRuns.equals(page.labelsAt[i] as number, pairs, count)) return slot;
    }
  }

  /** Adds a series that is not there; -1 when there are no slots left. */
  add(shard: number, pairs: Uint32Array, count: number): number {
    const slot = this.#takeSlot();
    if (slot < 0) return -1;
    const page = this.page(slot);
    const i = slot & pageMask;
    page.live[i] = 1;
    page.shard[i] = shard;
    page.hash[i] = this.#hash(shard, pairs, count);
    page.labelsAt[i] = this.labelRuns.add(pairs, count);
    page.labelCount[i] = count;
    this.#size++;
    if (this.#size * 3 > this.#slots.length * 2) this.#rehash(this.#slots.length * 2);
    this.#place(slot);
    return slot;
  }

  /** Takes a series out: nobody finds it, and its references are void. Its slot and its labels stay until `free`. */
  remove(slot: number): void {
    const page = this.page(slot);
    const i = slot & pageMask;
    this.#unplace(slot);
    page.live[i] = 0;
    page.generation[i] = (page.generation[i] as number) + 1;
    page.id[i] = 0;
    this.#size--;
    if (this.#slots.length > slotCountMin && this.#size * 8 < this.#slots.length)
      this.#rehash(this.#slots.length / 4);
  }

  /** Gives the slot of a series that was taken out to the next one. */
  free(slot: number): void {
    const page = this.page(slot);
    const i = slot & pageMask;
    this.labelRuns.remove(page.labelsAt[i] as number, page.labelCount[i] as number);
    page.labelsAt[i] = 0;
    if (this.#lastFree === 0) this.#firstFree = slot + 1;
    else this.page(this.#lastFree - 1).labelsAt[(this.#lastFree - 1) & pageMask] = slot + 1;
    this.#lastFree = slot + 1;
  }

  #takeSlot(): number {
    if (this.#firstFree !== 0) {
      const slot = this.#firstFree - 1;
      this.#firstFree = this.page(slot).labelsAt[slot & pageMask] as number;
      if (this.#firstFree === 0) this.#lastFree = 0;
      return slot;
    }
    if (this.#end === slotsMax) return -1;
    if (this.#end >>> pageBits === this.pages.length) this.pages.push(new SeriesPage());
    return this.#end++;
  }

  #hash(shard: number, pairs: Uint32Array, count: number): number {
    let hash = Math.imul(this.#seed ^ shard, 0x9e3779b1);
    for (let k = 0; k < count; k++) {
      hash = Math.imul(hash ^ (pairs[k] as number), 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    return hash;
  }

  #homeOf(slot: number): number {
    return (this.page(slot).hash[slot & pageMask] as number) & (this.#slots.length - 1);
  }

  #place(slot: number): void {
    const mask = this.#slots.length - 1;
    let at = this.#homeOf(slot);
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = slot + 1;
  }

  /** Takes the slot out and moves later ones of its cluster up, so that no probe meets a gap (Knuth 6.4, R). */
  #unplace(slot: number): void {
    const mask = this.#slots.length - 1;
    let gap = this.#homeOf(slot);
    while (this.#slots[gap] !== slot + 1) gap = (gap + 1) & mask;
    for (let at = (gap + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const other = this.#slots[at] as number;
      if (((at - this.#homeOf(other - 1)) & mask) < ((at - gap) & mask)) continue;
      this.#slots[gap] = other;
      gap = at;
    }
    this.#slots[gap] = 0;
  }

  #rehash(slotCount: number): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(slotCount);
    for (const entry of old) if (entry !== 0) this.#place(entry - 1);
  }
}

/** The columns of a page, per series. */
const pageSeriesBytes = 16 * 12 + 8 + 4 + 4 + 1 + 1 + 1 + 2 + 2 + 4 + 4 + 2 + 4 + 4 + 1 + 4;
