/**
 * Aggregations over time of windows that have histograms, alone or beside floats.
 */
import { CounterResetHint, type FloatHistogram, HistogramAccumulator } from '../../model/index.ts';
import type { HistogramWindow, MixedKernel, MixedWindow } from '../eval/mixed_windows.ts';
import { type SeriesNotes, unlessIncompatible } from '../eval/notes.ts';
import type { WindowKernel } from '../eval/windows.ts';

type HistogramsKernel = (window: HistogramWindow, notes: SeriesNotes) => FloatHistogram | undefined;

/** For functions that take floats or histograms, but not both in one window. */
export function combinedOverTime(ofFloats: WindowKernel, ofHistograms: HistogramsKernel): MixedKernel {
  return ({ floats, histograms }, args, notes) => {
    if (floats.count === 0) return ofHistograms(histograms, notes);
    if (histograms.count > 0) return void notes.mixedTypes();
    return ofFloats(floats, args) ? floats.result : undefined;
  };
}

/** Undefined, with a note, when the window mixes exponential and custom buckets. */
export const sumOfHistograms: HistogramsKernel = (window, notes) => {
  const sum = unlessIncompatible(() => accumulate(window));
  if (sum === undefined) return void notes.mixedSchemas();
  noteHints(window, notes);
  if (sum.boundsReconciled) notes.reconciledBounds('aggregation');
  return sum.total;
};

export const meanOfHistograms: HistogramsKernel = (window, notes) => {
  const sum = sumOfHistograms(window, notes);
  if (sum === undefined || !sum.hasOverflow) return sum?.divide(window.count);
  return runningMean(window);
};

function accumulate(window: HistogramWindow): { total: FloatHistogram; boundsReconciled: boolean } {
  const sum = new HistogramAccumulator(window.at(window.from));
  let boundsReconciled = false;
  for (let i = window.from + 1; i < window.to; i++) {
    if (sum.add(window.at(i)).boundsReconciled) boundsReconciled = true;
  }
  return { total: sum.result(), boundsReconciled };
}

/** For sums beyond what a float holds: the mean of the first n samples, n growing. */
function runningMean(window: HistogramWindow): FloatHistogram {
  let mean = window.at(window.from);
  for (let i = window.from + 1; i < window.to; i++) {
    const count = i - window.from + 1;
    mean = mean.scale((count - 1) / count).add(window.at(i).divide(count)).histogram;
  }
  return mean;
}

function noteHints(window: HistogramWindow, notes: SeriesNotes): void {
  let reset = false;
  let notReset = false;
  for (let i = window.from; i < window.to; i++) {
    const hint = window.at(i).counterResetHint;
    if (hint === CounterResetHint.Reset) reset = true;
    else if (hint === CounterResetHint.NotReset) notReset = true;
  }
  if (reset && notReset) notes.resetCollision('aggregation');
}

export const countOfAll: MixedKernel = ({ floats, histograms }) => floats.count + histograms.count;

function firstTimes({ floats, histograms }: MixedWindow): { floatMs: number; histogramMs: number } {
  const none = Number.POSITIVE_INFINITY;
  return {
    floatMs: floats.count === 0 ? none : (floats.timestamps[floats.from] as number),
    histogramMs: histograms.count === 0 ? none : (histograms.timestamps[histograms.from] as number),
  };
}

function lastTimes({ floats, histograms }: MixedWindow): { floatMs: number; histogramMs: number } {
  const none = Number.NEGATIVE_INFINITY;
  return {
    floatMs: floats.count === 0 ? none : (floats.timestamps[floats.to - 1] as number),
    histogramMs: histograms.count === 0 ? none : (histograms.timestamps[histograms.to - 1] as number),
  };
}

export const firstOfAll: MixedKernel = (window) => {
  const { floatMs, histogramMs } = firstTimes(window);
  const { floats, histograms } = window;
  return floatMs < histogramMs ? (floats.values[floats.from] as number) : histograms.at(histograms.from);
};

export const lastOfAll: MixedKernel = (window) => {
  const { floatMs, histogramMs } = lastTimes(window);
  const { floats, histograms } = window;
  return floatMs > histogramMs ? (floats.values[floats.to - 1] as number) : histograms.at(histograms.to - 1);
};

export const timeOfFirstOfAll: MixedKernel = (window) => {
  const { floatMs, histogramMs } = firstTimes(window);
  return Math.min(floatMs, histogramMs) / 1000;
};

export const timeOfLastOfAll: MixedKernel = (window) => {
  const { floatMs, histogramMs } = lastTimes(window);
  return Math.max(floatMs, histogramMs) / 1000;
};
