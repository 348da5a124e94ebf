/** Which metrics, labels and pairs make a window's series many: what the status page's cardinality tables show. */
import { metricNameLabel } from '../../model/index.ts';
import type { Pace } from './pace.ts';
import type { SealedWindow } from './sealed_window.ts';

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

export async function countCardinality(
  window: SealedWindow,
  topMax: number,
  pace: Pace,
): Promise<Cardinality> {
  const metrics = new TopCounts(topMax);
  const pairs = new TopCounts(topMax);
  const values = new Map<string, number>();
  const valueBytes = new Map<string, number>();
  for await (const { name, value, series } of window.index.pairCounts()) {
    if (name === metricNameLabel) metrics.add(value, series);
    pairs.add(`${name}=${value}`, series);
    values.set(name, (values.get(name) ?? 0) + 1);
    valueBytes.set(name, (valueBytes.get(name) ?? 0) + value.length);
    await pace.pause();
  }
  return {
    series: window.header.series,
    labelPairs: window.header.pairs,
    seriesByMetric: metrics.list(),
    valuesByLabel: topOf(values, topMax),
    valueBytesByLabel: topOf(valueBytes, topMax),
    seriesByPair: pairs.list(),
  };
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
