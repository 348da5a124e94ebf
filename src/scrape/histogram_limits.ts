/** What a job's native histograms may be: native_histogram_bucket_limit and native_histogram_min_bucket_factor. */
import {
  CounterResetHint,
  exponentialSchemaMax,
  exponentialSchemaMin,
  FloatHistogram,
  isExponentialSchema,
} from '../model/index.ts';

/** The finest schema whose buckets grow by `factor` at least; a factor of 1 or less asks for nothing. */
export function schemaOfFactor(factor: number): number {
  if (!(factor > 1)) return exponentialSchemaMax;
  const schema = 0 - Math.ceil(Math.log2(Math.log2(factor)));
  return Math.max(exponentialSchemaMin, Math.min(exponentialSchemaMax, schema));
}

/**
 * The histogram at no finer a schema than `schemaMax` and with no more than `bucketsMax` buckets (0: any number), at a lower
 * resolution where need be; undefined when no resolution is low enough.
 */
export function limitedHistogram(
  histogram: FloatHistogram,
  bucketsMax: number,
  schemaMax: number,
): FloatHistogram | undefined {
  let limited = histogram;
  if (isExponentialSchema(limited.schema) && limited.schema > schemaMax) {
    limited = limited.reduceResolution(schemaMax);
  }
  if (bucketsMax === 0) return limited;
  while (limited.positiveBuckets.length + limited.negativeBuckets.length > bucketsMax) {
    if (!isExponentialSchema(limited.schema) || limited.schema <= exponentialSchemaMin) return undefined;
    limited = limited.reduceResolution(limited.schema - 1);
  }
  return limited;
}

/** What a histogram was at its start time. */
export function zeroHistogram(histogram: FloatHistogram): FloatHistogram {
  const { schema, zeroThreshold, customValues, isInteger } = histogram;
  const counterResetHint = CounterResetHint.Reset;
  return new FloatHistogram({ schema, zeroThreshold, customValues, isInteger, counterResetHint });
}
