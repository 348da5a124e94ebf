/**
 * What start times of samples say about resets of a cumulative metric: it counts anew since a time after the sample before.
 */
import type { SeriesNotes } from '../eval/notes.ts';

/**
 * Whether the sample at `index` counts since after the sample before it. All times are milliseconds, 0 an unknown start.
 * A sample that starts exactly at the one before is a delta, unless that one's own start is unknown.
 */
export function startsAnew(starts: Float64Array | undefined, times: Float64Array, index: number): boolean {
  if (starts === undefined) return false;
  const before = times[index - 1] as number;
  return startsAfter(starts[index - 1] as number, before, starts[index] as number, times[index] as number);
}

/** As startsAnew, for two samples by themselves. */
export function startsAfter(startBefore: number, before: number, start: number, at: number): boolean {
  // A start at or after the sample's own time is none.
  if (start === 0 || start >= at || start < before) return false;
  if (start > before) return true;
  return startBefore !== 0 && startBefore < before;
}

/** Tells once of a window when a sample starts before the one before it, but not where that one starts. */
export function noteOverlap(
  starts: Float64Array | undefined,
  times: Float64Array,
  from: number,
  to: number,
  notes: SeriesNotes,
): void {
  if (starts === undefined) return;
  for (let i = from + 1; i < to; i++) {
    const start = starts[i] as number;
    if (start !== 0 && start < (times[i - 1] as number) && start !== starts[i - 1]) {
      notes.startTimeOverlap();
      return;
    }
  }
}
