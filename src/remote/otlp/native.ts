/**
 * OTLP histograms as native ones. Exponential buckets are counted from (1, base] there and from (1/base, 1] here, so
 * indices move by one; a finer scale than there is a schema for is merged. Explicit buckets become custom bounds.
 */
import {
  CounterResetHint,
  customBucketsSchema,
  FloatHistogram,
  HistogramError,
  type Span,
} from '../../model/index.ts';
import type { Buckets, ExponentialPoint, HistogramPoint } from './model.ts';

const schemaMin = -4;
const schemaMax = 8;
/** OTLP's zero bucket has no width of its own in what is read here. */
const zeroThreshold = 1e-128;
/** A gap up to here is bridged by empty buckets, which cost less than a span. */
const gapMax = 2;
const indexMax = 2 ** 31 - 1;

interface Side {
  readonly spans: readonly Span[];
  readonly counts: Float64Array;
}

const hintOf = (isDelta: boolean): CounterResetHint =>
  isDelta ? CounterResetHint.Gauge : CounterResetHint.Unknown;

/** Throws HistogramError for a scale or for counts that make no histogram. */
export function fromExponential(point: ExponentialPoint, isDelta: boolean): FloatHistogram {
  if (point.scale < schemaMin) {
    throw new HistogramError(
      'histogram_schema',
      `cannot convert exponential to native histogram. Scale must be >= -4, was ${point.scale}`,
    );
  }
  if (point.isStale) return FloatHistogram.stale;
  const scaleDown = Math.max(0, point.scale - schemaMax);
  const positive = sideOf(point.positive, scaleDown, 1);
  const negative = sideOf(point.negative, scaleDown, 1);
  return checked({
    schema: Math.min(point.scale, schemaMax),
    zeroThreshold,
    zeroCount: point.zeroCount,
    count: point.count,
    sum: point.sum ?? 0,
    positiveSpans: positive.spans,
    positiveBuckets: positive.counts,
    negativeSpans: negative.spans,
    negativeBuckets: negative.counts,
    counterResetHint: hintOf(isDelta),
  });
}

/** Throws HistogramError. */
export function fromExplicit(point: HistogramPoint, isDelta: boolean): FloatHistogram {
  if (point.isStale) return FloatHistogram.stale;
  const first = point.bucketCounts.findIndex((count) => count !== 0);
  const offset = first < 0 ? point.bucketCounts.length : first;
  const { spans, counts } = sideOf({ offset, counts: point.bucketCounts.slice(offset) }, 0, 0);
  return checked({
    schema: customBucketsSchema,
    count: point.count,
    sum: point.sum ?? 0,
    positiveSpans: spans,
    positiveBuckets: counts,
    customValues: Float64Array.from(point.explicitBounds),
    counterResetHint: hintOf(isDelta),
  });
}

function checked(fields: ConstructorParameters<typeof FloatHistogram>[0]): FloatHistogram {
  const histogram = new FloatHistogram({ ...fields, isInteger: true });
  histogram.validate();
  return histogram;
}

/** Dense counts from `offset` on as spans of those that matter; 2^scaleDown buckets become one. */
function sideOf({ offset, counts }: Buckets, scaleDown: number, shift: number): Side {
  if (Math.abs(offset) + counts.length > indexMax) {
    throw new HistogramError('histogram_span', `bucket index ${offset} is out of bounds`);
  }
  const merged: { index: number; count: number }[] = [];
  for (const [i, count] of counts.entries()) {
    const index = Math.floor((offset + i) / 2 ** scaleDown) + shift;
    const last = merged.at(-1);
    if (last?.index === index) last.count += count;
    else if (count !== 0) merged.push({ index, count });
  }
  return spansOf(merged);
}

function spansOf(buckets: readonly { readonly index: number; readonly count: number }[]): Side {
  const spans: { offset: number; length: number }[] = [];
  const counts: number[] = [];
  let next = 0;
  for (const { index, count } of buckets) {
    const gap = index - next;
    const span = spans.at(-1);
    if (span === undefined || gap > gapMax) spans.push({ offset: gap, length: 1 });
    else {
      for (let i = 0; i < gap; i++) counts.push(0);
      span.length += gap + 1;
    }
    counts.push(count);
    next = index + 1;
  }
  return { spans, counts: Float64Array.from(counts) };
}
