/**
 * Classic histograms: cumulative bucket counters told apart by the label `le`. Buckets are collected per label
 * set once; each step then sees the counts that are present.
 */
import { type Labels, parseFloatText } from '../../model/index.ts';
import type { Annotations } from '../eval/annotations.ts';
import { RepairDetail } from '../eval/repair_detail.ts';
import type { Span } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';

const bucketLabel = 'le';
const bucketNames: ReadonlySet<string> = new Set([bucketLabel]);

/** Relative differences of neighbouring counts up to this are rounding noise. */
const smallDelta = 1e-12;

export interface BucketFamily {
  readonly labels: Labels;
  readonly dropName: boolean;
  /** Ascending. */
  readonly bounds: readonly number[];
  /** The counts of the bound at the same index. */
  readonly series: readonly StepSeries[];
}

/** Groups bucket series; a series whose `le` is no number is warned about and left out. */
export function collectFamilies(
  series: readonly StepSeries[],
  annotations: Annotations,
  span: Span,
  namesKnown: boolean,
): BucketFamily[] {
  const families = new Map<string, { labels: Labels; entries: { bound: number; series: StepSeries }[] }>();
  for (const one of series) {
    const text = one.labels.get(bucketLabel);
    const bound = parseFloatText(text);
    if (bound === undefined) {
      const name = namesKnown ? forMetric(one.labels.metricName) : '';
      const reason = 'is missing or has a malformed value of';
      annotations.warn(`bucket label "le" ${reason} ${JSON.stringify(text)}${name}`, span);
      continue;
    }
    const labels = one.labels.without(bucketNames);
    const family = families.get(labels.key());
    if (family === undefined) families.set(labels.key(), { labels, entries: [{ bound, series: one }] });
    else family.entries.push({ bound, series: one });
  }
  return [...families.values()].map(({ labels, entries }) => {
    entries.sort((a, b) => (a.bound === b.bound ? 0 : a.bound < b.bound ? -1 : 1));
    return {
      labels,
      dropName: entries.some((entry) => entry.series.dropName === true),
      bounds: entries.map((entry) => entry.bound),
      series: entries.map((entry) => entry.series),
    };
  });
}

function forMetric(name: string): string {
  return name === '' ? '' : ` for metric name ${JSON.stringify(name)}`;
}

/** The buckets of one step, reused between steps: `count` pairs of bound and cumulative count. */
export class StepBuckets {
  readonly bounds: Float64Array;
  readonly counts: Float64Array;
  length = 0;

  constructor(capacity: number) {
    this.bounds = new Float64Array(capacity);
    this.counts = new Float64Array(capacity);
  }

  /** Takes the counts present at a step; equal bounds add up. */
  load(family: BucketFamily, step: number): void {
    this.length = 0;
    for (let i = 0; i < family.bounds.length; i++) {
      const series = family.series[i] as StepSeries;
      if (series.present[step] !== 1) continue;
      const bound = family.bounds[i] as number;
      const value = series.values[step] as number;
      const last = this.length - 1;
      if (last >= 0 && this.bounds[last] === bound) {
        this.counts[last] = (this.counts[last] as number) + value;
        continue;
      }
      this.bounds[this.length] = bound;
      this.counts[this.length++] = value;
    }
  }

  get hasInfinity(): boolean {
    return this.length > 0 && this.bounds[this.length - 1] === Number.POSITIVE_INFINITY;
  }
}

/** What was raised to make counts monotonic, over all steps of a call. */
export class MonotonicityReport {
  #samples = 0;
  #minBound = Number.POSITIVE_INFINITY;
  #maxBound = Number.NEGATIVE_INFINITY;
  #maxDifference = 0;
  #firstMs = 0;
  #lastMs = 0;

  /** Makes the counts of one step monotonic; differences that are no noise are reported. */
  repair(buckets: StepBuckets, atMs: number): void {
    const { bounds, counts } = buckets;
    let previous = counts[0] as number;
    let repaired = false;
    for (let i = 1; i < buckets.length; i++) {
      const current = counts[i] as number;
      if (current === previous) continue;
      if (almostEqual(previous, current)) {
        counts[i] = previous;
      } else if (current < previous) {
        counts[i] = previous;
        repaired = true;
        this.#minBound = Math.min(this.#minBound, bounds[i] as number);
        this.#maxBound = Math.max(this.#maxBound, bounds[i] as number);
        this.#maxDifference = Math.max(this.#maxDifference, previous - current);
      } else previous = current;
    }
    if (!repaired) return;
    this.#firstMs = this.#samples === 0 ? atMs : Math.min(this.#firstMs, atMs);
    this.#lastMs = this.#samples === 0 ? atMs : Math.max(this.#lastMs, atMs);
    this.#samples++;
  }

  annotate(name: string, annotations: Annotations, span: Span): void {
    if (this.#samples === 0) return;
    const see = 'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';
    const detail = new RepairDetail({
      minBound: this.#minBound,
      maxBound: this.#maxBound,
      maxDifference: this.#maxDifference,
      samples: this.#samples,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
    });
    annotations.infoWithDetail(
      `input to histogram_quantile needed to be fixed for monotonicity (see ${see})${forMetric(name)}`,
      detail,
      span,
    );
  }
}

function almostEqual(a: number, b: number): boolean {
  if (a === b) return true;
  const total = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  const smallest = 2.2250738585072014e-308;
  if (a === 0 || b === 0 || total < smallest) return difference < smallDelta * smallest;
  return difference / Math.min(total, Number.MAX_VALUE) < smallDelta;
}

/** The q-quantile, linear inside a bucket. The counts must be monotonic. */
export function bucketQuantile(q: number, buckets: StepBuckets): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const { bounds, counts, length } = buckets;
  if (!buckets.hasInfinity || length < 2) return Number.NaN;
  const observations = counts[length - 1] as number;
  if (observations === 0) return Number.NaN;
  let rank = q * observations;
  let at = 0;
  while (at < length - 1 && !((counts[at] as number) >= rank)) at++;
  if (at === length - 1) return bounds[length - 2] as number;
  const end = bounds[at] as number;
  if (at === 0 && end <= 0) return end;
  let start = 0;
  let count = counts[at] as number;
  if (at > 0) {
    start = bounds[at - 1] as number;
    count -= counts[at - 1] as number;
    rank -= counts[at - 1] as number;
  }
  return start + (end - start) * (rank / count);
}

/** The fraction of observations between two bounds, linear inside a bucket. */
export function bucketFraction(lower: number, upper: number, buckets: StepBuckets): number {
  const { counts, length } = buckets;
  if (!buckets.hasInfinity) return Number.NaN;
  const observations = counts[length - 1] as number;
  if (observations === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const below = Math.min(rankOf(lower, buckets), observations);
  const above = Math.min(rankOf(upper, buckets), observations);
  return (above - below) / observations;
}

/** How many observations lie below `value`. */
function rankOf(value: number, buckets: StepBuckets): number {
  const { bounds, counts, length } = buckets;
  let rank = 0;
  let start = (bounds[0] as number) <= 0 ? Number.NEGATIVE_INFINITY : 0;
  for (let i = 0; i < length; i++) {
    if (i > 0) start = bounds[i - 1] as number;
    if (start >= value) return rank;
    const end = bounds[i] as number;
    const count = counts[i] as number;
    if (end > value) {
      if (start === Number.NEGATIVE_INFINITY) return count;
      return rank + ((count - rank) * (value - start)) / (end - start);
    }
    rank = count;
  }
  return counts[length - 1] as number;
}
