/**
 * Columns cut from larger ones. A short typed array with memory of its own costs the allocator and the garbage collector
 * more than filling it; those of one answer live and die together.
 */
const blockLength = 8192;

export class ColumnArena {
  #block = new Float64Array(0);
  #used = 0;

  /** A column that holds anything; the caller fills it. */
  take(count: number): Float64Array<ArrayBuffer> {
    if (count * 4 > blockLength) return new Float64Array(count);
    if (this.#used + count > this.#block.length) {
      this.#block = new Float64Array(blockLength);
      this.#used = 0;
    }
    const column = this.#block.subarray(this.#used, this.#used + count);
    this.#used += count;
    return column;
  }
}
