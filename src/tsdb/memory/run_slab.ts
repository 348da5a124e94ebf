/**
 * Memory for runs of bytes that live and die one by one, hundreds of thousands of them: ArrayBuffers of 1 MiB cut into
 * runs of 8-byte units, with a free list per length (segregated fits; Wilson et al., "Dynamic Storage Allocation: A
 * Survey and Critical Review", 1995). An address is a u32: slab × 131,072 + unit, so that a pointer costs 4 bytes and
 * 32 GiB can be reached; 0 is none. A free run holds the address of the next free one in its first four bytes.
 *
 * A slab without any live run is given back by `trim`, so that memory follows what is held.
 */
import { assert } from '../../base/index.ts';

const unitBytes = 8;
const unitsPerSlabBits = 17;
const unitsPerSlab = 1 << unitsPerSlabBits;
const slabMax = 2 ** (32 - unitsPerSlabBits);
/** The longest run, in units. */
const runUnitsMax = 1024;
/** What is split off a longer free run is worth keeping from this length on. */
const remainderUnitsMin = 4;
/** Free runs looked at between two pauses of a trim. */
const runsPerStep = 8192;

/** One ArrayBuffer, seen in every width: a run begins at a multiple of 8 bytes. */
export class Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  /** Units in live runs. */
  live = 0;
  /** About to be given back: its free runs are not given out any more. */
  isClosing = false;

  constructor() {
    const buffer = new ArrayBuffer(unitsPerSlab * unitBytes);
    this.bytes = new Uint8Array(buffer);
    this.halves = new Uint16Array(buffer);
    this.words = new Uint32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }
}

export class RunSlab {
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #freeSlabs: number[] = [];
  readonly #freeRuns = new Uint32Array(runUnitsMax + 1);
  /** Free runs that a trim which goes on, or was broken off, has still to look at. */
  readonly #unseen = new Uint32Array(runUnitsMax + 1);
  /** Where fresh runs are cut: from `#next` to the end of that slab. */
  #next = 0;
  #nextEnd = 0;
  #slabCount = 0;
  #liveUnits = 0;

  /** Bytes of all slabs, and of the runs that are in use. */
  get memory(): { heldBytes: number; liveBytes: number } {
    return { heldBytes: this.#slabCount * unitsPerSlab * unitBytes, liveBytes: this.#liveUnits * unitBytes };
  }

  /** The slab that holds the run at `address`; the run begins at unit `unitOf(address)` of it. */
  slabOf(address: number): Slab {
    const slab = this.#slabs[address >>> unitsPerSlabBits];
    assert(slab !== undefined, 'the address is in use');
    return slab;
  }

  /** The address of a run of `bytes`, rounded up to whole units. What it holds is left over from earlier users. */
  allocate(bytes: number): number {
    const units = Math.max(1, (bytes + unitBytes - 1) >>> 3);
    assert(units <= runUnitsMax, `a run of ${bytes} bytes`);
    const address = this.#reuse(units) || this.#cut(units);
    this.slabOf(address).live += units;
    this.#liveUnits += units;
    return address;
  }

  /** Takes back a run of that many bytes. */
  free(address: number, bytes: number): void {
    const units = Math.max(1, (bytes + unitBytes - 1) >>> 3);
    this.slabOf(address).live -= units;
    this.#liveUnits -= units;
    this.#push(address, units);
  }

  /** Gives slabs without live runs back to the system; if there are any, it walks over the free runs in steps. */
  *trim(): Generator<void> {
    const current = this.#nextEnd === 0 ? -1 : (this.#nextEnd - 1) >>> unitsPerSlabBits;
    const closing = new Map<number, Slab>();
    for (const [index, slab] of this.#slabs.entries()) {
      if (slab?.live !== 0 || index === current) continue;
      slab.isClosing = true;
      closing.set(index, slab);
    }
    if (closing.size === 0) return;
    let walked = 0;
    for (let units = 1; units <= runUnitsMax; units++) {
      for (let run = this.#nextUnseen(units); run !== 0; run = this.#nextUnseen(units))
        this.#push(run, units);
      this.#unseen[units] = this.#freeRuns[units] as number;
      this.#freeRuns[units] = 0;
      for (let run = this.#nextUnseen(units); run !== 0; run = this.#nextUnseen(units)) {
        if (!this.slabOf(run).isClosing) this.#push(run, units);
        if (++walked % runsPerStep === 0) yield;
      }
    }
    for (const [index, slab] of closing) {
      // Another trim may have been faster.
      if (this.#slabs[index] !== slab) continue;
      this.#slabs[index] = undefined;
      this.#freeSlabs.push(index);
      this.#slabCount--;
    }
  }

  #nextUnseen(units: number): number {
    const run = this.#unseen[units] as number;
    if (run !== 0) this.#unseen[units] = this.#following(run);
    return run;
  }

  #following(run: number): number {
    return this.slabOf(run).words[unitOf(run) * 2] as number;
  }

  #setFollowing(run: number, following: number): void {
    this.slabOf(run).words[unitOf(run) * 2] = following;
  }

  #push(address: number, units: number): void {
    this.#setFollowing(address, this.#freeRuns[units] as number);
    this.#freeRuns[units] = address;
  }

  #pop(units: number): number {
    let address = this.#freeRuns[units] as number;
    while (address !== 0 && this.slabOf(address).isClosing) address = this.#following(address);
    this.#freeRuns[units] = address === 0 ? 0 : this.#following(address);
    return address;
  }

  /** A free run of that length, or part of a longer one once the current slab is used up; 0 when there is none. */
  #reuse(units: number): number {
    const exact = this.#pop(units);
    if (exact !== 0 || this.#nextEnd - this.#next >= units) return exact;
    for (let longer = units + remainderUnitsMin; longer <= runUnitsMax; longer++) {
      const address = this.#pop(longer);
      if (address === 0) continue;
      this.#push(address + units, longer - units);
      return address;
    }
    return 0;
  }

  #cut(units: number): number {
    if (this.#nextEnd - this.#next < units) this.#openSlab();
    const address = this.#next;
    this.#next += units;
    return address;
  }

  #openSlab(): void {
    const rest = this.#nextEnd - this.#next;
    if (rest > 0) this.#push(this.#next, rest);
    const index = this.#freeSlabs.pop() ?? this.#slabs.length;
    assert(index < slabMax, 'addresses of runs fit in 32 bits');
    this.#slabs[index] = new Slab();
    this.#slabCount++;
    // Address 0 means none, so the first unit of all is never given out.
    this.#next = index * unitsPerSlab + (index === 0 ? 1 : 0);
    this.#nextEnd = (index + 1) * unitsPerSlab;
  }
}

/** Where in its slab a run begins, in units of 8 bytes. */
export function unitOf(address: number): number {
  return address & (unitsPerSlab - 1);
}
