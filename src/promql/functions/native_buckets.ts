/**
 * Quantiles, fractions and spread of native histograms. Inside a bucket observations are taken to be spread evenly: on a
 * logarithmic scale in exponential buckets, on a linear one in custom buckets and in the zero bucket.
 */
import type { Bucket, FloatHistogram } from '../../model/index.ts';
import { KahanSum } from '../eval/kahan.ts';
import type { SeriesNotes } from '../eval/notes.ts';

const noBucket: Bucket = {
  lower: 0,
  upper: 0,
  lowerInclusive: false,
  upperInclusive: false,
  count: 0,
  index: 0,
};

/** The q-quantile; observations of NaN are told of. */
export function histogramQuantile(q: number, histogram: FloatHistogram, notes: SeriesNotes): number {
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  if (histogram.count === 0 || Number.isNaN(q)) return Number.NaN;
  const mayHoldNaN = Number.isNaN(histogram.sum);
  // Observations of NaN are in no bucket: counted from below, they are above everything.
  const forwards = mayHoldNaN || q < 0.5;
  const buckets = histogram.allBuckets();
  if (!forwards) buckets.reverse();
  const rank = (forwards ? q : 1 - q) * histogram.count;
  let at = 0;
  let reached = 0;
  let found = noBucket;
  while (at < buckets.length) {
    found = buckets[at++] ?? noBucket;
    reached += found.count;
    if (found.count !== 0 && reached >= rank) break;
  }
  const bucket = withNaturalEnd(found, histogram);
  if (histogram.usesCustomBuckets) {
    if (found.lower === Number.NEGATIVE_INFINITY && found.upper <= 0) return found.upper;
    if (found.lower !== Number.NEGATIVE_INFINITY && found.upper === Number.POSITIVE_INFINITY)
      return found.lower;
  }
  const count = Math.min(reached, histogram.count);
  if (count < rank) {
    if (!mayHoldNaN) return bucket.upper;
    notes.infoFor('input to histogram_quantile has NaN observations, result is NaN');
    return Number.NaN;
  }
  const inside = forwards ? rank - (count - bucket.count) : count - rank;
  if (!mayHoldNaN) return interpolate(bucket, inside / bucket.count, histogram);
  // As in Prometheus, the bucket that is read at last is the one that is interpolated in.
  let last = bucket;
  let all = count;
  for (; at < buckets.length; at++) {
    last = buckets[at] ?? noBucket;
    all += last.count;
  }
  if (all < histogram.count) {
    notes.infoFor('input to histogram_quantile has NaN observations, result is skewed higher');
  }
  return interpolate(last, inside / last.count, histogram);
}

/** A zero bucket ends at zero where there are no buckets beyond; the lowest custom bucket begins there. */
function withNaturalEnd(bucket: Bucket, histogram: FloatHistogram): Bucket {
  if (histogram.usesCustomBuckets) {
    return bucket.lower === Number.NEGATIVE_INFINITY && bucket.upper > 0 ? { ...bucket, lower: 0 } : bucket;
  }
  if (!(bucket.lower < 0 && bucket.upper > 0)) return bucket;
  return endingAtZero(bucket, histogram);
}

function endingAtZero(bucket: Bucket, { negativeBuckets, positiveBuckets }: FloatHistogram): Bucket {
  if (negativeBuckets.length === 0 && positiveBuckets.length > 0) return { ...bucket, lower: 0 };
  if (positiveBuckets.length === 0 && negativeBuckets.length > 0) return { ...bucket, upper: 0 };
  return bucket;
}

/** The value below which `fraction` of a bucket's observations are. */
function interpolate({ lower, upper }: Bucket, fraction: number, histogram: FloatHistogram): number {
  if (histogram.usesCustomBuckets || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * fraction);
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)));
}

/** The fraction of observations between two bounds; observations of NaN, which are in none, are told of. */
export function histogramFraction(
  lower: number,
  upper: number,
  histogram: FloatHistogram,
  notes: SeriesNotes,
): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const buckets = histogram.allBuckets();
  let all = histogram.count;
  if (Number.isNaN(histogram.sum)) {
    all = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    if (all < histogram.count) {
      const text = 'input to histogram_fraction has NaN observations, which are excluded from all fractions';
      notes.infoFor(text);
    }
  }
  const below = (bound: number): number => Math.min(rankOf(bound, buckets, histogram) ?? all, all);
  return (below(upper) - below(lower)) / histogram.count;
}

/** How many observations lie below `bound`; undefined when it is above all buckets. */
function rankOf(bound: number, buckets: readonly Bucket[], histogram: FloatHistogram): number | undefined {
  let rank = 0;
  for (const each of buckets) {
    const reachesZero = each.lower <= 0 && each.upper >= 0;
    const bucket = reachesZero ? endingAtZero(each, histogram) : each;
    if (bucket.lower >= bound) return rank;
    if (bucket.upper > bound) {
      const isLinear = histogram.usesCustomBuckets || reachesZero;
      if (isLinear && bucket.lower === Number.NEGATIVE_INFINITY) return bucket.count;
      return rank + bucket.count * fractionBelow(bucket, bound, isLinear);
    }
    rank += bucket.count;
  }
  return undefined;
}

/** The part of a bucket that lies below a value inside of it. */
export function fractionBelow({ lower, upper }: Bucket, value: number, isLinear: boolean): number {
  if (isLinear) return (value - lower) / (upper - lower);
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  const logValue = Math.log2(Math.abs(value));
  if (value > 0) return (logValue - logLower) / (logUpper - logLower);
  return 1 - (logValue - logUpper) / (logLower - logUpper);
}

/** The variance, with all observations of a bucket in its middle. */
export function histogramVariance(histogram: FloatHistogram): number {
  const mean = histogram.sum / histogram.count;
  const squares = new KahanSum();
  for (const bucket of histogram.allBuckets()) {
    if (bucket.count === 0) continue;
    const delta = middleOf(bucket, histogram.usesCustomBuckets) - mean;
    squares.add(bucket.count * delta * delta);
  }
  return squares.total / histogram.count;
}

function middleOf({ lower, upper }: Bucket, isCustom: boolean): number {
  if (isCustom) return (lower + upper) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  const middle = Math.sqrt(upper * lower);
  return upper < 0 ? -middle : middle;
}
