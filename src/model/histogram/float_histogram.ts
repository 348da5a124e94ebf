/**
 * A native histogram sample (Prometheus native histogram specification): exponential or custom buckets, counts
 * held as floats whether they came as integers or not. Immutable: every operation gives a new one, parts that
 * do not change are shared. For adding up many, HistogramAccumulator works in place.
 */
import { addFields, reduceFields, scaleFields } from './arithmetic.ts';
import { exponentialSchemaMax, isCustomSchema, isExponentialSchema, sameBounds } from './bounds.ts';
import { allBuckets, negativeBuckets, positiveBuckets, zeroBucket } from './buckets.ts';
import { type Bucket, CounterResetHint, type HistogramFields, type Span } from './fields.ts';
import { histogramNotation, histogramText } from './print.ts';
import { detectReset } from './reset.ts';
import { compactSide, type SpannedBuckets, sameLayout, sideOf, spanned } from './spans.ts';
import { validateHistogram } from './validate.ts';

export interface HistogramSum {
  readonly histogram: FloatHistogram;
  /** One operand says that the counter was reset, the other that it was not: worth a warning to the user. */
  readonly counterResetCollision: boolean;
  /** The custom bounds differed, so that the result has only those in common: worth an info. */
  readonly boundsReconciled: boolean;
}

const noSpans: readonly Span[] = [];
const noBuckets = new Float64Array(0);

export class FloatHistogram implements HistogramFields {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positiveSpans: readonly Span[];
  readonly positiveBuckets: Float64Array;
  readonly negativeSpans: readonly Span[];
  readonly negativeBuckets: Float64Array;
  readonly customValues: Float64Array;
  readonly counterResetHint: CounterResetHint;
  readonly isInteger: boolean;
  readonly isStale: boolean;

  /** Takes the fields as they are, unchecked (see validate); what is left out is zero or empty. Arrays are kept, not copied. */
  constructor(fields: Partial<HistogramFields>) {
    this.schema = fields.schema ?? 0;
    this.zeroThreshold = fields.zeroThreshold ?? 0;
    this.zeroCount = fields.zeroCount ?? 0;
    this.count = fields.count ?? 0;
    this.sum = fields.sum ?? 0;
    this.positiveSpans = fields.positiveSpans ?? noSpans;
    this.positiveBuckets = fields.positiveBuckets ?? noBuckets;
    this.negativeSpans = fields.negativeSpans ?? noSpans;
    this.negativeBuckets = fields.negativeBuckets ?? noBuckets;
    this.customValues = fields.customValues ?? noBuckets;
    this.counterResetHint = fields.counterResetHint ?? CounterResetHint.Unknown;
    this.isInteger = fields.isInteger ?? false;
    this.isStale = fields.isStale ?? false;
  }

  /** The staleness marker among histogram samples: a histogram without content whose sum is the marker NaN. */
  static readonly stale: FloatHistogram = new FloatHistogram({ sum: Number.NaN, isStale: true });

  get usesCustomBuckets(): boolean {
    return isCustomSchema(this.schema);
  }

  /** Throws HistogramError for two of different kinds (exponential, custom). */
  add(other: FloatHistogram): HistogramSum {
    const { fields, ...remarks } = addFields(this, other, 1);
    return { histogram: new FloatHistogram(fields), ...remarks };
  }

  /** As add. PromQL's minus operator also has to mark its result as a gauge. */
  sub(other: FloatHistogram): HistogramSum {
    const { fields, ...remarks } = addFields(this, other, -1);
    return { histogram: new FloatHistogram(fields), ...remarks };
  }

  scale(factor: number): FloatHistogram {
    return new FloatHistogram(scaleFields(this, (value) => value * factor, factor < 0));
  }

  /** Divides all counts and the sum. Division by zero leaves no buckets, and infinite or NaN totals. */
  divide(divisor: number): FloatHistogram {
    const scaled = scaleFields(this, (value) => value / divisor, divisor < 0);
    if (divisor !== 0) return new FloatHistogram(scaled);
    const none = { positiveSpans: noSpans, negativeSpans: noSpans };
    return new FloatHistogram({ ...scaled, ...none, positiveBuckets: noBuckets, negativeBuckets: noBuckets });
  }

