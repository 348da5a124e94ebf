/**
 * Adding and subtracting histograms. Two exponential ones meet at the lower of their resolutions and a zero bucket
 * that both can have; two with custom bounds at the bounds that both have. The two kinds do not mix.
 */
import { HistogramError } from '../errors.ts';
import {
  customBucketsSchema,
  exponentialBound,
  intersectBounds,
  isCustomSchema,
  sameBounds,
} from './bounds.ts';
import { CounterResetHint, type HistogramFields } from './fields.ts';
import { mapCustomSide, outsideThreshold, zeroCountAt } from './reconcile.ts';
import {
  filterSide,
  mergeSides,
  populatedOf,
  reduceSide,
  type Side,
  type SpannedBuckets,
  sameLayout,
  sideOf,
  spanned,
} from './spans.ts';

export interface SumOfFields {
  readonly fields: HistogramFields;
  /** One operand says that the counter was reset, the other that it was not: worth a warning to the user. */
  readonly counterResetCollision: boolean;
  /** The custom bounds differed, so that the result has only those in common: worth an info. */
  readonly boundsReconciled: boolean;
}

/** Throws HistogramError when one has exponential and the other custom buckets. */
export function assertSameKind(a: Pick<HistogramFields, 'schema'>, b: Pick<HistogramFields, 'schema'>): void {
  if (isCustomSchema(a.schema) === isCustomSchema(b.schema)) return;
  const mix = 'a mix of exponential and custom bucket schemas';
  throw new HistogramError(
    'histogram_incompatible_schema',
    `cannot apply this operation on histograms with ${mix}`,
  );
}

export interface MergedHint {
  readonly hint: CounterResetHint;
  readonly collision: boolean;
}

/** A gauge makes the result a gauge, otherwise what both agree on, otherwise unknown. */
export function mergeHints(a: CounterResetHint, b: CounterResetHint): MergedHint {
  const { Unknown, Gauge } = CounterResetHint;
  if (a === b) return { hint: a, collision: false };
  if (a === Gauge || b === Gauge) return { hint: Gauge, collision: false };
  return { hint: Unknown, collision: a !== Unknown && b !== Unknown };
}

export interface CommonZero {
  readonly threshold: number;
  readonly zeroCountA: number;
  readonly zeroCountB: number;
}

/** The narrowest zero bucket that cuts no populated bucket of either, and what each has in it. */
export function commonZero(a: HistogramFields, b: HistogramFields): CommonZero {
  let left = { zeroCount: a.zeroCount, threshold: a.zeroThreshold };
  let right = { zeroCount: b.zeroCount, threshold: b.zeroThreshold };
  // Each round moves one threshold past a populated bucket, so this ends. A NaN threshold, which validation refuses,
  // would compare false both ways and leaves at once.
  for (;;) {
    if (left.threshold > right.threshold) right = zeroCountAt(b, left.threshold);
    else if (right.threshold > left.threshold) left = zeroCountAt(a, right.threshold);
    else return { threshold: left.threshold, zeroCountA: left.zeroCount, zeroCountB: right.zeroCount };
  }
}

/** A side of `from` as it is added to others once the zero bucket reaches to `threshold`, at `schema`. */
export function alignSide(side: Side, from: HistogramFields, threshold: number, schema: number): Side {
  const outside = threshold > from.zeroThreshold ? outsideThreshold(side, from.schema, threshold) : side;
  const reduced = reduceSide(outside, from.schema, schema);
  if (threshold === 0) return reduced;
  // A bucket that lies wholly inside the zero bucket of its own histogram holds nothing that a reader would see.
  return filterSide(reduced, (i) => exponentialBound(reduced.indices[i] as number, schema) > threshold);
}

/** a + sign × b. */
export function addFields(a: HistogramFields, b: HistogramFields, sign: 1 | -1): SumOfFields {
  assertSameKind(a, b);
  const { hint, collision } = mergeHints(a.counterResetHint, b.counterResetHint);
  const common = {
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    counterResetHint: hint,
    isInteger: false,
    isStale: false,
  };
  if (isCustomSchema(a.schema)) {
    const boundsReconciled = !sameBounds(a.customValues, b.customValues);
    const merged = boundsReconciled ? addReconciled(a, b, sign) : addSameBounds(a, b, sign);
    return { fields: { ...a, ...common, ...merged }, counterResetCollision: collision, boundsReconciled };
  }
  const { threshold, zeroCountA, zeroCountB } = commonZero(a, b);
  const schema = Math.min(a.schema, b.schema);
  const positive = addSide(positiveOf, a, b, sign, threshold, schema);
  const negative = addSide(negativeOf, a, b, sign, threshold, schema);
  const fields: HistogramFields = {
    ...a,
    ...common,
    schema,
    zeroThreshold: threshold,
    zeroCount: zeroCountA + sign * zeroCountB,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
  };
  return { fields, counterResetCollision: collision, boundsReconciled: false };
}

