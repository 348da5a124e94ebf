/**
 * Columns cut from larger ones. A short typed array with memory of its own costs the allocator and the garbage collector
 * more than filling it; those of one answer live and die together.
 */
const blockLength = 8192;
/** That of the first block: an answer of a few samples must not cost one of 64 KiB in each shard. */
const blockLengthMin = 256;
/** Joined columns that are remembered; beyond, all are forgotten. */
const joinedBytesMax: number = 16 * 2 ** 20;

interface Joined {
  readonly parts: readonly Float64Array[];
  readonly whole: Float64Array;
}

export class ColumnArena {
  #block = new Float64Array(0);
  #words = new Uint32Array(0);
  #used = 0;
  #nextLength = blockLengthMin;
  readonly #joined = new Map<Float64Array, Joined>();
  #joinedBytes = 0;
  /** The column of times handed out last for each first time. */
  readonly #byFirst = new Map<number, Float64Array>();

  /** A column that holds anything; the caller fills it. */
  take(count: number): Float64Array<ArrayBuffer> {
    if (count * 4 > blockLength) return new Float64Array(count);
    if (this.#used + count > this.#block.length) {
      const length = Math.max(count, this.#nextLength);
      this.#nextLength = Math.min(blockLength, length * 4);
      this.#block = new Float64Array(length);
      this.#words = new Uint32Array(this.#block.buffer);
      this.#used = 0;
    }
    const column = this.#block.subarray(this.#used, this.#used + count);
    this.#used += count;
    return column;
  }

  /** A column with the elements `[from, to)` of another, bit for bit. */
  copied(column: Float64Array, from: number, to: number): Float64Array<ArrayBuffer> {
    const copy = this.take(to - from);
    copy.set(column.subarray(from, to));
    return copy;
  }

  /** A column with the elements at the given places of another, whose words are given, bit for bit. */
  picked(words: Uint32Array, places: Uint32Array): Float64Array<ArrayBuffer> {
    const column = this.take(places.length);
    const isInBlock = column.buffer === this.#block.buffer;
    const target = isInBlock ? this.#words : new Uint32Array(column.buffer);
    let at = isInBlock ? (this.#used - places.length) * 2 : 0;
    for (let k = 0; k < places.length; k++) {
      const from = (places[k] as number) * 2;
      target[at++] = words[from] as number;
      target[at++] = words[from + 1] as number;
    }
    return column;
  }

  /** The first `count` of `times`, in a column that may be one that was handed out before; not to be changed. */
  shared(times: Float64Array, count: number): Float64Array {
    const wanted = times.subarray(0, count);
    const first = times[0] as number;
    const known = this.#byFirst.get(first);
    if (known !== undefined && isEqual(known, wanted)) return known;
    const column = this.take(count);
    column.set(wanted);
    this.#byFirst.set(first, column);
    return column;
  }

  /**
   * Columns of times one behind the other. Those of a target's series are alike, so that what was joined for one serves
   * the others; not to be changed.
   */
  joined(parts: readonly Float64Array[]): Float64Array {
    const [first] = parts;
    if (first === undefined) return this.take(0);
    const known = this.#joined.get(first);
    if (known !== undefined && areEqual(known.parts, parts)) return known.whole;
    const whole = this.take(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#joinedBytes += whole.byteLength;
    if (this.#joinedBytes > joinedBytesMax) {
      this.#joined.clear();
      this.#joinedBytes = whole.byteLength;
    }
    this.#joined.set(first, { parts, whole });
    return whole;
  }
}

function areEqual(a: readonly Float64Array[], b: readonly Float64Array[]): boolean {
  return a.length === b.length && a.every((column, i) => isEqual(column, b[i] as Float64Array));
}

function isEqual(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
