/**
 * Window functions over a whole series of floats at once: the windows come as indexes, so that a step costs a few
 * arithmetic operations. What each gives is what the kernel of the same name gives for each window (see windows.ts), which
 * serves extended selectors and histograms.
 */
import type { StepWindows } from '../eval/step_windows.ts';

/** Fills the results of all steps that have one; returns how many. `values` and `present` are zeros before. */
export type ColumnKernel = (
  samples: Float64Array,
  windows: StepWindows,
  values: Float64Array,
  present: Uint8Array,
) => number;

/** rate, increase, delta. */
export function extrapolatedColumn(isCounter: boolean, isRate: boolean): ColumnKernel {
  return (samples, windows, values, present) => {
    const { from: froms, to: tos } = windows;
    const { sampled, toStart, toEnd } = windows.distances;
    const rangeSeconds = windows.rangeMs / 1000;
    const resets = isCounter ? resetIndexes(samples) : noResets;
    let nextReset = 0;
    let count = 0;
    for (let step = 0; step < values.length; step++) {
      const from = froms[step] as number;
      const to = tos[step] as number;
      if (to - from < 2) continue;
      const first = samples[from] as number;
      let change = (samples[to - 1] as number) - first;
      if (resets.length > 0) {
        // Windows only move forward, and so does the first reset inside.
        while (nextReset < resets.length && (resets[nextReset] as number) <= from) nextReset++;
        change = withResets(change, samples, resets, nextReset, to);
      }
      const between = sampled[step] as number;
      let before = toStart[step] as number;
      if (isCounter && change > 0 && first >= 0) {
        // A counter was not below zero: no further back than to where it would have been zero.
        const toZero = between * (first / change);
        if (toZero < before) before = toZero;
      }
      const factor = (between + before + (toEnd[step] as number)) / between;
      values[step] = change * (isRate ? factor / rangeSeconds : factor);
      present[step] = 1;
      count++;
    }
    return count;
  };
}

const noResets: readonly number[] = [];

/** Where a value is below the one before it. */
function resetIndexes(samples: Float64Array): readonly number[] {
  let indexes: number[] | undefined;
  let previous = samples[0] as number;
  for (let i = 1; i < samples.length; i++) {
    const value = samples[i] as number;
    if (value < previous) {
      indexes ??= [];
      indexes.push(i);
    }
    previous = value;
  }
  return indexes ?? noResets;
}

/** irate and idelta. */
export function lastTwoColumn(isRate: boolean): ColumnKernel {
  return (samples, { timestamps, from: froms, to: tos }, values, present) => {
    let count = 0;
    for (let step = 0; step < values.length; step++) {
      const to = tos[step] as number;
      if (to - (froms[step] as number) < 2) continue;
      const last = samples[to - 1] as number;
      const previous = samples[to - 2] as number;
      const seconds = ((timestamps[to - 1] as number) - (timestamps[to - 2] as number)) / 1000;
      const change = isRate && last < previous ? last : last - previous;
      values[step] = isRate ? change / seconds : change;
      present[step] = 1;
      count++;
    }
    return count;
  };
}

/** Adds the values before each reset ahead of `to`, one after the other: where they are huge, the order counts. */
function withResets(
  change: number,
  samples: Float64Array,
  resets: readonly number[],
  first: number,
  to: number,
): number {
  let total = change;
  for (let k = first; k < resets.length && (resets[k] as number) < to; k++) {
    total += samples[(resets[k] as number) - 1] as number;
  }
  return total;
}

/** sum_over_time and avg_over_time: by sums from the first sample on, where these are exact enough. */
export function sumColumn(
  isMean: boolean,
  ofWindow: (samples: Float64Array, from: number, to: number) => number,
): ColumnKernel {
  return (samples, windows, values, present) => {
    const { from: froms, to: tos } = windows;
    const sums = RunningSums.of(samples);
    let count = 0;
    for (let step = 0; step < values.length; step++) {
      const from = froms[step] as number;
      const to = tos[step] as number;
      if (to === from) continue;
      const sum = sums.between(from, to);
      // Where it is not exact enough.
      if (Number.isNaN(sum)) values[step] = ofWindow(samples, from, to);
      else values[step] = isMean ? sum / (to - from) : sum;
      present[step] = 1;
      count++;
    }
    return count;
  };
}

