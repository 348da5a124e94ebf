/**
 * Window functions over a whole series of floats at once: the windows come as indexes, so that a step costs a few
 * arithmetic operations. What each gives is what the kernel of the same name gives for each window (see windows.ts), which
 * serves extended selectors and histograms.
 */
import type { StepWindows } from '../eval/step_windows.ts';
import { RunningSums } from './running_sums.ts';

export interface ColumnKernel {
  /** Windows with fewer samples have no result. */
  readonly samplesMin: 1 | 2;
  /** Whether it matters to `fill` that samples only rise. */
  readonly isCounter?: boolean;
  /**
   * Sets the values of the steps that have a result, others to anything. `isRising`: no sample is NaN or below the one
   * before it; false when that is not known.
   */
  readonly fill: (
    samples: Float64Array,
    windows: StepWindows,
    values: Float64Array,
    isRising: boolean,
  ) => void;
}

/** rate, increase, delta. */
export function extrapolatedColumn(isCounter: boolean, isRate: boolean): ColumnKernel {
  return {
    samplesMin: 2,
    isCounter,
    fill: (samples, windows, values, isRising) => {
      const { factor, ratePerSecond, zeroShare } = windows.distances;
      const factors = isRate ? ratePerSecond : factor;
      const shares = isCounter ? zeroShare : neverAtZero(zeroShare.length);
      const resets = isCounter && !isRising ? resetIndexes(samples) : noResets;
      const run = { samples, windows, factors, shares, isRate };
      if (resets.length > 0) fillWithResets(run, resets, values);
      else if (windows.isEvenlyPaced) fillPaced(run, values);
      else fillWindows(run, values);
    },
  };
}

interface Extrapolation {
  readonly samples: Float64Array;
  readonly windows: StepWindows;
  /** What a change is multiplied by. */
  readonly factors: Float64Array;
  /** Where a first value is below so many times the change, the counter may have been at zero. */
  readonly shares: Float64Array;
  readonly isRate: boolean;
}

let never = new Float64Array(0);

/** Shares that nothing is below. */
function neverAtZero(steps: number): Float64Array {
  if (never.length < steps) never = new Float64Array(steps).fill(Number.NaN);
  return never;
}

/** Windows move forward by a sample a step. */
function fillPaced(run: Extrapolation, values: Float64Array): void {
  const { samples, windows, factors, shares } = run;
  const { length } = values;
  const from = windows.from[0] as number;
  const to = (windows.to[0] as number) - 1;
  const firsts = samples.subarray(from, from + length);
  const lasts = samples.subarray(to, to + length);
  for (let step = 0; step < length; step++) {
    const first = firsts[step] as number;
    const change = (lasts[step] as number) - first;
    values[step] =
      first < change * (shares[step] as number)
        ? changeToZero(run, step, first, change)
        : change * (factors[step] as number);
  }
}

function fillWindows(run: Extrapolation, values: Float64Array): void {
  const { samples, windows, factors, shares } = run;
  const { from: froms, to: tos } = windows;
  for (let step = 0; step < values.length; step++) {
    const from = froms[step] as number;
    const to = tos[step] as number;
    if (to - from < 2) continue;
    const first = samples[from] as number;
    const change = (samples[to - 1] as number) - first;
    values[step] =
      first < change * (shares[step] as number)
        ? changeToZero(run, step, first, change)
        : change * (factors[step] as number);
  }
}

function fillWithResets(run: Extrapolation, resets: readonly number[], values: Float64Array): void {
  const { samples, windows, factors, shares } = run;
  const { from: froms, to: tos } = windows;
  let nextReset = 0;
  for (let step = 0; step < values.length; step++) {
    const from = froms[step] as number;
    const to = tos[step] as number;
    if (to - from < 2) continue;
    const first = samples[from] as number;
    // Windows only move forward, and so does the first reset inside.
    while (nextReset < resets.length && (resets[nextReset] as number) <= from) nextReset++;
    const change = withResets((samples[to - 1] as number) - first, samples, resets, nextReset, to);
    values[step] =
      first < change * (shares[step] as number)
        ? changeToZero(run, step, first, change)
        : change * (factors[step] as number);
  }
}

