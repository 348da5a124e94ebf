/**
 * Windows over series that have native histograms, or whose start times matter: floats and histograms are told apart
 * once per series, and a kernel sees the window of either. Series of plain floats never come here (see windows.ts).
 */
import type { FloatHistogram } from '../../model/index.ts';
import type { Grid } from './grid.ts';
import type { SeriesNotes } from './notes.ts';
import type { SampleCounts } from './sample_counts.ts';
import { histogramSize, noHistograms } from './values.ts';
import { moveWindow, type RangeSeries, type RangeShape, Window } from './windows.ts';

/** The histograms of a window; `values` of the base are not used. */
export class HistogramWindow extends Window {
  samples: readonly FloatHistogram[] = [];
  #isReset: (boolean | undefined)[] = [];

  at(index: number): FloatHistogram {
    const sample = this.samples[index];
    if (sample === undefined) throw new RangeError(`a window has no histogram ${index}`);
    return sample;
  }

  /** Whether the histogram at `index` says or shows that the counter was reset since the one before it. */
  isReset(index: number): boolean {
    const known = this.#isReset[index];
    if (known !== undefined) return known;
    const found = this.at(index).detectReset(this.at(index - 1));
    this.#isReset[index] = found;
    return found;
  }
}

/** What a kernel sees of a series at one step; reused between steps. At least one of both is not empty. */
export interface MixedWindow {
  readonly floats: Window;
  readonly histograms: HistogramWindow;
  /** Start times in milliseconds of all floats and all histograms, 0 where unknown; absent where they don't matter. */
  readonly floatStarts: Float64Array | undefined;
  readonly histogramStarts: Float64Array | undefined;
}

/** Undefined when there is no result. `args` are the other arguments at this step. */
export type MixedKernel = (
  window: MixedWindow,
  args: Float64Array,
  notes: SeriesNotes,
) => number | FloatHistogram | undefined;

export interface MixedColumns {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly histograms?: (FloatHistogram | null)[];
  readonly windowMax: number;
  /** The samples of the last window. */
  readonly lastCount: number;
}

/** As runWindows. */
export function runMixedWindows(
  columns: RangeSeries,
  range: RangeShape,
  grid: Grid,
  kernel: MixedKernel,
  args: readonly Float64Array[],
  { notes, counts }: { readonly notes: SeriesNotes; readonly counts: SampleCounts },
): MixedColumns {
  const values = new Float64Array(grid.steps);
  const present = new Uint8Array(grid.steps);
  let results: (FloatHistogram | null)[] | undefined;
  const window = split(columns);
  const { floats, histograms } = window;
  const sizes = cumulativeSizes(histograms.samples);
  const stepArgs = new Float64Array(args.length);
  let windowMax = 0;
  let size = 0;
  for (let step = 0; step < grid.steps; step++) {
    moveWindow(floats, range, grid, step);
    moveWindow(histograms, range, grid, step);
    size = floats.count + (sizes[histograms.to] as number) - (sizes[histograms.from] as number);
    if (size > windowMax) windowMax = size;
    if (size === 0) continue;
    counts.addAt(step, size);
    for (let i = 0; i < args.length; i++) stepArgs[i] = args[i]?.[step] as number;
    const result = kernel(window, stepArgs, notes);
    if (result === undefined) continue;
    present[step] = 1;
    if (typeof result === 'number') values[step] = result;
    else {
      results ??= noHistograms(grid.steps);
      results[step] = result;
    }
  }
  return {
    values,
    present,
    ...(results === undefined ? {} : { histograms: results }),
    windowMax,
    lastCount: size,
  };
}

function split({ timestamps, values, histograms, startTimes }: RangeSeries): MixedWindow {
  const floatIndexes: number[] = [];
  const histogramIndexes: number[] = [];
  const samples: FloatHistogram[] = [];
  for (let i = 0; i < timestamps.length; i++) {
    const histogram = histograms?.[i];
    if (histogram) {
      samples.push(histogram);
      histogramIndexes.push(i);
    } else floatIndexes.push(i);
  }
  const pick = (column: Float64Array, indexes: readonly number[]): Float64Array =>
    Float64Array.from(indexes, (i) => column[i] as number);
  const floatWindow = new Window();
  floatWindow.timestamps = pick(timestamps, floatIndexes);
  floatWindow.values = pick(values, floatIndexes);
  const histogramWindow = new HistogramWindow();
  histogramWindow.timestamps = pick(timestamps, histogramIndexes);
  histogramWindow.samples = samples;
  return {
    floats: floatWindow,
    histograms: histogramWindow,
    floatStarts: startTimes === undefined ? undefined : pick(startTimes, floatIndexes),
    histogramStarts: startTimes === undefined ? undefined : pick(startTimes, histogramIndexes),
  };
}

/** Element i is how many samples the first i histograms count as. */
function cumulativeSizes(samples: readonly FloatHistogram[]): Float64Array {
  const sums = new Float64Array(samples.length + 1);
  for (const [i, sample] of samples.entries()) sums[i + 1] = (sums[i] as number) + histogramSize(sample);
  return sums;
}
