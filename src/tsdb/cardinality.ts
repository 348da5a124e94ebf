/** Which metrics, labels and pairs make series many: what the status page's cardinality tables show. */
import { metricNameLabel } from '../model/index.ts';

export interface NamedCount {
  readonly name: string;
  readonly count: number;
}

/** Each list has the largest first, equal ones by name. */
export interface Cardinality {
  readonly series: number;
  readonly labelPairs: number;
  readonly seriesByMetric: readonly NamedCount[];
  readonly valuesByLabel: readonly NamedCount[];
  /** Characters of all values of a label. */
  readonly valueBytesByLabel: readonly NamedCount[];
  /** Named `label=value`. */
  readonly seriesByPair: readonly NamedCount[];
}

/** Lists may hold this many times what is asked for before they are cut back. */
const slack = 4;

/** Is told of every pair once, with how many series have it. */
export class PairCounts {
  readonly #topMax: number;
  readonly #metrics: TopCounts;
  readonly #pairs: TopCounts;
  readonly #values = new Map<string, number>();
  readonly #valueBytes = new Map<string, number>();
  #count = 0;

  constructor(topMax: number) {
    this.#topMax = topMax;
    this.#metrics = new TopCounts(topMax);
    this.#pairs = new TopCounts(topMax);
  }

  add(name: string, value: string, series: number): void {
    this.#count++;
    if (name === metricNameLabel) this.#metrics.add(value, series);
    this.#pairs.add(`${name}=${value}`, series);
    this.#values.set(name, (this.#values.get(name) ?? 0) + 1);
    this.#valueBytes.set(name, (this.#valueBytes.get(name) ?? 0) + value.length);
  }

  /** `series`: how many there are in all. */
  cardinality(series: number): Cardinality {
    return {
      series,
      labelPairs: this.#count,
      seriesByMetric: this.#metrics.list(),
      valuesByLabel: topOf(this.#values, this.#topMax),
      valueBytesByLabel: topOf(this.#valueBytes, this.#topMax),
      seriesByPair: this.#pairs.list(),
    };
  }
}

/** Keeps the largest of many without keeping all. */
class TopCounts {
  readonly #topMax: number;
  #counts: NamedCount[] = [];

  constructor(topMax: number) {
    this.#topMax = topMax;
  }

  add(name: string, count: number): void {
    this.#counts.push({ name, count });
    if (this.#counts.length > this.#topMax * slack + slack) this.#counts = this.list();
  }

  list(): NamedCount[] {
    return this.#counts.sort(compareCounts).slice(0, this.#topMax);
  }
}

function topOf(counts: ReadonlyMap<string, number>, topMax: number): NamedCount[] {
  const top = new TopCounts(topMax);
  for (const [name, count] of counts) top.add(name, count);
  return top.list();
}

function compareCounts(a: NamedCount, b: NamedCount): number {
  return b.count - a.count || (a.name < b.name ? -1 : 1);
}