/** A counter was not below zero: it is extrapolated no further back than to where it would have been zero. */
function changeToZero(
  { windows, isRate }: Extrapolation,
  step: number,
  first: number,
  change: number,
): number {
  const { sampled, toStart, toEnd } = windows.distances;
  const between = sampled[step] as number;
  let before = toStart[step] as number;
  if (change > 0 && first >= 0) {
    const toZero = between * (first / change);
    if (toZero < before) before = toZero;
  }
  const factor = (between + before + (toEnd[step] as number)) / between;
  return change * (isRate ? factor / (windows.rangeMs / 1000) : factor);
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

/** irate and idelta. */
export function lastTwoColumn(isRate: boolean): ColumnKernel {
  return {
    samplesMin: 2,
    fill: (samples, { timestamps, from: froms, to: tos }, values) => {
      for (let step = 0; step < values.length; step++) {
        const to = tos[step] as number;
        if (to - (froms[step] as number) < 2) continue;
        const last = samples[to - 1] as number;
        const previous = samples[to - 2] as number;
        const seconds = ((timestamps[to - 1] as number) - (timestamps[to - 2] as number)) / 1000;
        const change = isRate && last < previous ? last : last - previous;
        values[step] = isRate ? change / seconds : change;
      }
    },
  };
}

/** sum_over_time and avg_over_time: by running sums, where these are exact enough. */
export function sumColumn(
  isMean: boolean,
  ofWindow: (samples: Float64Array, from: number, to: number) => number,
): ColumnKernel {
  return {
    samplesMin: 1,
    fill: (samples, { from: froms, to: tos }, values) => {
      const sums = RunningSums.of(samples);
      for (let step = 0; step < values.length; step++) {
        const from = froms[step] as number;
        const to = tos[step] as number;
        if (to === from) continue;
        const sum = sums.between(from, to);
        // Where it is not exact enough.
        if (Number.isNaN(sum)) values[step] = ofWindow(samples, from, to);
        else values[step] = isMean ? sum / (to - from) : sum;
      }
    },
  };
}

/**
 * min_over_time and max_over_time; NaN loses to everything. While the best of the window before is still inside, only what
 * came in since is looked at.
 */
export function extremumColumn(isMax: boolean): ColumnKernel {
  return {
    samplesMin: 1,
    fill: (samples, { from: froms, to: tos }, values) => {
      let best = Number.NaN;
      let bestAt = -1;
      let seen = 0;
      let hasBothZeros = false;
      for (let step = 0; step < values.length; step++) {
        const from = froms[step] as number;
        const to = tos[step] as number;
        if (to === from) continue;
        if (bestAt < from) {
          bestAt = from;
          best = samples[from] as number;
          seen = from + 1;
        }
        for (; seen < to; seen++) {
          const value = samples[seen] as number;
          if (value === best) {
            // The last of equal ones stays the longest. But of two zeros the first is the answer.
            if (value === 0 && !Object.is(value, best)) hasBothZeros = true;
            if (value !== 0 || !hasBothZeros) bestAt = seen;
          } else if ((isMax ? value > best : value < best) || Number.isNaN(best)) {
            best = value;
            bestAt = seen;
          }
        }
        values[step] = best;
      }
    },
  };
}

/** count_over_time. */
export const countColumn: ColumnKernel = {
  samplesMin: 1,
  fill: (_samples, { from, to }, values) => {
    for (let step = 0; step < values.length; step++) {
      values[step] = (to[step] as number) - (from[step] as number);
    }
  },
};

/** last_over_time. */
export const lastColumn: ColumnKernel = {
  samplesMin: 1,
  fill: (samples, { from, to }, values) => {
    for (let step = 0; step < values.length; step++) {
      const end = to[step] as number;
      if (end !== from[step]) values[step] = samples[end - 1] as number;
    }
  },
};
