/**
 * References by the raw bytes in which a sender names a series (an exposition's series text, the labels of a remote
 * write request), so that a series seen before costs one hash and one comparison and no decoding. Keys come from
 * outside, so the hash has a seed. Bounded: when keys or bytes reach their limit it starts afresh, which costs its
 * user one lookup by labels per series. A reference whose series is gone is found out by the append's verdict; `set`
 * then overwrites it.
 */
import { grownUints } from './grown.ts';

const slotCountMin = 256;

export interface RawRefLimits {
  readonly keysMax: number;
  readonly bytesMax: number;
}

export class RawRefs {
  readonly #seed: number;
  readonly #limits: RawRefLimits;
  #arena: Uint8Array = new Uint8Array(0);
  #arenaUsed = 0;
  /** Key + 1; 0 is free. */
  #slots: Uint32Array = new Uint32Array(0);
  #hashes: Uint32Array = new Uint32Array(0);
  /** Key k is `arena[ends[k - 1], ends[k])`. */
  #ends: Uint32Array = new Uint32Array(0);
  #refs: Uint32Array = new Uint32Array(0);
  #size = 0;
  /** The key found last. */
  #last = -1;

  constructor(seed: number, limits: RawRefLimits) {
    this.#seed = seed | 0;
    this.#limits = limits;
    this.clear();
  }

  get size(): number {
    return this.#size;
  }

  get heldBytes(): number {
    return this.#arena.byteLength + this.#slots.byteLength + this.#hashes.byteLength * 3;
  }

  /** The reference noted for the key `bytes[start, end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    // Senders keep their order: most often this is the key that was added after the one found last.
    let key = this.#last + 1 < this.#size ? this.#last + 1 : 0;
    if (this.#size === 0 || !this.#equals(key, bytes, start, end))
      key = this.#find(bytes, start, end, hashBytes(bytes, start, end, this.#seed));
    if (key < 0) return -1;
    this.#last = key;
    return this.#refs[key] as number;
  }

  /** Notes the reference for a key, in place of an older one if need be. Keys beyond the limits are not noted. */
  set(bytes: Uint8Array, start: number, end: number, ref: number): void {
    const hash = hashBytes(bytes, start, end, this.#seed);
    let key = this.#find(bytes, start, end, hash);
    if (key < 0) {
      const length = end - start;
      if (length > this.#limits.bytesMax) return;
      if (this.#size === this.#limits.keysMax || this.#arenaUsed + length > this.#limits.bytesMax)
        this.clear();
      key = this.#add(bytes, start, end, hash);
    }
    this.#refs[key] = ref;
  }

  clear(): void {
    this.#arena = new Uint8Array(4096);
    this.#arenaUsed = 0;
    this.#slots = new Uint32Array(slotCountMin);
    this.#hashes = new Uint32Array(slotCountMin / 2);
    this.#ends = new Uint32Array(slotCountMin / 2);
    this.#refs = new Uint32Array(slotCountMin / 2);
    this.#size = 0;
    this.#last = -1;
  }

  #find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const key = (this.#slots[at] as number) - 1;
      if (key < 0) return -1;
      if (this.#hashes[key] === hash && this.#equals(key, bytes, start, end)) return key;
    }
  }

  #equals(key: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = key === 0 ? 0 : (this.#ends[key - 1] as number);
    const length = end - start;
    if ((this.#ends[key] as number) - from !== length) return false;
    const arena = this.#arena;
    for (let k = 0; k < length; k++) if (arena[from + k] !== bytes[start + k]) return false;
    return true;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const key = this.#size++;
    if (key === this.#refs.length) {
      this.#hashes = grownUints(this.#hashes);
      this.#ends = grownUints(this.#ends);
      this.#refs = grownUints(this.#refs);
    }
    this.#reserve(end - start);
    this.#arena.set(bytes.subarray(start, end), this.#arenaUsed);
    this.#arenaUsed += end - start;
    this.#ends[key] = this.#arenaUsed;
    this.#hashes[key] = hash;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    this.#place(key);
    return key;
  }

  #reserve(length: number): void {
    const needed = this.#arenaUsed + length;
    if (needed <= this.#arena.length) return;
    const arena = new Uint8Array(Math.max(needed, Math.min(this.#arena.length * 2, this.#limits.bytesMax)));
    arena.set(this.#arena.subarray(0, this.#arenaUsed));
    this.#arena = arena;
  }

  #rehash(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let key = 0; key < this.#size - 1; key++) this.#place(key);
  }

  #place(key: number): void {
    const mask = this.#slots.length - 1;
    let at = (this.#hashes[key] as number) & mask;
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = key + 1;
  }
}

/**
 * After FNV-1a from a seed, but in words of four bytes: the chain of multiplications is what a lookup waits for.
 * High bits are folded down for probing.
 */
function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    // Without this the high bytes of a word would reach only high bits.
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
