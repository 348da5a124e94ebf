/**
 * A number that changes now and then over the samples of one series: the epoch under which they were written, the time
 * since when they count. Ascending (from, value) pairs; a value holds until the next pair. Kept beside the few series
 * for which it does change.
 */
export class StepRuns {
  #from = new Float64Array(2);
  #values = new Float64Array(2);
  #count = 0;

  /** The value at a time; 0 before the first pair. */
  at(timeMs: number): number {
    const i = this.#lastAtOrBefore(timeMs);
    return i < 0 ? 0 : (this.#values[i] as number);
  }

  /** The value from `timeMs` on, up to the next pair behind it. */
  set(timeMs: number, value: number): void {
    const i = this.#lastAtOrBefore(timeMs);
    if ((i < 0 ? 0 : this.#values[i]) === value) return;
    if (i >= 0 && this.#from[i] === timeMs) this.#values[i] = value;
    else this.#insert(i + 1, timeMs, value);
  }

  /** The value at `timeMs` alone. */
  setPoint(timeMs: number, value: number): void {
    const before = this.at(timeMs);
    if (before === value) return;
    const i = this.#lastAtOrBefore(timeMs + 1);
    const isBound = i >= 0 && this.#from[i] === timeMs + 1;
    this.set(timeMs, value);
    if (!isBound) this.set(timeMs + 1, before);
  }

  /** The values at `count` ascending times. */
  fill(times: Float64Array, count: number, into: Float64Array): void {
    if (count === 0) return;
    let i = this.#lastAtOrBefore(times[0] as number);
    for (let k = 0; k < count; k++) {
      while (i + 1 < this.#count && (this.#from[i + 1] as number) <= (times[k] as number)) i++;
      into[k] = i < 0 ? 0 : (this.#values[i] as number);
    }
  }

  /** Forgets what held before `timeMs` alone. */
  dropBefore(timeMs: number): void {
    const i = this.#lastAtOrBefore(timeMs);
    if (i <= 0) return;
    this.#from.copyWithin(0, i, this.#count);
    this.#values.copyWithin(0, i, this.#count);
    this.#count -= i;
  }

  /** Whether one value holds from `timeMs` on. */
  isConstantFrom(timeMs: number): boolean {
    return this.#count === 0 || this.#lastAtOrBefore(timeMs) === this.#count - 1;
  }

  #lastAtOrBefore(timeMs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#from[middle] as number) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #insert(at: number, timeMs: number, value: number): void {
    if (this.#count === this.#from.length) {
      this.#from = grownDoubles(this.#from);
      this.#values = grownDoubles(this.#values);
    }
    this.#from.copyWithin(at + 1, at, this.#count);
    this.#values.copyWithin(at + 1, at, this.#count);
    this.#from[at] = timeMs;
    this.#values[at] = value;
    this.#count++;
  }
}

function grownDoubles(array: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(array.length * 2);
  grown.set(array);
  return grown;
}
