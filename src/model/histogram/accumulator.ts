/**
 * The sum of many histograms with compensated addition, in place: what sum() and avg() over histograms use.
 * Compensation makes the order in which they come, and so the node that adds them, matter in the last digit at most.
 */
import { alignSide, assertSameKind, commonZero, mergeHints } from './arithmetic.ts';
import { intersectBounds, isCustomSchema, sameBounds, targetIndex } from './bounds.ts';
import type { CounterResetHint, HistogramFields } from './fields.ts';
import { FloatHistogram } from './float_histogram.ts';
import { addCompensated, addSide, type CompensatedSide, emptySide, regroup } from './kahan.ts';
import { customTargets, mapCustomSide, outsideFrom } from './reconcile.ts';
import { populatedOf, sideOf, spansOf } from './spans.ts';

export interface AdditionRemarks {
  /** One side says that the counter was reset, the other that it was not: worth a warning to the user. */
  readonly counterResetCollision: boolean;
  /** The custom bounds differed, so that only those in common are left: worth an info. */
  readonly boundsReconciled: boolean;
}

/** Places in the column of totals. */
const countAt = 0;
const sumAt = 1;
const zeroAt = 2;

export class HistogramAccumulator {
  #schema: number;
  #zeroThreshold: number;
  #customValues: Float64Array;
  #hint: CounterResetHint;
  readonly #totals = new Float64Array(3);
  readonly #lost = new Float64Array(3);
  #positive: CompensatedSide = emptySide;
  #negative: CompensatedSide = emptySide;

  constructor(first: FloatHistogram) {
    this.#schema = first.schema;
    this.#zeroThreshold = first.zeroThreshold;
    this.#customValues = first.customValues;
    this.#hint = first.counterResetHint;
    this.#totals.set([first.count, first.sum, first.zeroCount]);
    this.#positive = addSide(emptySide, sideOf(first.positiveSpans, first.positiveBuckets));
    this.#negative = addSide(emptySide, sideOf(first.negativeSpans, first.negativeBuckets));
  }

  /** Throws HistogramError, and stays as it was, when exponential meets custom buckets. */
  add(histogram: FloatHistogram): AdditionRemarks {
    assertSameKind({ schema: this.#schema }, histogram);
    const { hint, collision } = mergeHints(this.#hint, histogram.counterResetHint);
    this.#hint = hint;
    this.#addTotal(countAt, histogram.count);
    this.#addTotal(sumAt, histogram.sum);
    if (isCustomSchema(this.#schema)) {
      return { counterResetCollision: collision, boundsReconciled: this.#addCustom(histogram) };
    }
    this.#addExponential(histogram);
    return { counterResetCollision: collision, boundsReconciled: false };
  }

  /** What has been added so far; the accumulator may go on. */
  result(): FloatHistogram {
    return new FloatHistogram(this.#fields());
  }

  #addTotal(at: number, value: number): void {
    addCompensated(this.#totals, this.#lost, at, value);
  }

  #addExponential(histogram: FloatHistogram): void {
    if (histogram.zeroThreshold === this.#zeroThreshold) this.#addTotal(zeroAt, histogram.zeroCount);
    else {
      const zero = commonZero(this.#fields(), histogram);
      this.#widenZero(zero.threshold);
      this.#addTotal(zeroAt, zero.zeroCountB);
    }
    const schema = Math.min(this.#schema, histogram.schema);
    this.#reduce(schema);
    const threshold = this.#zeroThreshold;
    const positive = sideOf(histogram.positiveSpans, histogram.positiveBuckets);
    const negative = sideOf(histogram.negativeSpans, histogram.negativeBuckets);
    this.#positive = addSide(this.#positive, alignSide(positive, histogram, threshold, schema));
    this.#negative = addSide(this.#negative, alignSide(negative, histogram, threshold, schema));
  }

  #widenZero(threshold: number): void {
    // A bucket that reduced resolution made to overlap the zero bucket stays, unless the zero bucket grows.
    if (threshold === this.#zeroThreshold) return;
    this.#zeroThreshold = threshold;
    this.#positive = this.#swallow(this.#positive, threshold);
    this.#negative = this.#swallow(this.#negative, threshold);
  }

  /** Moves the buckets inside the threshold to the zero bucket. */
  #swallow(side: CompensatedSide, threshold: number): CompensatedSide {
    const from = outsideFrom(side.indices, this.#schema, threshold);
    for (let i = 0; i < from; i++) {
      this.#addTotal(zeroAt, side.counts[i] as number);
      this.#addTotal(zeroAt, side.lost[i] as number);
    }
    if (from === 0) return side;
    return {
      indices: side.indices.slice(from),
      counts: side.counts.slice(from),
      lost: side.lost.slice(from),
    };
  }

  #reduce(schema: number): void {
    if (schema === this.#schema) return;
    const from = this.#schema;
    const regrouped = (side: CompensatedSide): CompensatedSide =>
      regroup(
        side,
        side.indices.map((index) => targetIndex(index, from, schema)),
      );
    this.#positive = regrouped(this.#positive);
    this.#negative = regrouped(this.#negative);
    this.#schema = schema;
  }

  /** Returns whether the bounds differed. */
  #addCustom(histogram: FloatHistogram): boolean {
    const side = sideOf(histogram.positiveSpans, histogram.positiveBuckets);
    const bounds = this.#customValues;
    if (sameBounds(bounds, histogram.customValues)) {
      this.#positive = addSide(this.#positive, side);
      return false;
    }
    const common = intersectBounds(bounds, histogram.customValues);
    const own = regroup(this.#positive, customTargets(this.#positive.indices, bounds, common));
    this.#positive = addSide(own, populatedOf(mapCustomSide(side, histogram.customValues, common)));
    this.#customValues = common;
    return true;
  }

  #fields(): HistogramFields {
    const total = (at: number): number => (this.#totals[at] as number) + (this.#lost[at] as number);
    const counts = (side: CompensatedSide): Float64Array =>
      side.counts.map((count, i) => count + (side.lost[i] as number));
    return {
      schema: this.#schema,
      zeroThreshold: this.#zeroThreshold,
      zeroCount: total(zeroAt),
      count: total(countAt),
      sum: total(sumAt),
      positiveSpans: spansOf(this.#positive.indices),
      positiveBuckets: counts(this.#positive),
      negativeSpans: spansOf(this.#negative.indices),
      negativeBuckets: counts(this.#negative),
      customValues: this.#customValues,
      counterResetHint: this.#hint,
      isInteger: false,
      isStale: false,
    };
  }
}
