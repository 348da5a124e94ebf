/**
 * One classic histogram while its series come in, and what it is as a native histogram with custom buckets
 * (Prometheus' convert_classic_histograms_to_nhcb).
 */
import { customBucketsSchema, FloatHistogram } from '../../model/index.ts';

/** Buckets of one histogram; far above what any client library makes. */
const bucketsMax = 10_000;
/** Empty buckets in a row that are kept as such where counts are integers. */
const emptyMaxOfIntegers = 2;

export class ClassicHistogram {
  #bounds: number[] = [];
  /** Cumulative, one per bound. */
  #counts: number[] = [];
  #count = 0;
  #hasCount = false;
  #sum = 0;
  /** Its numbers contradict each other: there is no such histogram. */
  #isBad = false;

  clear(): void {
    this.#bounds.length = 0;
    this.#counts.length = 0;
    this.#count = 0;
    this.#hasCount = false;
    this.#sum = 0;
    this.#isBad = false;
  }

  setSum(sum: number): void {
    this.#sum = sum;
  }

  setCount(count: number): void {
    if (count < 0) this.#isBad = true;
    this.#count = count;
    this.#hasCount = true;
  }

  /** Of several counts for one bound the first stands. */
  setBucket(bound: number, count: number): void {
    const bounds = this.#bounds;
    const counts = this.#counts;
    if (count < 0 || bounds.length >= bucketsMax) this.#isBad = true;
    if (this.#isBad) return;
    let at = bounds.length;
    while (at > 0 && (bounds[at - 1] as number) >= bound) at--;
    if (bounds[at] === bound) return;
    if (at > 0 && count < (counts[at - 1] as number)) this.#isBad = true;
    else if (at < counts.length && count > (counts[at] as number)) this.#isBad = true;
    else if (at === bounds.length) {
      bounds.push(bound);
      counts.push(count);
    } else {
      bounds.splice(at, 0, bound);
      counts.splice(at, 0, count);
    }
  }

  /** Undefined when the numbers contradict each other. */
  native(): FloatHistogram | undefined {
    if (this.#isBad) return undefined;
    const bounds = this.#bounds.slice();
    const counts = this.#counts.slice();
    const total = this.#hasCount ? this.#count : (counts.at(-1) ?? 0);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) {
      bounds.push(Number.POSITIVE_INFINITY);
      counts.push(total);
    }
    if (total !== counts.at(-1)) return undefined;
    const isInteger = counts.every(Number.isInteger);
    const histogram = new FloatHistogram({
      schema: customBucketsSchema,
      count: total,
      sum: this.#sum,
      positiveSpans: [{ offset: 0, length: bounds.length }],
      positiveBuckets: Float64Array.from(counts, (count, i) => count - (counts[i - 1] ?? 0)),
      customValues: Float64Array.from(bounds.slice(0, -1)),
      isInteger,
    });
    return histogram.compact(isInteger ? emptyMaxOfIntegers : 0);
  }
}
