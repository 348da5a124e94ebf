/**
 * Trends of a window: least squares (deriv, predict_linear) and Holt's double exponential smoothing.
 */
import { ExecutionError } from '../errors.ts';
import type { Evaluator } from '../eval/context.ts';
import { isInfinite, KahanSum } from '../eval/kahan.ts';
import type { MixedKernel } from '../eval/mixed_windows.ts';
import type { Window, WindowKernel } from '../eval/windows.ts';
import type { CallExpr } from '../parse/tree.ts';
import { type FunctionFamily, windowed } from './function.ts';

interface Line {
  readonly slope: number;
  /** The value at `interceptMs`. */
  readonly intercept: number;
}

/** Simple linear regression over the window's samples; times are seconds from `interceptMs`. */
function fitLine(window: Window, interceptMs: number): Line {
  const { timestamps, values, from, to } = window;
  const first = values[from] as number;
  let isConstant = true;
  const sumX = new KahanSum();
  const sumY = new KahanSum();
  const sumXY = new KahanSum();
  const sumXX = new KahanSum();
  for (let i = from; i < to; i++) {
    const y = values[i] as number;
    if (y !== first && i > from) isConstant = false;
    const x = ((timestamps[i] as number) - interceptMs) / 1000;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumXX.add(x * x);
  }
  if (isConstant) {
    return isInfinite(first) ? { slope: Number.NaN, intercept: Number.NaN } : { slope: 0, intercept: first };
  }
  const n = to - from;
  const covariance = sumXY.total - (sumX.total * sumY.total) / n;
  const variance = sumXX.total - (sumX.total * sumX.total) / n;
  const slope = covariance / variance;
  return { slope, intercept: sumY.total / n - (slope * sumX.total) / n };
}

const deriv: WindowKernel = (window) => {
  if (window.count < 2) return false;
  // Any time near the samples does; a near one keeps the sums small and exact.
  window.result = fitLine(window, window.timestamps[window.from] as number).slope;
  return true;
};

const predict: WindowKernel = (window, args) => {
  if (window.count < 2) return false;
  const { slope, intercept } = fitLine(window, window.stepMs);
  window.result = slope * (args[0] as number) + intercept;
  return true;
};

function isBadFactor(factor: number): boolean {
  return factor <= 0 || factor >= 1;
}

/** Bad factors matter at every window that has samples, be they histograms. */
const smoothMixed: MixedKernel = ({ floats, histograms }, args, notes) => {
  if (isBadFactor(args[0] as number) || isBadFactor(args[1] as number)) return Number.NaN;
  if (floats.count === 0) return undefined;
  if (histograms.count > 0) notes.ignoredHistograms();
  return smooth(floats, args) ? floats.result : undefined;
};

/** Throws ExecutionError for the first bad factor at a step that has a result. */
function checkFactors(
  _call: CallExpr,
  _evaluator: Evaluator,
  [levels, trends]: readonly Float64Array[],
): void {
  for (const [i, level] of (levels ?? []).entries()) {
    const trend = trends?.[i] as number;
    if (isBadFactor(level)) {
      throw new ExecutionError(`invalid smoothing factor. Expected: 0 < sf < 1, got: ${level.toFixed(6)}`);
    }
    if (isBadFactor(trend)) {
      throw new ExecutionError(`invalid trend factor. Expected: 0 < tf < 1, got: ${trend.toFixed(6)}`);
    }
  }
}

const smooth: WindowKernel = (window, args) => {
  const level = args[0] as number;
  const trend = args[1] as number;
  // Bad factors are refused when all series are there: what is wrong with these comes first.
  window.result = Number.NaN;
  if (isBadFactor(level) || isBadFactor(trend)) return true;
  const { values, from, to } = window;
  if (to - from < 2) return false;
  let older = 0;
  let smoothed = values[from] as number;
  let slope = (values[from + 1] as number) - smoothed;
  for (let i = from + 1; i < to; i++) {
    if (i > from + 1) slope = trend * (smoothed - older) + (1 - trend) * slope;
    const next = level * (values[i] as number) + (1 - level) * (smoothed + slope);
    older = smoothed;
    smoothed = next;
  }
  window.result = smoothed;
  return true;
};

export const regressionFunctions: FunctionFamily<
  'deriv' | 'predict_linear' | 'double_exponential_smoothing'
> = {
  deriv: windowed(deriv),
  predict_linear: windowed(predict),
  double_exponential_smoothing: windowed(smooth, { mixed: smoothMixed, check: checkFactors }),
};