/** Sums of this size in relation to all that was added have their last bit right, up to the longest columns. */
const exactShare = 2 ** -30;
const exactLengthMax = 1 << 20;

/**
 * The sum of each beginning of a column, as pairs of floats (Dekker, "A Floating-Point Technique for Extending the Available
 * Precision", 1971), which have some 106 bits; that of a window is a difference of two.
 */
class RunningSums {
  static #shared = new RunningSums();
  #high = new Float64Array(1);
  #low = new Float64Array(1);
  /** Of absolute values. */
  #size = new Float64Array(1);
  /** How many are not 0. */
  #others = new Float64Array(1);

  /** Good until the next call. */
  static of(samples: Float64Array): RunningSums {
    RunningSums.#shared.#fill(samples);
    return RunningSums.#shared;
  }

  #fill(samples: Float64Array): void {
    const { length } = samples;
    if (this.#high.length <= length) {
      this.#high = new Float64Array(length * 2 + 1);
      this.#low = new Float64Array(length * 2 + 1);
      this.#size = new Float64Array(length * 2 + 1);
      this.#others = new Float64Array(length * 2 + 1);
    }
    const high = this.#high;
    const low = this.#low;
    const size = this.#size;
    const others = this.#others;
    let sum = 0;
    let rest = 0;
    let all = length > exactLengthMax ? Number.NaN : 0;
    for (let i = 0; i < length; i++) {
      const value = samples[i] as number;
      const total = sum + value;
      const shifted = total - sum;
      rest += sum - (total - shifted) + (value - shifted);
      sum = total + rest;
      rest = total - sum + rest;
      all += Math.abs(value);
      high[i + 1] = sum;
      low[i + 1] = rest;
      size[i + 1] = all;
      others[i + 1] = (others[i] as number) + (value === 0 ? 0 : 1);
    }
  }

  /** NaN when the difference may not be exact, or samples are not finite. */
  between(from: number, to: number): number {
    if (this.#others[to] === this.#others[from]) return 0;
    const sum =
      (this.#high[to] as number) -
      (this.#high[from] as number) +
      ((this.#low[to] as number) - (this.#low[from] as number));
    return Math.abs(sum) > (this.#size[to] as number) * exactShare ? sum : Number.NaN;
  }
}

/** min_over_time and max_over_time; NaN loses to everything. */
export function extremumColumn(isMax: boolean): ColumnKernel {
  return (samples, windows, values, present) => {
    const { from: froms, to: tos } = windows;
    let count = 0;
    for (let step = 0; step < values.length; step++) {
      const from = froms[step] as number;
      const to = tos[step] as number;
      if (to === from) continue;
      let best = samples[from] as number;
      for (let i = from + 1; i < to; i++) {
        const value = samples[i] as number;
        if ((isMax ? value > best : value < best) || Number.isNaN(best)) best = value;
      }
      values[step] = best;
      present[step] = 1;
      count++;
    }
    return count;
  };
}

/** count_over_time. */
export const countColumn: ColumnKernel = (_samples, windows, values, present) => {
  const { from: froms, to: tos } = windows;
  let count = 0;
  for (let step = 0; step < values.length; step++) {
    const inside = (tos[step] as number) - (froms[step] as number);
    if (inside === 0) continue;
    values[step] = inside;
    present[step] = 1;
    count++;
  }
  return count;
};

/** last_over_time. */
export const lastColumn: ColumnKernel = (samples, windows, values, present) => {
  const { from: froms, to: tos } = windows;
  let count = 0;
  for (let step = 0; step < values.length; step++) {
    const to = tos[step] as number;
    if (to === froms[step]) continue;
    values[step] = samples[to - 1] as number;
    present[step] = 1;
    count++;
  }
  return count;
};
