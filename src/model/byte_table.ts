/**
 * A hash table from byte strings to dense ids: open addressing with linear probing, keys copied into one
 * arena. It lets a scrape or a remote write request recognise what was sent before without decoding it. Keys come
 * from outside, so the hash has a seed that nobody there knows: nobody can prepare keys that all collide.
 */
const slotCountMin = 64;

/**
 * After FNV-1a from a seed, but in words of four bytes: the chain of multiplications is what a lookup waits for.
 * High bits are folded down for probing.
 */
function hashBytes(body: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word =
      (body[i] as number) |
      ((body[i + 1] as number) << 8) |
      ((body[i + 2] as number) << 16) |
      ((body[i + 3] as number) << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    // Without this the high bytes of a word would reach only high bits.
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ (body[i] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

export class ByteTable {
  readonly #seed: number;
  #arena = new Uint8Array(1024);
  #arenaView = new DataView(this.#arena.buffer);
  #arenaUsed = 0;
  /** Key i is `arena[offsets[i], offsets[i + 1])`. */
  #offsets = new Uint32Array(slotCountMin + 1);
  #hashes = new Int32Array(slotCountMin);
  #slots = new Int32Array(slotCountMin).fill(-1);
  #size = 0;

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** Of all keys together. */
  get keyBytes(): number {
    return this.#arenaUsed;
  }

  /** The id of the key `body[start, end)`, or -1. */
  find(body: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(body, start, end, this.#seed);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot] as number;
      if (id < 0) return -1;
      if (this.#hashes[id] === hash && this.matchEnd(id, body, start) === end) return id;
    }
  }

  /** Where key `id` ends in `body` if it stands at `at`, otherwise -1. */
  matchEnd(id: number, body: Uint8Array, at: number): number {
    const arena = this.#arena;
    const from = this.#offsets[id] as number;
    const length = (this.#offsets[id + 1] as number) - from;
    if (at + length > body.length) return -1;
    for (let i = 0; i < length; i++) if (arena[from + i] !== body[at + i]) return -1;
    return at + length;
  }

  /** The same for those who have a view of the body: eight bytes at a time, which long keys are worth. */
  matchEndIn(id: number, body: DataView, at: number): number {
    const from = this.#offsets[id] as number;
    const length = (this.#offsets[id + 1] as number) - from;
    if (at + length > body.byteLength) return -1;
    const arena = this.#arenaView;
    let i = 0;
    for (; i + 8 <= length; i += 8) {
      // Of equal floats only zeros can have other bits, and unequal ones can have the same where they are no numbers.
      const float = arena.getFloat64(from + i, true);
      if (float === body.getFloat64(at + i, true) && float !== 0) continue;
      if (arena.getInt32(from + i, true) !== body.getInt32(at + i, true)) return -1;
      if (arena.getInt32(from + i + 4, true) !== body.getInt32(at + i + 4, true)) return -1;
    }
    for (; i + 4 <= length; i += 4) {
      if (arena.getInt32(from + i, true) !== body.getInt32(at + i, true)) return -1;
    }
    for (; i < length; i++) if (arena.getUint8(from + i) !== body.getUint8(at + i)) return -1;
    return at + length;
  }

  /** Adds a key that is not there; its id is the former size. */
  add(body: Uint8Array, start: number, end: number): number {
    return this.#add(body, start, end, hashBytes(body, start, end, this.#seed));
  }

  #add(body: Uint8Array, start: number, end: number, hash: number): number {
    const id = this.#size++;
    if (id === this.#hashes.length) this.#growIds();
    if (this.#arenaUsed + end - start > this.#arena.length) this.#growArena(end - start);
    this.#arena.set(body.subarray(start, end), this.#arenaUsed);
    this.#arenaUsed += end - start;
    this.#offsets[id + 1] = this.#arenaUsed;
    this.#hashes[id] = hash;
    if (this.#size * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    else this.#place(id);
    return id;
  }

  /** The bytes of a key: a view, valid until the next `add` or `retain`. */
  key(id: number): Uint8Array {
    return this.#arena.subarray(this.#offsets[id], this.#offsets[id + 1]);
  }

  /** A table of those keys for which `keep` holds, in the same order, with new dense ids. */
  retain(keep: (id: number) => boolean): ByteTable {
    const kept = new ByteTable(this.#seed);
    for (let id = 0; id < this.#size; id++) {
      if (!keep(id)) continue;
      const start = this.#offsets[id] as number;
      kept.#add(this.#arena, start, this.#offsets[id + 1] as number, this.#hashes[id] as number);
    }
    return kept;
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[id] as number) & mask;
    while ((this.#slots[slot] as number) >= 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }

  #rehash(slotCount: number): void {
    this.#slots = new Int32Array(slotCount).fill(-1);
    for (let id = 0; id < this.#size; id++) this.#place(id);
  }

  #growIds(): void {
    const count = this.#hashes.length * 2;
    const hashes = new Int32Array(count);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const offsets = new Uint32Array(count + 1);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
  }

  #growArena(needed: number): void {
    const arena = new Uint8Array(Math.max(this.#arena.length * 2, this.#arenaUsed + needed));
    arena.set(this.#arena.subarray(0, this.#arenaUsed));
    this.#arena = arena;
    this.#arenaView = new DataView(arena.buffer);
  }
}
