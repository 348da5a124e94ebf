/**
 * Which counter reset hints histograms have when they come back from Prometheus' storage, which its scripts rely on: a chunk
 * holds counters without a reset in between, so all but its first say "no reset", and the first says nothing; gauges
 * have chunks of their own. What starts a chunk is told by tsdb/chunkenc of Prometheus.
 */
import { CounterResetHint, type FloatHistogram } from '../../src/model/index.ts';
import type { Point } from './series_line.ts';

const chunkRangeMs = 86_400_000;

/** The histograms of a series as they are read, null for other points. Points are ascending in time. */
export function storedHistograms(points: readonly (readonly [number, Point])[]): (FloatHistogram | null)[] {
  let previous: FloatHistogram | undefined;
  let previousRange = 0;
  return points.map(([at, point]) => {
    if (point.kind !== 'histogram') {
      previous = undefined;
      return null;
    }
    const range = Math.floor(at / chunkRangeMs);
    const isContinued =
      previous !== undefined && range === previousRange && continues(previous, point.histogram);
    previous = point.histogram;
    previousRange = range;
    if (point.histogram.counterResetHint === CounterResetHint.Gauge) return point.histogram;
    return point.histogram.withHint(isContinued ? CounterResetHint.NotReset : CounterResetHint.Unknown);
  });
}

/** Whether a counter goes on in the chunk of the one before it. */
function continues(previous: FloatHistogram, next: FloatHistogram): boolean {
  const { Gauge, Reset, Unknown } = CounterResetHint;
  if (previous.counterResetHint === Gauge || next.counterResetHint === Gauge) return false;
  if (next.counterResetHint === Reset || next.isStale || previous.isStale) return false;
  if (next.schema !== previous.schema || next.zeroThreshold !== previous.zeroThreshold) return false;
  if (next.customValues.join() !== previous.customValues.join()) return false;
  return !next.withHint(Unknown).detectReset(previous);
}
