/**
 * Change of a series over a window: rate, increase and delta with extrapolation to the window's edges, irate and
 * idelta of the last two samples, resets and changes.
 */
import type { Evaluator } from '../eval/context.ts';
import { type Extension, edgeDifference } from '../eval/extended.ts';
import type { Window, WindowKernel } from '../eval/windows.ts';
import type { CallExpr } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import { argument, type FunctionFamily, windowed } from './function.ts';

/** An edge further from the nearest sample than this many average distances is not extrapolated to. */
const extrapolationReach = 1.1;

/** The difference of last and first sample, counter resets added back. */
function difference(window: Window, isCounter: boolean): number {
  const change = (window.values[window.to - 1] as number) - (window.values[window.from] as number);
  return isCounter ? change + window.resetCorrection() : change;
}

function extrapolated(isCounter: boolean, isRate: boolean): WindowKernel {
  return (window) => {
    if (window.extension !== undefined) return betweenEdges(window, window.extension, isCounter, isRate);
    const { timestamps, values, from, to } = window;
    if (to - from < 2) return false;
    const firstMs = timestamps[from] as number;
    const lastMs = timestamps[to - 1] as number;
    const result = difference(window, isCounter);
    let toStart = (firstMs - window.startMs) / 1000;
    let toEnd = (window.endMs - lastMs) / 1000;
    const sampled = (lastMs - firstMs) / 1000;
    const average = sampled / (to - from - 1);
    if (toStart >= average * extrapolationReach) toStart = average / 2;
    if (isCounter) {
      // A counter was not below zero: extrapolate no further back than to where it would have been zero.
      const first = values[from] as number;
      const toZero = result > 0 && first >= 0 ? sampled * (first / result) : toStart;
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= average * extrapolationReach) toEnd = average / 2;
    let factor = (sampled + toStart + toEnd) / sampled;
    if (isRate) factor /= (window.endMs - window.startMs) / 1000;
    window.result = result * factor;
    return true;
  };
}

/** An extended window knows the values at its edges: nothing is extrapolated. */
function betweenEdges(window: Window, extension: Extension, isCounter: boolean, isRate: boolean): boolean {
  const change = edgeDifference(window, extension, isCounter);
  if (change === undefined) return false;
  window.result = isRate ? change / ((window.endMs - window.startMs) / 1000) : change;
  return true;
}

/** The first sample that counts: of an anchored window its anchor. Undefined when none is after the start. */
function firstIndex(window: Window): number | undefined {
  if (window.extension === undefined) return window.from;
  const { timestamps, startMs, to } = window;
  let after = window.from;
  while (after < to && (timestamps[after] as number) <= startMs) after++;
  return after === to ? undefined : Math.max(window.from, after - 1);
}

function ofLastTwo(isRate: boolean): WindowKernel {
  return (window) => {
    const { timestamps, values, from, to } = window;
    if (to - from < 2) return false;
    const last = values[to - 1] as number;
    const previous = values[to - 2] as number;
    const seconds = ((timestamps[to - 1] as number) - (timestamps[to - 2] as number)) / 1000;
    const reset = isRate && last < previous;
    const change = reset ? last : last - previous;
    window.result = isRate ? change / seconds : change;
    return true;
  };
}

const resets: WindowKernel = (window) => {
  const first = firstIndex(window);
  if (first === undefined) return false;
  let count = 0;
  for (let i = first + 1; i < window.to; i++) {
    if ((window.values[i] as number) < (window.values[i - 1] as number)) count++;
  }
  window.result = count;
  return true;
};

const changes: WindowKernel = (window) => {
  const first = firstIndex(window);
  if (first === undefined) return false;
  let count = 0;
  for (let i = first + 1; i < window.to; i++) {
    const value = window.values[i] as number;
    const previous = window.values[i - 1] as number;
    if (value !== previous && (!Number.isNaN(value) || !Number.isNaN(previous))) count++;
  }
  window.result = count;
  return true;
};

const counterName = /_(?:total|sum|count|bucket)$/;

/** Tells of metrics that are no counters by their names. */
function inspectCounter(call: CallExpr, evaluator: Evaluator, { labels }: StepSeries): void {
  const name = labels.metricName;
  if (name === '' || counterName.test(name)) return;
  const text = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket:';
  evaluator.context.annotations.info(`${text} ${JSON.stringify(name)}`, argument(call, 0).span);
}

const both: readonly Extension[] = ['anchored', 'smoothed'];

export const rateFunctions: FunctionFamily<
  'rate' | 'increase' | 'delta' | 'irate' | 'idelta' | 'resets' | 'changes'
> = {
  rate: windowed(extrapolated(true, true), { inspect: inspectCounter, extensions: both }),
  increase: windowed(extrapolated(true, false), { inspect: inspectCounter, extensions: both }),
  delta: windowed(extrapolated(false, false), { extensions: both }),
  irate: windowed(ofLastTwo(true)),
  idelta: windowed(ofLastTwo(false)),
  resets: windowed(resets, { extensions: ['anchored'] }),
  changes: windowed(changes, { extensions: ['anchored'] }),
};
