/**
 * Joins series that several holders of a shard sent. A sample is (series, time, value) in a grow-only set, so the join is
 * a union; for the same time the first holder's value stands. Bits are moved, never numbers.
 */
import type { FloatHistogram, SeriesColumns } from '../model/index.ts';

/** Merges two columns of one series into one, ascending in time without repeats. */
function mergeColumns(a: SeriesColumns, b: SeriesColumns): SeriesColumns {
  const aLength = a.timestamps.length;
  const bLength = b.timestamps.length;
  const timestamps = new Float64Array(aLength + bLength);
  const values = new Float64Array(aLength + bLength);
  const histograms: (FloatHistogram | null)[] | undefined =
    a.histograms === undefined && b.histograms === undefined ? undefined : [];
  const startTimes =
    a.startTimes === undefined && b.startTimes === undefined
      ? undefined
      : new Float64Array(aLength + bLength);
  let i = 0;
  let j = 0;
  let count = 0;
  while (i < aLength || j < bLength) {
    const aTime = i < aLength ? (a.timestamps[i] ?? 0) : Number.POSITIVE_INFINITY;
    const bTime = j < bLength ? (b.timestamps[j] ?? 0) : Number.POSITIVE_INFINITY;
    const from = aTime <= bTime ? a : b;
    const at = aTime <= bTime ? i : j;
    timestamps[count] = Math.min(aTime, bTime);
    values.set(from.values.subarray(at, at + 1), count);
    histograms?.push(from.histograms?.[at] ?? null);
    if (startTimes !== undefined) startTimes[count] = from.startTimes?.[at] ?? 0;
    count++;
    if (aTime <= bTime) i++;
    if (bTime <= aTime) j++;
  }
  return {
    labels: a.labels,
    timestamps: timestamps.slice(0, count),
    values: values.slice(0, count),
    ...(histograms === undefined ? {} : { histograms }),
    ...(startTimes === undefined ? {} : { startTimes: startTimes.slice(0, count) }),
  };
}

/** One entry per label set, sorted by labels, as each of the lists is. */
export function mergeSeries(lists: readonly (readonly SeriesColumns[])[]): readonly SeriesColumns[] {
  const filled = lists.filter((list) => list.length > 0);
  const [only = []] = filled;
  if (filled.length <= 1) return only;
  const byKey = new Map<string, SeriesColumns>();
  for (const list of filled) {
    for (const series of list) {
      const key = series.labels.key();
      const known = byKey.get(key);
      byKey.set(key, known === undefined ? series : mergeColumns(known, series));
    }
  }
  return [...byKey.values()].sort((a, b) => a.labels.compare(b.labels));
}
