/**
 * Aggregations over time of windows that have histograms, alone or beside floats.
 */
import { type FloatHistogram, HistogramTotal } from '../../model/index.ts';
import type { HistogramWindow, MixedKernel, MixedWindow } from '../eval/mixed_windows.ts';
import type { SeriesNotes } from '../eval/notes.ts';
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

/** Empty buckets stay, other than in aggregations: `==` tells them from none, and a side with them holds half of the zero bucket. */
export const sumOfHistograms: HistogramsKernel = (window, notes) => totalOf(window, notes).sum();

export const meanOfHistograms: HistogramsKernel = (window, notes) => totalOf(window, notes).mean();

/** Without a sum or mean, with a note, when the window mixes exponential and custom buckets. */
function totalOf(window: HistogramWindow, notes: SeriesNotes): HistogramTotal {
  const total = new HistogramTotal();
  for (let i = window.from; i < window.to; i++) total.add(window.at(i));
  if (total.isIncompatible) notes.mixedSchemas();
  else {
    if (total.counterResetCollision) notes.resetCollision('aggregation');
    if (total.boundsReconciled) notes.reconciledBounds('aggregation');
  }
  return total;
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
