/**
 * rate, increase, delta, irate and idelta of windows with histograms, or with start times, which show resets that values
 * hide and since when the first sample counts.
 */
import { CounterResetHint, type FloatHistogram } from '../../model/index.ts';
import type { HistogramWindow, MixedKernel, MixedWindow } from '../eval/mixed_windows.ts';
import type { SeriesNotes } from '../eval/notes.ts';
import type { Window } from '../eval/windows.ts';
import { betweenEdges, extrapolation, extrapolationFromStart, ofLastTwo } from './extrapolation.ts';
import { combined, histogramChange, isGauge } from './histogram_change.ts';
import { histogramEdgeDifference } from './histogram_edges.ts';
import { noteOverlap, startsAnew } from './start_times.ts';

/** Windows of histograms, or of floats with start times. */
export function extrapolatedMixed(isCounter: boolean, isRate: boolean): MixedKernel {
  return (window, _args, notes) => {
    const { floats, histograms } = window;
    if (floats.count > 0 && histograms.count > 0) return void notes.mixedTypes();
    if (histograms.count > 0) return histogramRate(window, isCounter, isRate, notes);
    if (floats.extension !== undefined) {
      return betweenEdges(floats, floats.extension, isCounter, isRate) ? floats.result : undefined;
    }
    return floatRate(floats, isCounter ? window.floatStarts : undefined, isCounter, isRate, notes);
  };
}

function floatRate(
  window: Window,
  starts: Float64Array | undefined,
  isCounter: boolean,
  isRate: boolean,
  notes: SeriesNotes,
): number | undefined {
  const { timestamps, values, from, to } = window;
  const first = values[from] as number;
  let change = (values[to - 1] as number) - first;
  if (isCounter) {
    noteOverlap(starts, timestamps, from, to, notes);
    for (let i = from + 1; i < to; i++) {
      const previous = values[i - 1] as number;
      if ((values[i] as number) < previous || startsAnew(starts, timestamps, i)) change += previous;
    }
  }
  const startTimeMs = startInside(window, starts);
  if (startTimeMs !== undefined) {
    return (change + first) * extrapolationFromStart(window, timestamps, from, to, startTimeMs, isRate);
  }
  if (to - from < 2) return undefined;
  const share = isCounter && change > 0 && first >= 0 ? first / change : undefined;
  return change * extrapolation(window, timestamps, from, to, share, isRate);
}

function histogramRate(
  { histograms: window, histogramStarts }: MixedWindow,
  isCounter: boolean,
  isRate: boolean,
  notes: SeriesNotes,
): FloatHistogram | undefined {
  const { timestamps, from, to, extension } = window;
  if (extension !== undefined) {
    const difference = histogramEdgeDifference(window, extension, isCounter, notes);
    return isRate ? difference?.divide((window.endMs - window.startMs) / 1000) : difference;
  }
  const starts = isCounter ? histogramStarts : undefined;
  const first = window.at(from);
  let change: FloatHistogram | undefined;
  if (to - from > 1) {
    change = histogramChange(window, starts, isCounter, notes);
    if (change === undefined) return undefined;
  }
  const startTimeMs = startInside(window, starts);
  if (startTimeMs !== undefined) {
    const whole = change === undefined ? first : withFirst(change, first, notes);
    return whole?.scale(extrapolationFromStart(window, timestamps, from, to, startTimeMs, isRate));
  }
  if (change === undefined) return undefined;
  const share = isCounter && change.count > 0 && first.count >= 0 ? first.count / change.count : undefined;
  return change.scale(extrapolation(window, timestamps, from, to, share, isRate));
}

function withFirst(
  change: FloatHistogram,
  first: FloatHistogram,
  notes: SeriesNotes,
): FloatHistogram | undefined {
  if (change.usesCustomBuckets !== first.usesCustomBuckets) return void notes.mixedSchemas();
  return combined(change.add(first), 'addition', notes);
}

/** When the first sample started to count, if that is known and inside the window. */
function startInside(
  { timestamps, from, startMs }: Window,
  starts: Float64Array | undefined,
): number | undefined {
  const start = starts?.[from] ?? 0;
  return start !== 0 && start > startMs && start < (timestamps[from] as number) ? start : undefined;
}

/** The last two samples, whether floats or histograms. */
export function ofLastTwoMixed(isRate: boolean): MixedKernel {
  return ({ floats, histograms, floatStarts, histogramStarts }, _args, notes) => {
    if (floats.count + histograms.count < 2) return undefined;
    const lastFloatMs = (back: number): number =>
      floats.count < back ? Number.NEGATIVE_INFINITY : (floats.timestamps[floats.to - back] as number);
    const lastHistogramMs = (back: number): number =>
      histograms.count < back
        ? Number.NEGATIVE_INFINITY
        : (histograms.timestamps[histograms.to - back] as number);
    if (lastFloatMs(2) > lastHistogramMs(1)) {
      const anew = isRate && startsAnew(floatStarts, floats.timestamps, floats.to - 1);
      if (!anew) return ofLastTwo(isRate)(floats, noArgs) ? floats.result : undefined;
      return (floats.values[floats.to - 1] as number) / ((lastFloatMs(1) - lastFloatMs(2)) / 1000);
    }
    if (lastHistogramMs(2) <= lastFloatMs(1)) return void notes.mixedTypes();
    return lastTwoHistograms(histograms, histogramStarts, isRate, notes);
  };
}

const noArgs = new Float64Array(0);

function lastTwoHistograms(
  window: HistogramWindow,
  starts: Float64Array | undefined,
  isRate: boolean,
  notes: SeriesNotes,
): FloatHistogram | undefined {
  const at = window.to - 1;
  const last = window.at(at);
  const previous = window.at(at - 1);
  if (isRate && (isGauge(last) || isGauge(previous))) notes.notCounter();
  if (!isRate && !(isGauge(last) && isGauge(previous))) notes.notGauge();
  let change = last;
  if (!isRate || !(startsAnew(starts, window.timestamps, at) || window.isReset(at))) {
    if (last.usesCustomBuckets !== previous.usesCustomBuckets) return void notes.mixedSchemas();
    change = combined(last.sub(previous), 'subtraction', notes);
  }
  const result = change.withHint(CounterResetHint.Gauge).compact();
  const seconds = ((window.timestamps[at] as number) - (window.timestamps[at - 1] as number)) / 1000;
  return isRate ? result.divide(seconds) : result;
}
