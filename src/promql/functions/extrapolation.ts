/**
 * rate, increase and delta of floats, with extrapolation to the window's edges, and irate and idelta of the last two samples.
 */
import { type Extension, edgeDifference } from '../eval/extended.ts';
import type { Window, WindowKernel } from '../eval/windows.ts';

/** An edge further from the nearest sample than this many average distances is not extrapolated to. */
const extrapolationReach = 1.1;

/** The difference of last and first sample, counter resets added back. */
function difference(window: Window, isCounter: boolean): number {
  const change = (window.values[window.to - 1] as number) - (window.values[window.from] as number);
  return isCounter ? window.withResets(change) : change;
}

export function extrapolated(isCounter: boolean, isRate: boolean): WindowKernel {
  return (window) => {
    if (window.extension !== undefined) return betweenEdges(window, window.extension, isCounter, isRate);
    const { timestamps, values, from, to } = window;
    if (to - from < 2) return false;
    const result = difference(window, isCounter);
    const first = values[from] as number;
    const share = isCounter && result > 0 && first >= 0 ? first / result : undefined;
    window.result = result * extrapolation(window, timestamps, from, to, share, isRate);
    return true;
  };
}

/**
 * The factor from the change between the samples to that of the whole window, or for rates to that of a second. `share`
 * is how much of the change a counter had before its first sample: it was not below zero, so nothing is extrapolated
 * further back than to where it would have been zero.
 */
export function extrapolation(
  window: Window,
  timestamps: Float64Array,
  from: number,
  to: number,
  share: number | undefined,
  isRate: boolean,
): number {
  const firstMs = timestamps[from] as number;
  const lastMs = timestamps[to - 1] as number;
  let toStart = (firstMs - window.startMs) / 1000;
  let toEnd = (window.endMs - lastMs) / 1000;
  const sampled = (lastMs - firstMs) / 1000;
  const average = sampled / (to - from - 1);
  if (toStart >= average * extrapolationReach) toStart = average / 2;
  if (share !== undefined && sampled * share < toStart) toStart = sampled * share;
  if (toEnd >= average * extrapolationReach) toEnd = average / 2;
  const factor = (sampled + toStart + toEnd) / sampled;
  return isRate ? factor / ((window.endMs - window.startMs) / 1000) : factor;
}

/** As extrapolation, of a window whose first sample tells when it started at zero, inside the window. */
export function extrapolationFromStart(
  window: Window,
  timestamps: Float64Array,
  from: number,
  to: number,
  startTimeMs: number,
  isRate: boolean,
): number {
  const firstMs = timestamps[from] as number;
  const lastMs = timestamps[to - 1] as number;
  const average = to - from > 1 ? (lastMs - firstMs) / 1000 / (to - from - 1) : 0;
  const sampled = (lastMs - startTimeMs) / 1000;
  let toEnd = (window.endMs - lastMs) / 1000;
  if (toEnd >= average * extrapolationReach) toEnd = average / 2;
  const factor = sampled === 0 ? 1 : (sampled + toEnd) / sampled;
  return isRate ? factor / ((window.endMs - window.startMs) / 1000) : factor;
}

/** An extended window knows the values at its edges: nothing is extrapolated. */
export function betweenEdges(
  window: Window,
  extension: Extension,
  isCounter: boolean,
  isRate: boolean,
): boolean {
  const change = edgeDifference(window, extension, isCounter);
  if (change === undefined) return false;
  window.result = isRate ? change / ((window.endMs - window.startMs) / 1000) : change;
  return true;
}

export function ofLastTwo(isRate: boolean): WindowKernel {
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
