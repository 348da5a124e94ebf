/**
 * The sums of windows over a column as differences of sums from its first sample on: a window costs the same however many
 * samples it has. Where these sums are exact in a float each, as those of whole numbers are, that is all; where they are
 * not, each is a pair of floats (Dekker, "A Floating-Point Technique for Extending the Available Precision", 1971), which
 * has some 106 bits.
 */

/** Sums of this size in relation to all that was added have their last bit right, up to the longest columns. */
const exactShare = 2 ** -30;
const exactLengthMax = 1 << 20;

export class RunningSums {
  static readonly #shared = new RunningSums();
  #high = new Float64Array(1);
  #low = new Float64Array(1);
  /** Whether all sums are exact without `#low`. */
  #isExact = false;
  /** What the absolute of a sum of a window must be above to be good; NaN where none is. */
  #goodAbove = 0;

  /** Good until the next call. */
  static of(samples: Float64Array): RunningSums {
    const sums = RunningSums.#shared;
    sums.#isExact = sums.#fillExactly(samples);
    if (!sums.#isExact) sums.#fillPairs(samples);
    return sums;
  }

  /** False when a sum is not exact, or not finite. */
  #fillExactly(samples: Float64Array): boolean {
    const { length } = samples;
    if (this.#high.length <= length) {
      this.#high = new Float64Array(length * 2 + 1);
      this.#low = new Float64Array(length * 2 + 1);
    }
    const high = this.#high;
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const value = samples[i] as number;
      const total = sum + value;
      // Knuth's TwoSum: what the addition lost, NaN where it is not finite.
      const shifted = total - sum;
      if (sum - (total - shifted) + (value - shifted) !== 0) return false;
      sum = total;
      high[i + 1] = sum;
    }
    return true;
  }

  #fillPairs(samples: Float64Array): void {
    const { length } = samples;
    const high = this.#high;
    const low = this.#low;
    let sum = 0;
    let rest = 0;
    let all = 0;
    for (let i = 0; i < length; i++) {
      const value = samples[i] as number;
      const total = sum + value;
      const shifted = total - sum;
      rest += sum - (total - shifted) + (value - shifted);
      sum = total + rest;
      rest = total - sum + rest;
      const size = Math.abs(value);
      // From a value that is not finite on, sums aren't either: they tell for themselves.
      if (size < Number.POSITIVE_INFINITY) all += size;
      high[i + 1] = sum;
      low[i + 1] = rest;
    }
    this.#goodAbove = length > exactLengthMax ? Number.NaN : all * exactShare;
  }

  /** NaN when the difference may not be exact, or samples are not finite. */
  between(from: number, to: number): number {
    const high = this.#high;
    const sum = (high[to] as number) - (high[from] as number);
    if (this.#isExact) return sum;
    const low = this.#low;
    const corrected = sum + ((low[to] as number) - (low[from] as number));
    return Math.abs(corrected) > this.#goodAbove ? corrected : Number.NaN;
  }
}
