/**
 * What a histogram from outside must satisfy before it is stored: spans that describe exactly the buckets that are there,
 * counts that are not negative, bounds in order, and only the fields that its schema uses.
 */
import { HistogramError } from '../errors.ts';
import { formatFloatG } from '../numbers.ts';
import {
  customBucketsSchema,
  exponentialSchemaMax,
  exponentialSchemaMin,
  isCustomSchema,
  isExponentialSchema,
} from './bounds.ts';
import type { HistogramFields, Span } from './fields.ts';

const indexMax = 2 ** 31 - 1;

function fail(reason: string, message: string): never {
  throw new HistogramError(`histogram_${reason}`, message);
}

/** Throws HistogramError naming what is wrong. */
export function validateHistogram(histogram: HistogramFields): void {
  if (isCustomSchema(histogram.schema)) validateCustom(histogram);
  else if (isExponentialSchema(histogram.schema)) validateExponential(histogram);
  else {
    const range = `between ${exponentialSchemaMin} and ${exponentialSchemaMax} for exponential buckets`;
    const rule = `histogram has an invalid schema, which must be ${range}, or ${customBucketsSchema} for custom buckets`;
    fail('schema', `${rule}, got schema ${histogram.schema}`);
  }
  // Prometheus accepts these; a comparison with NaN would let addition search for a common zero bucket without end.
  if (!(histogram.zeroThreshold >= 0 && histogram.zeroThreshold < Number.POSITIVE_INFINITY)) {
    fail(
      'zero_threshold',
      `zero threshold of ${formatFloatG(histogram.zeroThreshold)}: it must be finite and not negative`,
    );
  }
  if (histogram.count < 0) {
    fail(
      'count',
      `observation count is ${formatFloatG(histogram.count)}: histogram's observation count is negative`,
    );
  }
  validateCounts(histogram.positiveBuckets, 'positive');
  if (histogram.isInteger) validateTotal(histogram);
}

function validateExponential(histogram: HistogramFields): void {
  validateSpans(histogram.positiveSpans, histogram.positiveBuckets.length, 'positive side');
  validateSpans(histogram.negativeSpans, histogram.negativeBuckets.length, 'negative side');
  validateCounts(histogram.negativeBuckets, 'negative');
  if (histogram.zeroCount < 0) {
    const count = formatFloatG(histogram.zeroCount);
    fail('bucket_count', `zero bucket has observation count of ${count}: it must not be negative`);
  }
  if (histogram.customValues.length > 0) {
    fail('custom_bounds', 'histogram with exponential schema must not have custom bounds');
  }
}

function validateCustom(histogram: HistogramFields): void {
  let previous = Number.NEGATIVE_INFINITY;
  for (const [i, bound] of histogram.customValues.entries()) {
    if (Number.isNaN(bound)) fail('custom_bounds', 'custom buckets: histogram custom bounds must not be NaN');
    if (i > 0 && bound <= previous) {
      const where = `previous bound is ${formatFloatG(previous)} and current is ${formatFloatG(bound)}`;
      fail('custom_bounds', `custom buckets: ${where}: custom bounds must be in strictly increasing order`);
    }
    previous = bound;
  }
  if (previous === Number.POSITIVE_INFINITY) {
    fail(
      'custom_bounds',
      'custom buckets: the last +Inf bound must not be given: custom bounds must be finite',
    );
  }
  validateSpans(histogram.positiveSpans, histogram.positiveBuckets.length, 'custom buckets', 0);
  const covered = histogram.positiveSpans.reduce((sum, span) => sum + span.offset + span.length, 0);
  const bounds = histogram.customValues.length;
  if (covered > bounds + 1) {
    fail(
      'custom_bounds',
      `custom buckets: ${bounds} custom bounds are too few for spans of total length ${covered}`,
    );
  }
  if (histogram.zeroCount !== 0) fail('custom_fields', 'custom buckets: must have zero count of 0');
  if (histogram.zeroThreshold !== 0) fail('custom_fields', 'custom buckets: must have zero threshold of 0');
  if (histogram.negativeSpans.length > 0)
    fail('custom_fields', 'custom buckets: must not have negative spans');
  if (histogram.negativeBuckets.length > 0)
    fail('custom_fields', 'custom buckets: must not have negative buckets');
}

function validateSpans(spans: readonly Span[], bucketCount: number, where: string, checkFrom = 1): void {
  let described = 0;
  let index = 0;
  for (const [i, span] of spans.entries()) {
    if (i >= checkFrom && span.offset < 0) {
      fail('spans', `${where}: span number ${i + 1} with offset ${span.offset}: the offset is negative`);
    }
    described += span.length;
    index += span.offset + span.length;
    if (Math.abs(index) > indexMax)
      fail('spans', `${where}: span number ${i + 1} leads beyond 32-bit bucket indices`);
  }
  if (described !== bucketCount) {
    fail('spans', `${where}: spans need ${described} buckets, have ${bucketCount} buckets`);
  }
}

function validateCounts(counts: Float64Array, side: string): void {
  const at = counts.findIndex((count) => count < 0);
  if (at < 0) return;
  const count = formatFloatG(counts[at] as number);
  fail(
    'bucket_count',
    `${side} side: bucket number ${at + 1} has observation count of ${count}: it must not be negative`,
  );
}

/** Integer counts are exact, so they must add up; observations of NaN are counted but in no bucket. */
function validateTotal(histogram: HistogramFields): void {
  const { count, positiveBuckets, negativeBuckets } = histogram;
  const add = (sum: number, bucket: number): number => sum + bucket;
  const found = positiveBuckets.reduce(add, 0) + negativeBuckets.reduce(add, 0) + histogram.zeroCount;
  const fits = Number.isNaN(histogram.sum) ? found <= count : found === count;
  if (fits) return;
  fail(
    'count',
    `${formatFloatG(found)} observations found in buckets, but the count is ${formatFloatG(count)}`,
  );
}
