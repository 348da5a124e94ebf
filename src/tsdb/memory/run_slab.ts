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

/** One ArrayBuffer, seen in every width: a run begins at a multiple of 8 bytes. */
export class Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  /** Units in live runs. */
  live = 0;

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

  /** Gives slabs without live runs back to the system; costs a walk over the free runs if there are any. */
  trim(): void {
    const current = this.#nextEnd === 0 ? -1 : (this.#nextEnd - 1) >>> unitsPerSlabBits;
    const idle = new Set<number>();
    for (const [index, slab] of this.#slabs.entries())
      if (slab?.live === 0 && index !== current) idle.add(index);
    if (idle.size === 0) return;
    for (let units = 1; units <= runUnitsMax; units++) {
      let kept = 0;
      for (let run = this.#freeRuns[units] as number; run !== 0; ) {
        const following = this.#following(run);
        if (!idle.has(run >>> unitsPerSlabBits)) {
          this.#setFollowing(run, kept);
          kept = run;
        }
        run = following;
      }
      this.#freeRuns[units] = kept;
    }
    for (const index of idle) {
      this.#slabs[index] = undefined;
      this.#freeSlabs.push(index);
    }
    this.#slabCount -= idle.size;
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
    const address = this.#freeRuns[units] as number;
    if (address !== 0) this.#freeRuns[units] = this.#following(address);
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
