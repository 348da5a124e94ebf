/**
 * Which series a batch holds, in which order, and where the store has them. Senders repeat themselves: the next scrape or
 * request mostly has the same series in the same order, and then its batch has the very same arrays, so that everything
 * downstream that is remembered by them (places, references) is still right. Another order or set makes new arrays.
 */
import type { Labels } from './labels.ts';

export interface BatchRoster {
  readonly series: readonly Labels[];
  /** The owner's number of each series. */
  readonly ids: Int32Array;
  /** See WriteBatch.storeRefs. */
  readonly storeRefs: Int32Array;
}

/** What the owner knows of its series beyond one roster: the store's reference by the series' number. */
export interface KnownRefs {
  /** -1 when unknown. */
  get(id: number): number;
  set(id: number, storeRef: number): void;
}

const idCountMin = 64;

export class RosterBuilder {
  readonly #known: KnownRefs;
  #expected: BatchRoster | undefined;
  #count = 0;
  /** Up to here the series are those of the expected roster. */
  #isAsExpected = false;
  #series: Labels[] = [];
  #ids: Int32Array = new Int32Array(0);

  constructor(known: KnownRefs) {
    this.#known = known;
  }

  /** How many series there are so far: the place of the next one. */
  get count(): number {
    return this.#count;
  }

  /** Starts anew. */
  begin(expected: BatchRoster | undefined): void {
    this.#expected = expected;
    this.#count = 0;
    this.#isAsExpected = expected !== undefined;
    if (expected !== undefined) return;
    this.#series = [];
    this.#ids = new Int32Array(idCountMin);
  }

  /** Adds a series that is not there yet; returns its place. */
  add(id: number, labels: Labels): number {
    const place = this.#count++;
    if (this.#isAsExpected) {
      const { ids } = this.#expected as BatchRoster;
      if (place < ids.length && ids[place] === id) return place;
      this.#part(this.#expected as BatchRoster, place);
    }
    if (place === this.#ids.length) this.#ids = longer(this.#ids, place, place * 2);
    this.#ids[place] = id;
    this.#series.push(labels);
    return place;
  }

  /** The expected roster itself when the same series came in the same order. */
  finish(): BatchRoster {
    const expected = this.#expected;
    if (this.#isAsExpected && expected !== undefined) {
      if (this.#count === expected.ids.length) return expected;
      this.#part(expected, this.#count);
    }
    if (expected !== undefined) noteStoreRefs(expected, this.#known);
    const ids = this.#ids.slice(0, this.#count);
    return { series: this.#series, ids, storeRefs: ids.map((id) => this.#known.get(id)) };
  }

  /** From `place` on the series are others than expected. */
  #part(expected: BatchRoster, place: number): void {
    this.#isAsExpected = false;
    this.#series = expected.series.slice(0, place);
    this.#ids = longer(expected.ids, place, Math.max(idCountMin, place * 2));
  }
}

/** Lets the owner know what the store has written into a roster. */
export function noteStoreRefs({ ids, storeRefs }: BatchRoster, known: KnownRefs): void {
  for (let i = 0; i < ids.length; i++) {
    const storeRef = storeRefs[i] as number;
    if (storeRef >= 0) known.set(ids[i] as number, storeRef);
  }
}

function longer(column: Int32Array, count: number, capacity: number): Int32Array {
  const copy = new Int32Array(capacity);
  copy.set(column.subarray(0, count));
  return copy;
}