  /** Without empty buckets, except up to emptyMax of them in a row between two populated ones. */
  compact(emptyMax = 0): FloatHistogram {
    const positive = compactSpanned(this.positiveSpans, this.positiveBuckets, emptyMax);
    const negative = compactSpanned(this.negativeSpans, this.negativeBuckets, emptyMax);
    return new FloatHistogram({
      ...this,
      positiveSpans: positive.spans,
      positiveBuckets: positive.buckets,
      negativeSpans: negative.spans,
      negativeBuckets: negative.buckets,
    });
  }

  /** At a lower exponential schema. Throws HistogramError for custom buckets and for a schema that is not lower. */
  reduceResolution(schema: number): FloatHistogram {
    return new FloatHistogram(reduceFields(this, schema));
  }

  withHint(counterResetHint: CounterResetHint): FloatHistogram {
    return counterResetHint === this.counterResetHint
      ? this
      : new FloatHistogram({ ...this, counterResetHint });
  }

  /** Whether a counter was reset between `previous` and this. */
  detectReset(previous: FloatHistogram): boolean {
    return detectReset(this, previous);
  }

  /** Same layout and same values, -0 and 0 told apart, NaN equal to NaN; the hint does not count. */
  equals(other: FloatHistogram): boolean {
    return (
      this.schema === other.schema &&
      this.isStale === other.isStale &&
      Object.is(this.count, other.count) &&
      Object.is(this.sum, other.sum) &&
      this.zeroThreshold === other.zeroThreshold &&
      Object.is(this.zeroCount, other.zeroCount) &&
      (!this.usesCustomBuckets || sameBounds(this.customValues, other.customValues)) &&
      sameCounts(this.positiveBuckets, other.positiveBuckets) &&
      sameCounts(this.negativeBuckets, other.negativeBuckets) &&
      sameLayout(this.positiveSpans, other.positiveSpans, this.positiveBuckets.length) &&
      sameLayout(this.negativeSpans, other.negativeSpans, this.negativeBuckets.length)
    );
  }

  /** Throws HistogramError naming what contradicts what. */
  validate(): void {
    validateHistogram(this);
  }

  /** Whether adding up went beyond what a float holds. */
  get hasOverflow(): boolean {
    const infinite = (value: number): boolean => Math.abs(value) === Number.POSITIVE_INFINITY;
    return (
      [this.zeroCount, this.count, this.sum].some(infinite) ||
      this.positiveBuckets.some(infinite) ||
      this.negativeBuckets.some(infinite) ||
      this.customValues.some(infinite)
    );
  }

  /** Ascending; see buckets.ts for what happens at the zero bucket. */
  allBuckets(): Bucket[] {
    return allBuckets(this);
  }

  /** From the one next to zero upwards. */
  positiveBucketList(): Bucket[] {
    return positiveBuckets(this);
  }

  /** From the one next to zero downwards. */
  negativeBucketList(): Bucket[] {
    return negativeBuckets(this);
  }

  zeroBucket(): Bucket {
    return zeroBucket(this);
  }

  /** `{count:5, sum:18.4, [-0.001,0.001]:2, (0.5,1]:3}`. */
  toString(): string {
    return histogramText(this);
  }

  /** `{{schema:1 count:4 sum:3 buckets:[1 0 3]}}`, as in unit test files. */
  toNotation(): string {
    return histogramNotation(this);
  }
}

/**
 * What a source sent, at a resolution that is supported: one with a reserved schema, which is finer, is read at the finest
 * there is, as Prometheus does. Throws HistogramError when it contradicts itself.
 */
export function soundHistogram(fields: Partial<HistogramFields>): FloatHistogram {
  const given = new FloatHistogram(fields);
  const schema = supportedSchema(given.schema) ?? given.schema;
  const isReserved = schema !== given.schema;
  const checked = isReserved ? new FloatHistogram({ ...fields, schema }) : given;
  checked.validate();
  return isReserved ? given.reduceResolution(schema) : checked;
}

/**
 * Schemas up to 52 are reserved: a source may send one, and it is read at the finest resolution that is supported.
 * Undefined when the schema is not even reserved.
 */
export function supportedSchema(schema: number): number | undefined {
  if (isCustomSchema(schema) || isExponentialSchema(schema)) return schema;
  return Number.isInteger(schema) && schema > exponentialSchemaMax && schema <= 52
    ? exponentialSchemaMax
    : undefined;
}

function compactSpanned(spans: readonly Span[], buckets: Float64Array, emptyMax: number): SpannedBuckets {
  return buckets.length === 0
    ? { spans: noSpans, buckets }
    : spanned(compactSide(sideOf(spans, buckets), emptyMax));
}

function sameCounts(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((count, i) => Object.is(count, b[i]));
}