type SideOf = (fields: HistogramFields) => SpannedBuckets;
const positiveOf: SideOf = (fields) => ({ spans: fields.positiveSpans, buckets: fields.positiveBuckets });
const negativeOf: SideOf = (fields) => ({ spans: fields.negativeSpans, buckets: fields.negativeBuckets });

function addSide(
  of: SideOf,
  a: HistogramFields,
  b: HistogramFields,
  sign: 1 | -1,
  threshold: number,
  schema: number,
): SpannedBuckets {
  const left = of(a);
  const right = of(b);
  if (right.buckets.length === 0 && threshold === a.zeroThreshold && schema === a.schema) return left;
  const aligned = a.schema === b.schema && threshold === 0;
  if (aligned && hasSameLayout(left, right))
    return { spans: left.spans, buckets: addCounts(left, right, sign) };
  const sideA = alignSide(sideOf(left.spans, left.buckets), a, threshold, schema);
  const sideB = alignSide(sideOf(right.spans, right.buckets), b, threshold, schema);
  return spanned(mergeSides(sideA, sideB, sign));
}

function hasSameLayout(a: SpannedBuckets, b: SpannedBuckets): boolean {
  return a.buckets.length === b.buckets.length && sameLayout(a.spans, b.spans, a.buckets.length);
}

function addCounts(a: SpannedBuckets, b: SpannedBuckets, sign: 1 | -1): Float64Array {
  const sum = new Float64Array(a.buckets.length);
  for (let i = 0; i < sum.length; i++) sum[i] = (a.buckets[i] as number) + sign * (b.buckets[i] as number);
  return sum;
}

type CustomSide = Pick<HistogramFields, 'positiveSpans' | 'positiveBuckets' | 'customValues'>;

function addSameBounds(a: HistogramFields, b: HistogramFields, sign: 1 | -1): CustomSide {
  const left = positiveOf(a);
  const right = positiveOf(b);
  if (hasSameLayout(left, right)) {
    const buckets = addCounts(left, right, sign);
    return { positiveSpans: left.spans, positiveBuckets: buckets, customValues: a.customValues };
  }
  const sideA = sideOf(left.spans, left.buckets);
  const merged = spanned(mergeSides(sideA, sideOf(right.spans, right.buckets), sign));
  return { positiveSpans: merged.spans, positiveBuckets: merged.buckets, customValues: a.customValues };
}

function addReconciled(a: HistogramFields, b: HistogramFields, sign: 1 | -1): CustomSide {
  const bounds = intersectBounds(a.customValues, b.customValues);
  const left = mapCustomSide(sideOf(a.positiveSpans, a.positiveBuckets), a.customValues, bounds);
  const right = mapCustomSide(sideOf(b.positiveSpans, b.positiveBuckets), b.customValues, bounds);
  const sum = left.map((count, i) => count + sign * (right[i] as number));
  const merged = spanned(populatedOf(sum));
  return { positiveSpans: merged.spans, positiveBuckets: merged.buckets, customValues: bounds };
}

/** All counts and the sum times a factor. A negative one makes a gauge of it: counters do not go down. */
export function scaleFields(
  fields: HistogramFields,
  by: (value: number) => number,
  negative: boolean,
): HistogramFields {
  return {
    ...fields,
    zeroCount: by(fields.zeroCount),
    count: by(fields.count),
    sum: by(fields.sum),
    positiveBuckets: fields.positiveBuckets.map(by),
    negativeBuckets: fields.negativeBuckets.map(by),
    counterResetHint: negative ? CounterResetHint.Gauge : fields.counterResetHint,
    isInteger: false,
    isStale: false,
  };
}

/** At a lower exponential schema. Throws HistogramError for custom buckets or a schema that is not lower. */
export function reduceFields(fields: HistogramFields, schema: number): HistogramFields {
  if (isCustomSchema(fields.schema) || schema === customBucketsSchema) {
    throw new HistogramError(
      'histogram_resolution',
      'cannot reduce resolution when there are custom buckets',
    );
  }
  if (!(schema < fields.schema)) {
    const message = `cannot reduce resolution from schema ${fields.schema} to ${schema}`;
    throw new HistogramError('histogram_resolution', message);
  }
  const reduce = (of: SpannedBuckets): SpannedBuckets =>
    spanned(reduceSide(sideOf(of.spans, of.buckets), fields.schema, schema));
  const positive = reduce(positiveOf(fields));
  const negative = reduce(negativeOf(fields));
  return {
    ...fields,
    schema,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
  };
}
