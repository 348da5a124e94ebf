/**
 * Aggregations of a window's samples over time.
 */
import { quantileOf } from '../eval/aggregate/quantile.ts';
import { KahanSum } from '../eval/kahan.ts';
import type { Window, WindowKernel } from '../eval/windows.ts';
import { AvgState } from './avg_state.ts';
import { countColumn, extremumColumn, lastColumn, sumColumn } from './column_kernels.ts';
import { checkQuantile, type FunctionFamily, windowed } from './function.ts';
import {
  combinedOverTime,
  countOfAll,
  firstOfAll,
  lastOfAll,
  meanOfHistograms,
  sumOfHistograms,
  timeOfFirstOfAll,
  timeOfLastOfAll,
} from './histograms_over_time.ts';

function sumOf(values: Float64Array, from: number, to: number): number {
  const total = new KahanSum();
  for (let i = from; i < to; i++) total.add(values[i] as number);
  return total.total;
}

const sum: WindowKernel = (window) => {
  window.result = sumOf(window.values, window.from, window.to);
  return true;
};

function meanOf(values: Float64Array, from: number, to: number): number {
  const state = new AvgState();
  for (let i = from; i < to; i++) state.add(values[i] as number);
  return state.mean;
}

const avg: WindowKernel = (window) => {
  window.result = meanOf(window.values, window.from, window.to);
  return true;
};

const count: WindowKernel = (window) => {
  window.result = window.count;
  return true;
};

/** The index of the sample that wins all comparisons; NaN loses to everything. */
function best(window: Window, wins: (value: number, best: number) => boolean): number {
  let at = window.from;
  for (let i = window.from; i < window.to; i++) {
    const value = window.values[i] as number;
    const current = window.values[at] as number;
    if (wins(value, current) || Number.isNaN(current)) at = i;
  }
  return at;
}

const greater = (value: number, current: number): boolean => value > current;
const less = (value: number, current: number): boolean => value < current;
const notLess = (value: number, current: number): boolean => value >= current;
const notGreater = (value: number, current: number): boolean => value <= current;

function valueWhere(wins: (value: number, best: number) => boolean): WindowKernel {
  return (window) => {
    window.result = window.values[best(window, wins)] as number;
    return true;
  };
}

function timeWhere(wins: (value: number, best: number) => boolean): WindowKernel {
  return (window) => {
    window.result = (window.timestamps[best(window, wins)] as number) / 1000;
    return true;
  };
}

const first: WindowKernel = (window) => {
  window.result = window.values[window.from] as number;
  return true;
};

const last: WindowKernel = (window) => {
  window.result = window.values[window.to - 1] as number;
  return true;
};

const timeOfFirst: WindowKernel = (window) => {
  window.result = (window.timestamps[window.from] as number) / 1000;
  return true;
};

const timeOfLast: WindowKernel = (window) => {
  window.result = (window.timestamps[window.to - 1] as number) / 1000;
  return true;
};

const one: WindowKernel = (window) => {
  window.result = 1;
  return true;
};

const quantile: WindowKernel = (window, args) => {
  window.result = quantileOf(args[0] as number, window.values.slice(window.from, window.to));
  return true;
};

/** The median of the distances from the median. */
const medianDeviation: WindowKernel = (window) => {
  const values = window.values.slice(window.from, window.to);
  if (values.some(Number.isNaN)) {
    window.result = Number.NaN;
    return true;
  }
  const median = quantileOf(0.5, values);
  for (let i = 0; i < values.length; i++) values[i] = Math.abs((values[i] as number) - median);
  window.result = quantileOf(0.5, values);
  return true;
};

/** Welford's algorithm with compensated sums. */
function variance(window: Window): number {
  const mean = new KahanSum();
  const squares = new KahanSum();
  let seen = 0;
  for (let i = window.from; i < window.to; i++) {
    const value = window.values[i] as number;
    seen++;
    const delta = value - mean.total;
    mean.add(delta / seen);
    squares.add(delta * (value - mean.total));
  }
  return squares.total / seen;
}

const stdvar: WindowKernel = (window) => {
  window.result = variance(window);
  return true;
};

const stddev: WindowKernel = (window) => {
  window.result = Math.sqrt(variance(window));
  return true;
};

export const overTimeFunctions: FunctionFamily<
  | 'sum_over_time'
  | 'avg_over_time'
  | 'count_over_time'
  | 'min_over_time'
  | 'max_over_time'
  | 'first_over_time'
  | 'last_over_time'
  | 'present_over_time'
  | 'stddev_over_time'
  | 'stdvar_over_time'
  | 'mad_over_time'
  | 'quantile_over_time'
  | 'ts_of_first_over_time'
  | 'ts_of_last_over_time'
  | 'ts_of_min_over_time'
  | 'ts_of_max_over_time'
> = {
  sum_over_time: windowed(sum, {
    mixed: combinedOverTime(sum, sumOfHistograms),
    column: sumColumn(false, sumOf),
  }),
  avg_over_time: windowed(avg, {
    mixed: combinedOverTime(avg, meanOfHistograms),
    column: sumColumn(true, meanOf),
  }),
  count_over_time: windowed(count, { mixed: countOfAll, column: countColumn }),
  min_over_time: windowed(valueWhere(less), { column: extremumColumn(false) }),
  max_over_time: windowed(valueWhere(greater), { column: extremumColumn(true) }),
  first_over_time: windowed(first, { keepsName: true, mixed: firstOfAll }),
  last_over_time: windowed(last, { keepsName: true, mixed: lastOfAll, column: lastColumn }),
  present_over_time: windowed(one, { mixed: () => 1 }),
  stddev_over_time: windowed(stddev),
  stdvar_over_time: windowed(stdvar),
  mad_over_time: windowed(medianDeviation),
  quantile_over_time: windowed(quantile, {
    rangeAt: 1,
    check: (call, evaluator, args) => checkQuantile(call, evaluator, 0, args[0] ?? new Float64Array(0)),
  }),
  ts_of_first_over_time: windowed(timeOfFirst, { mixed: timeOfFirstOfAll }),
  ts_of_last_over_time: windowed(timeOfLast, { mixed: timeOfLastOfAll }),
  ts_of_min_over_time: windowed(timeWhere(notGreater)),
  ts_of_max_over_time: windowed(timeWhere(notLess)),
};
