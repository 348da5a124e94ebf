/** A histogram's buckets with their bounds, in ascending order of value: what quantiles, the API and heat maps read. */
import { bucketBound, isCustomSchema } from './bounds.ts';
import type { Bucket, HistogramFields } from './fields.ts';
import { sideOf } from './spans.ts';

/** The bucket around zero; both its bounds belong to it. */
export function zeroBucket(histogram: HistogramFields): Bucket {
  return {
    lower: -histogram.zeroThreshold,
    upper: histogram.zeroThreshold,
    lowerInclusive: true,
    upperInclusive: true,
    count: histogram.zeroCount,
    index: 0,
  };
}

/** From the one next to zero upwards. */
export function positiveBuckets(histogram: HistogramFields): Bucket[] {
  const { schema, customValues } = histogram;
  const custom = isCustomSchema(schema);
  const { indices, counts } = sideOf(histogram.positiveSpans, histogram.positiveBuckets);
  return Array.from(indices, (index, i) => {
    const lower = bucketBound(index - 1, schema, customValues);
    const upper = bucketBound(index, schema, customValues);
    return {
      lower,
      upper,
      lowerInclusive: custom ? index === 0 : lower < 0,
      upperInclusive: custom || upper > 0,
      count: counts[i] as number,
      index,
    };
  });
}

/** From the one next to zero downwards. */
export function negativeBuckets(histogram: HistogramFields): Bucket[] {
  const { schema, customValues } = histogram;
  const { indices, counts } = sideOf(histogram.negativeSpans, histogram.negativeBuckets);
  return Array.from(indices, (index, i) => {
    const lower = -bucketBound(index, schema, customValues);
    const upper = -bucketBound(index - 1, schema, customValues);
    return {
      lower,
      upper,
      lowerInclusive: lower < 0,
      upperInclusive: upper > 0,
      count: counts[i] as number,
      index,
    };
  });
}

/**
 * Negative, zero and positive buckets, ascending. The zero bucket is left out when empty; a neighbour that
 * reaches into it is shown as ending at the zero threshold.
 */
export function allBuckets(histogram: HistogramFields): Bucket[] {
  const threshold = histogram.zeroThreshold;
  const buckets: Bucket[] = [];
  for (const bucket of negativeBuckets(histogram).reverse()) {
    const overlaps = bucket.upper < 0 && bucket.upper > -threshold;
    buckets.push(overlaps ? { ...bucket, upper: -threshold } : bucket);
  }
  if (histogram.zeroCount > 0) buckets.push(zeroBucket(histogram));
  for (const bucket of positiveBuckets(histogram)) {
    const overlaps = bucket.lower > 0 && bucket.lower < threshold;
    buckets.push(overlaps ? { ...bucket, lower: threshold } : bucket);
  }
  return buckets;
}
