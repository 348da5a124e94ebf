/**
 * The order of series in a window: by metric name, then by labels. A query names its metric nearly always, so that
 * its series are neighbours and fill few pages.
 */
import { compareBytes, type Labels } from '../../model/index.ts';

export function compareMetricFirst(a: Labels, b: Labels): number {
  return compareBytes(a.metricName, b.metricName) || a.compare(b);
}

/** How many items each run of `sortInSlices` has before runs are merged. */
const runLength = 2048;

/** A merge sort that yields often enough for its caller to pause; the result is the generator's return value. */
export function* sortInSlices<T>(items: readonly T[], compare: (a: T, b: T) => number): Generator<void, T[]> {
  let runs: T[][] = [];
  for (let from = 0; from < items.length; from += runLength) {
    runs.push(items.slice(from, from + runLength).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const a = runs[i] as T[];
      const b = runs[i + 1];
      merged.push(b === undefined ? a : yield* mergeRuns(a, b, compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergeRuns<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<void, T[]> {
  const merged: T[] = [];
  let j = 0;
  for (const x of a) {
    while (j < b.length && compare(b[j] as T, x) < 0) merged.push(b[j++] as T);
    merged.push(x);
    if (merged.length % runLength === 0) yield;
  }
  while (j < b.length) merged.push(b[j++] as T);
  return merged;
}
