/**
 * Compares histograms as Prometheus' runner does: after empty buckets are gone, counts and sums with a tolerance.
 */
import type { FloatHistogram } from '../../src/model/index.ts';

/** `same` compares two floats. The hint counts only where the script names one. */
export function sameHistogram(
  expected: FloatHistogram,
  got: FloatHistogram,
  hintNamed: boolean,
  same: (expected: number, got: number) => boolean,
): boolean {
  const a = expected.compact();
  const b = got.compact();
  const sameAll = (x: Float64Array, y: Float64Array): boolean =>
    x.length === y.length && x.every((value, i) => same(value, y[i] as number));
  return (
    a.schema === b.schema &&
    same(a.count, b.count) &&
    same(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    same(a.zeroCount, b.zeroCount) &&
    (!a.usesCustomBuckets || a.customValues.join() === b.customValues.join()) &&
    JSON.stringify(a.positiveSpans) === JSON.stringify(b.positiveSpans) &&
    JSON.stringify(a.negativeSpans) === JSON.stringify(b.negativeSpans) &&
    sameAll(a.positiveBuckets, b.positiveBuckets) &&
    sameAll(a.negativeBuckets, b.negativeBuckets) &&
    (!hintNamed || a.counterResetHint === b.counterResetHint)
  );
}
