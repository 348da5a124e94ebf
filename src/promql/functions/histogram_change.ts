/**
 * How far the histograms of a window went up from its first to its last: the difference of the two, and for counters
 * what they had reached before each reset.
 */
import { CounterResetHint, FloatHistogram } from '../../model/index.ts';
import type { HistogramWindow } from '../eval/mixed_windows.ts';
import type { HistogramOperation, SeriesNotes } from '../eval/notes.ts';
import { noteOverlap, startsAnew } from './start_times.ts';

/** Undefined, with a note, when the window mixes exponential and custom buckets. It must have two histograms at least. */
export function histogramChange(
  window: HistogramWindow,
  starts: Float64Array | undefined,
  isCounter: boolean,
  notes: SeriesNotes,
): FloatHistogram | undefined {
  const { from, to } = window;
  const first = baseline(window, starts, isCounter);
  const last = window.at(to - 1);
  if (isCounter && mixesSchemas(window, first, last)) return void notes.mixedSchemas();
  if (last.usesCustomBuckets !== first.usesCustomBuckets) {
    if (isCounter && (isGauge(window.at(from)) || isGauge(last))) notes.notCounter();
    return void notes.mixedSchemas();
  }
  if (isCounter) noteGauges(window, notes);
  let change = combined(atLowest(window, first, last, isCounter).sub(first), 'subtraction', notes);
  if (isCounter) {
    noteOverlap(starts, window.timestamps, from, to, notes);
    let previous = first;
    for (let i = from + 1; i < to; i++) {
      if (window.isReset(i) || startsAnew(starts, window.timestamps, i)) {
        change = combined(change.add(previous), 'addition', notes);
      }
      previous = window.at(i);
    }
  } else if (!isGauge(window.at(from)) || !isGauge(last)) notes.notGauge();
  return change.withHint(CounterResetHint.Gauge).compact();
}

/** The first histogram, or nothing at all when the second counts anew: then the first's buckets don't matter. */
function baseline(
  window: HistogramWindow,
  starts: Float64Array | undefined,
  isCounter: boolean,
): FloatHistogram {
  const { from } = window;
  if (!isCounter) return window.at(from);
  if (!startsAnew(starts, window.timestamps, from + 1) && !window.isReset(from + 1)) return window.at(from);
  const { schema, customValues } = window.at(from + 1);
  return new FloatHistogram({ schema, customValues });
}

/** Of the histograms between the ends; the ends themselves are looked at by the caller. */
function mixesSchemas(window: HistogramWindow, first: FloatHistogram, last: FloatHistogram): boolean {
  if (last.usesCustomBuckets !== first.usesCustomBuckets) return false;
  for (let i = window.from + 1; i < window.to - 1; i++) {
    if (window.at(i).usesCustomBuckets !== first.usesCustomBuckets) return true;
  }
  return false;
}

/**
 * The last histogram at the lowest resolution of those that count. Where zero buckets differ it makes a difference that this
 * comes first: the wider buckets may be cut by a zero bucket that the narrow ones fit.
 */
function atLowest(
  window: HistogramWindow,
  first: FloatHistogram,
  last: FloatHistogram,
  isCounter: boolean,
): FloatHistogram {
  if (last.usesCustomBuckets) return last;
  let schema = Math.min(first.schema, last.schema);
  for (let i = window.from + 1; isCounter && i < window.to - 1; i++) {
    schema = Math.min(schema, window.at(i).schema);
  }
  return schema < last.schema ? last.reduceResolution(schema) : last;
}

function noteGauges(window: HistogramWindow, notes: SeriesNotes): void {
  for (let i = window.from; i < window.to; i++) if (isGauge(window.at(i))) notes.notCounter();
}

export function isGauge(histogram: FloatHistogram): boolean {
  return histogram.counterResetHint === CounterResetHint.Gauge;
}

/** The sum or difference; that hints contradict each other is meant, since resets are seen to. */
export function combined(
  { histogram, boundsReconciled }: ReturnType<FloatHistogram['add']>,
  operation: HistogramOperation,
  notes: SeriesNotes,
): FloatHistogram {
  if (boundsReconciled) notes.reconciledBounds(operation);
  return histogram;
}
