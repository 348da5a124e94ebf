/**
 * Bringing two histograms to one layout before they are added or compared: zero buckets of different width,
 * custom bounds that differ. Widening a zero bucket swallows whole buckets only, so a threshold
 * that would cut a populated one moves out to its far end.
 */
import { bucketBound, customBucketsSchema, exponentialBound } from './bounds.ts';
import type { HistogramFields } from './fields.ts';
import { type Side, sideOf } from './spans.ts';

export interface ZeroBucketAt {
  readonly zeroCount: number;
  /** As asked, or larger. */
  readonly threshold: number;
}

/** What the zero bucket would hold if it were widened to at least `threshold`. */
export function zeroCountAt(histogram: HistogramFields, threshold: number): ZeroBucketAt {
  if (threshold === histogram.zeroThreshold) return { zeroCount: histogram.zeroCount, threshold };
  const sides = [
    sideOf(histogram.positiveSpans, histogram.positiveBuckets),
    sideOf(histogram.negativeSpans, histogram.negativeBuckets),
  ];
  // Widening for one side may reach into the other; every round moves past at least one bucket, so it ends.
  let reached = threshold;
  for (;;) {
    let zeroCount = histogram.zeroCount;
    let next = reached;
    for (const side of sides) {
      const swallowed = swallow(side, histogram.schema, next);
      zeroCount += swallowed.count;
      next = swallowed.threshold;
    }
    if (next === reached) return { zeroCount, threshold: reached };
    reached = next;
  }
}

function swallow(side: Side, schema: number, threshold: number): { count: number; threshold: number } {
  let count = 0;
  for (let i = 0; i < side.indices.length; i++) {
    const index = side.indices[i] as number;
    if (exponentialBound(index - 1, schema) >= threshold) break;
    const inside = side.counts[i] as number;
    count += inside;
    const upper = exponentialBound(index, schema);
    if (upper > threshold) return { count, threshold: inside === 0 ? threshold : upper };
  }
  return { count, threshold };
}

/** The position of the first bucket that does not begin inside the zero bucket. */
export function outsideFrom(indices: Int32Array, schema: number, threshold: number): number {
  let from = 0;
  while (from < indices.length && exponentialBound((indices[from] as number) - 1, schema) < threshold) from++;
  return from;
}

/** Without the buckets that begin inside the zero bucket. */
export function outsideThreshold(side: Side, schema: number, threshold: number): Side {
  const from = outsideFrom(side.indices, schema, threshold);
  return from === 0 ? side : { indices: side.indices.subarray(from), counts: side.counts.subarray(from) };
}

/** Where buckets under the bounds `from` go under `bounds`, which are some of them; the last one reaches to +Inf. */
export function customTargets(indices: Int32Array, from: Float64Array, bounds: Float64Array): Int32Array {
  let target = 0;
  return indices.map((index) => {
    const upper = bucketBound(index, customBucketsSchema, from);
    while (target < bounds.length && (bounds[target] as number) < upper) target++;
    return target;
  });
}

/** Counts per bucket of `bounds` (some of `from`), the last one to +Inf. */
export function mapCustomSide(side: Side, from: Float64Array, bounds: Float64Array): Float64Array {
  const counts = new Float64Array(bounds.length + 1);
  for (const [i, target] of customTargets(side.indices, from, bounds).entries()) {
    counts[target] = (counts[target] as number) + (side.counts[i] as number);
  }
  return counts;
}
