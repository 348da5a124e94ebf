/**
 * Columns for the results of one operator, cut from blocks: a short typed array with memory of its own costs the allocator
 * and the garbage collector more than filling it. All zeros at first.
 */
const blockValues = 1 << 15;

export class StepColumns {
  readonly #steps: number;
  #left: number;
  #values = new Float64Array(0);
  #present = new Uint8Array(0);
  #used = 0;

  /** For up to `series` series; more are served, too. */
  constructor(steps: number, series: number) {
    this.#steps = steps;
    this.#left = series;
  }

  next(): { values: Float64Array; present: Uint8Array } {
    const end = this.#used + this.#steps;
    if (end > this.#values.length) {
      const inBlock = Math.max(1, Math.min(this.#left, Math.floor(blockValues / (this.#steps + 1))));
      this.#values = new Float64Array(inBlock * this.#steps);
      this.#present = new Uint8Array(inBlock * this.#steps);
      this.#used = 0;
      return this.next();
    }
    const values = this.#values.subarray(this.#used, end);
    const present = this.#present.subarray(this.#used, end);
    this.#used = end;
    this.#left--;
    return { values, present };
  }
}
