/** Histograms as text: as Prometheus prints a value, and as its unit test files and PromQL test scripts write one. */
import { formatFloatG } from '../numbers.ts';
import { isCustomSchema } from './bounds.ts';
import { negativeBuckets, positiveBuckets, zeroBucket } from './buckets.ts';
import { type Bucket, CounterResetHint, type HistogramFields } from './fields.ts';
import { compactSide, type Side, sideOf, spansOf } from './spans.ts';

/** `(0.5,1]:3`: brackets tell whether a bound belongs to the bucket. */
function bucketText(bucket: Bucket): string {
  const open = bucket.lowerInclusive ? '[' : '(';
  const close = bucket.upperInclusive ? ']' : ')';
  const bounds = `${formatFloatG(bucket.lower)},${formatFloatG(bucket.upper)}`;
  return `${open}${bounds}${close}:${formatFloatG(bucket.count)}`;
}

/** `{count:5, sum:18.4, [-0.001,0.001]:2, (0.5,1]:3}`: populated buckets in ascending order. */
export function histogramText(histogram: HistogramFields): string {
  const shown: Bucket[] = negativeBuckets(histogram).reverse();
  if (histogram.zeroCount !== 0) shown.push(zeroBucket(histogram));
  shown.push(...positiveBuckets(histogram));
  const populated = shown.filter((bucket) => bucket.count !== 0).map((bucket) => `, ${bucketText(bucket)}`);
  return `{count:${formatFloatG(histogram.count)}, sum:${formatFloatG(histogram.sum)}${populated.join('')}}`;
}

const hintNames = {
  [CounterResetHint.Unknown]: undefined,
  [CounterResetHint.Reset]: 'reset',
  [CounterResetHint.NotReset]: 'not_reset',
  [CounterResetHint.Gauge]: 'gauge',
} as const;

function sideText(side: Side, bucketsKey: string, offsetKey: string): string[] {
  const [first] = spansOf(side.indices);
  if (first === undefined) return [];
  const counts = Array.from(side.counts, formatFloatG).join(' ');
  return [...(first.offset === 0 ? [] : [`${offsetKey}:${first.offset}`]), `${bucketsKey}:[${counts}]`];
}

/** `{{schema:1 count:4 sum:3 buckets:[1 0 3]}}`: the notation of promtool's unit tests. Gaps are written as zeros. */
export function histogramNotation(histogram: HistogramFields): string {
  const parts: string[] = [];
  const number = (key: string, value: number): void => {
    if (value !== 0) parts.push(`${key}:${formatFloatG(value)}`);
  };
  number('schema', histogram.schema);
  number('count', histogram.count);
  number('sum', histogram.sum);
  number('z_bucket', histogram.zeroCount);
  number('z_bucket_w', histogram.zeroThreshold);
  if (isCustomSchema(histogram.schema)) {
    parts.push(`custom_values:[${Array.from(histogram.customValues, formatFloatG).join(' ')}]`);
  }
  const hint = hintNames[histogram.counterResetHint];
  if (hint !== undefined) parts.push(`counter_reset_hint:${hint}`);
  const filled = (side: Side): Side => compactSide(side, Number.POSITIVE_INFINITY);
  const positive = filled(sideOf(histogram.positiveSpans, histogram.positiveBuckets));
  const negative = filled(sideOf(histogram.negativeSpans, histogram.negativeBuckets));
  parts.push(...sideText(positive, 'buckets', 'offset'), ...sideText(negative, 'n_buckets', 'n_offset'));
  return `{{${parts.join(' ')}}}`;
}
