/**
 * For tests: what a storage may leave out of a selection that looks at some instants only. Test storages leave it out, so
 * that tests notice whoever reads more than was asked for.
 */
import type { Lookups, SeriesColumns } from '../../model/index.ts';

/** The series without the samples that are the newest at none of the instants; series with histograms stay whole. */
export function thinned(series: SeriesColumns, newestAt: Lookups | undefined): SeriesColumns {
  if (newestAt === undefined || series.histograms !== undefined) return series;
  const { timestamps } = series;
  const kept = new Set<number>();
  for (let step = 0; step < newestAt.steps; step++) {
    const atMs = newestAt.firstMs + step * newestAt.stepMs;
    kept.add(timestamps.findLastIndex((time) => time <= atMs));
  }
  kept.delete(-1);
  const places = [...kept].sort((a, b) => a - b);
  const pick = (column: Float64Array): Float64Array => {
    const picked = new Float64Array(places.length);
    // Moves the bits of a staleness marker.
    for (const [at, from] of places.entries()) picked.set(column.subarray(from, from + 1), at);
    return picked;
  };
  return {
    labels: series.labels,
    timestamps: pick(timestamps),
    values: pick(series.values),
    ...(series.startTimes === undefined ? {} : { startTimes: pick(series.startTimes) }),
  };
}
