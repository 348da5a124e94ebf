/**
 * The operators `</` and `>/`: a histogram without the observations above or below a value. Buckets that lie on both sides
 * are divided as quantiles would read them; the sum is estimated from the middles of what is left.
 */
import { type Bucket, FloatHistogram } from '../../../model/index.ts';
import { fractionBelow } from '../../functions/native_buckets.ts';

interface Part {
  readonly count: number;
  /** Where the observations of this part are taken to be. */
  readonly middle: number;
}

const nothing: Part = { count: 0, middle: 0 };

/** `isUpper`: keeps what is below `limit`, else what is above. The same histogram when all of it stays. */
export function trimHistogram(histogram: FloatHistogram, limit: number, isUpper: boolean): FloatHistogram {
  const isCustom = histogram.usesCustomBuckets;
  const trimmer = new Trimmer(limit, isUpper, isCustom);
  const positiveBuckets = trimmer.side(histogram.positiveBucketList(), histogram.positiveBuckets, true);
  const hasPositive = trimmer.populated;
  trimmer.populated = false;
  const negativeBuckets = trimmer.side(histogram.negativeBucketList(), histogram.negativeBuckets, false);
  const hasNegative = trimmer.populated;
  let { zeroCount } = histogram;
  if (zeroCount > 0) zeroCount = trimmer.zero(histogram.zeroBucket(), hasNegative, hasPositive);
  if (!trimmer.isTrimmed) return histogram;
  return new FloatHistogram({
    ...histogram,
    count: trimmer.count,
    sum: trimmer.sum,
    zeroCount,
    positiveBuckets,
    negativeBuckets,
    isInteger: false,
  }).compact();
}

class Trimmer {
  count = 0;
  sum = 0;
  isTrimmed = false;
  /** Whether a side had any observations. */
  populated = false;
  readonly #limit: number;
  readonly #isUpper: boolean;
  readonly #isCustom: boolean;

  constructor(limit: number, isUpper: boolean, isCustom: boolean) {
    this.#limit = limit;
    this.#isUpper = isUpper;
    this.#isCustom = isCustom;
  }

  /** The counts that are left. */
  side(buckets: readonly Bucket[], counts: Float64Array, isPositive: boolean): Float64Array {
    return counts.map((before, i) => {
      const bucket = buckets[i];
      if (bucket === undefined || bucket.count === 0) return before;
      this.populated = true;
      return this.#keep(before, this.#partOf(bucket, isPositive));
    });
  }

  zero(bucket: Bucket, hasNegative: boolean, hasPositive: boolean): number {
    const lower = hasPositive && !hasNegative ? 0 : bucket.lower;
    const upper = hasNegative && !hasPositive ? 0 : bucket.upper;
    return this.#keep(bucket.count, this.#partOfZero({ ...bucket, lower, upper }));
  }

  #keep(before: number, { count, middle }: Part): number {
    if (count !== before) this.isTrimmed = true;
    this.count += count;
    this.sum += middle * count;
    return count;
  }

  #partOf(bucket: Bucket, isPositive: boolean): Part {
    const { lower, upper, count } = bucket;
    const limit = this.#limit;
    const middle = (from: number, to: number): number => middleOf(from, to, isPositive, this.#isCustom);
    const staysWhole = this.#isUpper ? upper <= limit : lower >= limit;
    if (staysWhole) return { count, middle: middle(lower, upper) };
    const staysPartly = this.#isUpper ? lower < limit : upper > limit;
    if (!staysPartly) return nothing;
    if (lower === Number.NEGATIVE_INFINITY || upper === Number.POSITIVE_INFINITY)
      return this.#partOfInfinite(bucket);
    const below = limit <= lower ? 0 : count * fractionBelow(bucket, limit, this.#isCustom);
    if (this.#isUpper) return { count: below, middle: middle(lower, limit) };
    return { count: count - below, middle: middle(limit, upper) };
  }

  /** How observations are spread in an infinite bucket is not known, but for one that ends above zero. */
  #partOfInfinite({ lower, upper, count }: Bucket): Part {
    const limit = this.#limit;
    if (lower !== Number.NEGATIVE_INFINITY) {
      return !this.#isUpper && limit >= lower ? { count, middle: limit } : nothing;
    }
    const beginsAtZero = upper > 0 && upper !== Number.POSITIVE_INFINITY;
    if (this.#isUpper) {
      if (beginsAtZero && limit > 0) return { count: (count * limit) / upper, middle: limit / 2 };
      return upper <= 0 ? { count, middle: limit } : nothing;
    }
    if (beginsAtZero && limit >= 0)
      return { count: count * (1 - limit / upper), middle: (limit + upper) / 2 };
    return nothing;
  }

  #partOfZero({ lower, upper, count }: Bucket): Part {
    const limit = this.#limit;
    const whole = { count, middle: (lower + upper) / 2 };
    if (limit <= lower) return this.#isUpper ? nothing : whole;
    if (limit >= upper) return this.#isUpper ? whole : nothing;
    if (this.#isUpper) {
      return { count: count * ((limit - lower) / (upper - lower)), middle: (lower + limit) / 2 };
    }
    return { count: count * ((upper - limit) / (upper - lower)), middle: (limit + upper) / 2 };
  }
}

function isInfinite(value: number): boolean {
  return Math.abs(value) === Number.POSITIVE_INFINITY;
}

function middleOf(lower: number, upper: number, isPositive: boolean, isCustom: boolean): number {
  if (isInfinite(lower)) {
    if (isInfinite(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (isInfinite(upper)) return lower;
  if (isCustom) return (lower + upper) / 2;
  const middle = Math.sqrt(Math.abs(lower * upper));
  return isPositive ? middle : -middle;
}
