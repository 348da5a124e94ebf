/**
 * Label sets as runs of pair numbers, 4 bytes a label, in large Uint32Array pages: an address is the place of the
 * first number. Runs that are given back wait in a free list for a set of the same size.
 */
import { assert } from '../../base/index.ts';

const pageBits = 16;
const pageEntries = 1 << pageBits;

/** More labels than this has no series; Prometheus' scrape limit is configured, this one is for hostile input. */
export const labelsPerSeriesMax = 1024;

export class LabelRuns {
  readonly #pages: Uint32Array[] = [];
  /** By size: the address + 1 of a free run, whose first entry holds the next one's. */
  readonly #free = new Uint32Array(labelsPerSeriesMax + 1);
  #next = 0;

  get heldBytes(): number {
    return this.#pages.length * pageEntries * 4;
  }

  /** Keeps a copy of `pairs[0, count)` and returns its address. */
  add(pairs: Uint32Array, count: number): number {
    assert(count <= labelsPerSeriesMax, `${count} labels`);
    if (count === 0) return 0;
    const address = this.#take(count);
    const page = this.page(address);
    const at = address & (pageEntries - 1);
    for (let i = 0; i < count; i++) page[at + i] = pairs[i] as number;
    return address;
  }

  remove(address: number, count: number): void {
    if (count === 0) return;
    this.page(address)[address & (pageEntries - 1)] = this.#free[count] as number;
    this.#free[count] = address + 1;
  }

  /** The page that holds a run; it begins at `offsetOf(address)`. */
  page(address: number): Uint32Array {
    const page = this.#pages[address >>> pageBits];
    assert(page !== undefined, 'the label run is in use');
    return page;
  }

  equals(address: number, pairs: Uint32Array, count: number): boolean {
    const page = this.page(address);
    const at = address & (pageEntries - 1);
    for (let i = 0; i < count; i++) if (page[at + i] !== pairs[i]) return false;
    return true;
  }

  #take(count: number): number {
    const free = this.#free[count] as number;
    if (free !== 0) {
      const address = free - 1;
      this.#free[count] = this.page(address)[address & (pageEntries - 1)] as number;
      return address;
    }
    const room = pageEntries - (this.#next & (pageEntries - 1));
    if (room < count) this.#next += room;
    if (this.#next >>> pageBits === this.#pages.length) this.#pages.push(new Uint32Array(pageEntries));
    const address = this.#next;
    this.#next += count;
    return address;
  }
}

/** Where in its page a run begins. */
export function offsetOf(address: number): number {
  return address & (pageEntries - 1);
}
