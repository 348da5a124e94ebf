/**
 * The times of runs, each column once: the series of a target are scraped together, so their runs have the same times,
 * and whatever the interval's jitter costs is shared by hundreds. A block counts the runs that use it.
 *
 * ```
 * 0      4        6       8         16
 * | uses | length | count | firstMs | times, counted from firstMs |
 *   u32    u16      u16     f64       src/tsdb/codec
 * ```
 *
 * The last column of each kind is remembered as it is, which finds nearly all; for series of several targets that come
 * mixed there is a table by the hash of the encoded bytes, where a newer block takes an older one's place.
 */
import { ByteWriter } from '../../base/index.ts';
import { decodeTimestamps, encodeTimestamps } from '../codec/timestamps.ts';
import { type RunSlab, unitOf } from './run_slab.ts';
import type { SampleColumn } from './sample_column.ts';
import { tailSamples } from './series_page.ts';

/** Before a block's times. */
export const blockHeaderBytes = 16;
/** A power of two. */
const knownMax = 1024;

/** A column of times that was interned, as it was given. */
interface Remembered {
  times: Float64Array;
  count: number;
  address: number;
}

export class TimeBlocks {
  readonly #slab: RunSlab;
  readonly #sink = new ByteWriter(2048);
  #relative = new Float64Array(256);
  readonly #shortRun: Remembered = { times: new Float64Array(tailSamples), count: 0, address: 0 };
  readonly #longRun: Remembered = { times: new Float64Array(256), count: 0, address: 0 };
  /** Addresses by hash, 0 where there is none. */
  readonly #known = new Uint32Array(knownMax);

  constructor(slab: RunSlab) {
    this.#slab = slab;
  }

  /** The block of `times[0, count)`, with one use more. */
  intern(times: Float64Array, count: number): number {
    const remembered = count <= tailSamples ? this.#shortRun : this.#longRun;
    if (!isSame(remembered, times, count)) {
      if (remembered.times.length < count) remembered.times = new Float64Array(count * 2);
      for (let k = 0; k < count; k++) remembered.times[k] = times[k] as number;
      remembered.count = count;
      remembered.address = this.#find(times, count);
    }
    const { address } = remembered;
    const at = unitOf(address) * 2;
    const { words } = this.#slab.slabOf(address);
    words[at] = (words[at] as number) + 1;
    return address;
  }

  /** Takes one use away; without any the block is gone. */
  release(address: number): void {
    const slab = this.#slab.slabOf(address);
    const unit = unitOf(address);
    const uses = (slab.words[unit * 2] as number) - 1;
    slab.words[unit * 2] = uses;
    if (uses > 0) return;
    for (const remembered of [this.#shortRun, this.#longRun])
      if (remembered.address === address) remembered.count = 0;
    const length = slab.halves[unit * 4 + 2] as number;
    const place = placeOf(slab.bytes, unit * 8 + blockHeaderBytes, length, slab.doubles[unit + 1] as number);
    if (this.#known[place] === address) this.#known[place] = 0;
    this.#slab.free(address, blockHeaderBytes + length);
  }

  firstMs(address: number): number {
    return this.#slab.slabOf(address).doubles[unitOf(address) + 1] as number;
  }

  count(address: number): number {
    return this.#slab.slabOf(address).halves[unitOf(address) * 4 + 3] as number;
  }

  /** Writes the times behind the samples of a column, where room must be. */
  decode(address: number, into: SampleColumn): void {
    const slab = this.#slab.slabOf(address);
    const unit = unitOf(address);
    const count = slab.halves[unit * 4 + 3] as number;
    const firstMs = slab.doubles[unit + 1] as number;
    const { times, count: start } = into;
    decodeTimestamps(slab.bytes, unit * 8 + blockHeaderBytes, count, times, start);
    for (let k = start; k < start + count; k++) times[k] = (times[k] as number) + firstMs;
  }

  /** A block with those times: one that is known, or a new one without uses. */
  #find(times: Float64Array, count: number): number {
    const firstMs = times[0] as number;
    if (this.#relative.length < count) this.#relative = new Float64Array(count * 2);
    const relative = this.#relative;
    for (let k = 0; k < count; k++) relative[k] = (times[k] as number) - firstMs;
    const sink = this.#sink;
    sink.reset();
    encodeTimestamps(relative, 0, count, sink);
    const { length, bytes } = sink;
    const place = placeOf(bytes, 0, length, firstMs);
    const known = this.#known[place] as number;
    if (known !== 0 && this.#holds(known, firstMs, count, bytes, length)) return known;
    const address = this.#slab.allocate(blockHeaderBytes + length);
    const slab = this.#slab.slabOf(address);
    const unit = unitOf(address);
    slab.words[unit * 2] = 0;
    slab.halves[unit * 4 + 2] = length;
    slab.halves[unit * 4 + 3] = count;
    slab.doubles[unit + 1] = firstMs;
    const at = unit * 8 + blockHeaderBytes;
    for (let k = 0; k < length; k++) slab.bytes[at + k] = bytes[k] as number;
    this.#known[place] = address;
    return address;
  }

  #holds(address: number, firstMs: number, count: number, bytes: Uint8Array, length: number): boolean {
    const slab = this.#slab.slabOf(address);
    const unit = unitOf(address);
    if (slab.halves[unit * 4 + 2] !== length || slab.halves[unit * 4 + 3] !== count) return false;
    if (slab.doubles[unit + 1] !== firstMs) return false;
    const at = unit * 8 + blockHeaderBytes;
    for (let k = 0; k < length; k++) if (slab.bytes[at + k] !== bytes[k]) return false;
    return true;
  }
}

function isSame(remembered: Remembered, times: Float64Array, count: number): boolean {
  if (remembered.count !== count) return false;
  const own = remembered.times;
  for (let k = 0; k < count; k++) if (own[k] !== times[k]) return false;
  return true;
}

/** The place in the table of known blocks (FNV-1a). */
function placeOf(bytes: Uint8Array, at: number, length: number, firstMs: number): number {
  let hash = 0x811c9dc5 ^ (firstMs | 0);
  for (let k = at; k < at + length; k++) hash = Math.imul(hash ^ (bytes[k] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (knownMax - 1);
}
