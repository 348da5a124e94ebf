/**
 * resets and changes over windows with histograms: steps from one sample to the next, whatever kind either is.
 */
import type { FloatHistogram } from '../../model/index.ts';
import type { MixedKernel, MixedWindow } from '../eval/mixed_windows.ts';
import type { Window } from '../eval/windows.ts';
import { startsAfter } from './start_times.ts';

/** A sample of a window, of either kind. */
interface AnySample {
  readonly value: number;
  readonly histogram: FloatHistogram | undefined;
  readonly atMs: number;
  /** 0 where unknown. */
  readonly startTimeMs: number;
}

/** Counts the pairs of neighbours, floats and histograms mixed, for which `counts` says so. */
function countPairs(counts: (previous: AnySample, sample: AnySample) => boolean): MixedKernel {
  return (window) => {
    const { floats, histograms } = window;
    let [float, histogram] = [floats.from, histograms.from];
    if (floats.extension !== undefined) {
      const first = anchor(window);
      if (first === undefined) return undefined;
      [float, histogram] = first;
    }
    let previous: AnySample | undefined;
    let count = 0;
    while (float < floats.to || histogram < histograms.to) {
      const floatMs = float < floats.to ? (floats.timestamps[float] as number) : Number.POSITIVE_INFINITY;
      const isFloat = histogram >= histograms.to || floatMs < (histograms.timestamps[histogram] as number);
      const sample = isFloat ? floatSample(window, float++) : histogramSample(window, histogram++);
      if (previous !== undefined && counts(previous, sample)) count++;
      previous = sample;
    }
    return count;
  };
}

function floatSample({ floats, floatStarts }: MixedWindow, index: number): AnySample {
  return {
    value: floats.values[index] as number,
    histogram: undefined,
    atMs: floats.timestamps[index] as number,
    startTimeMs: floatStarts?.[index] ?? 0,
  };
}

function histogramSample({ histograms, histogramStarts }: MixedWindow, index: number): AnySample {
  return {
    value: 0,
    histogram: histograms.at(index),
    atMs: histograms.timestamps[index] as number,
    startTimeMs: histogramStarts?.[index] ?? 0,
  };
}

/** The first float and histogram of an anchored window that count: the newest of either kind at the start, and what follows. */
function anchor({ floats, histograms }: MixedWindow): readonly [number, number] | undefined {
  const float = firstAfterStart(floats);
  const histogram = firstAfterStart(histograms);
  if (float === floats.to && histogram === histograms.to) return undefined;
  const floatMs = float > floats.from ? (floats.timestamps[float - 1] as number) : Number.NEGATIVE_INFINITY;
  const histogramMs =
    histogram > histograms.from ? (histograms.timestamps[histogram - 1] as number) : Number.NEGATIVE_INFINITY;
  if (floatMs === histogramMs) return [float, histogram];
  return floatMs > histogramMs ? [float - 1, histogram] : [float, histogram - 1];
}

function firstAfterStart({ timestamps, from, to, startMs }: Window): number {
  let after = from;
  while (after < to && (timestamps[after] as number) <= startMs) after++;
  return after;
}

/** A change of kind is a reset too. */
export const resetsMixed: MixedKernel = countPairs((previous, sample) => {
  if ((previous.histogram === undefined) !== (sample.histogram === undefined)) return true;
  if (startsAfter(previous.startTimeMs, previous.atMs, sample.startTimeMs, sample.atMs)) return true;
  if (sample.histogram === undefined || previous.histogram === undefined)
    return sample.value < previous.value;
  return sample.histogram.detectReset(previous.histogram);
});

export const changesMixed: MixedKernel = countPairs((previous, sample) => {
  if (previous.histogram !== undefined && sample.histogram !== undefined) {
    return !sample.histogram.equals(previous.histogram);
  }
  if (previous.histogram !== undefined || sample.histogram !== undefined) return true;
  if (Number.isNaN(sample.value) && Number.isNaN(previous.value)) return false;
  return sample.value !== previous.value;
});
