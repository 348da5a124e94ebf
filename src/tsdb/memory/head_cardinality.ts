/** Which metrics, labels and pairs make the head's series many: the status page's cardinality tables of what is live. */
import { metricNameLabel } from '../../model/index.ts';
import type { Cardinality, NamedCount } from '../window/cardinality.ts';
import type { HeadIndex } from './head_index.ts';

/** Pairs counted between two pauses; with shards to choose from, each costs a search for each shard. */
const pairsPerStep = 1024;
/** Lists may hold this many times what is asked for before they are cut back. */
const slack = 4;

/** Of the series of some shards, or of all; lists have the largest `topMax`. */
export function* headCardinality(
  index: HeadIndex,
  shards: readonly number[] | undefined,
  topMax: number,
): Generator<void, Cardinality> {
  const { pairs, table } = index;
  const metrics = new TopCounts(topMax);
  const byPair = new TopCounts(topMax);
  const values = new Map<string, number>();
  const valueBytes = new Map<string, number>();
  const counted = shards ?? [...table.numbers()];
  let labelPairs = 0;
  let steps = 0;
  for (let pair = 0; pair < pairs.end; pair++) {
    steps += shards === undefined ? 1 : 1 + shards.length / 8;
    if (steps >= pairsPerStep) {
      steps = 0;
      yield;
    }
    if (pairs.uses(pair) === 0) continue;
    const series = shards === undefined ? pairs.uses(pair) : countIn(index, pair, shards);
    if (series === 0) continue;
    const name = pairs.name(pair);
    const value = pairs.value(pair);
    labelPairs++;
    if (name === metricNameLabel) metrics.add(value, series);
    byPair.add(`${name}=${value}`, series);
    values.set(name, (values.get(name) ?? 0) + 1);
    valueBytes.set(name, (valueBytes.get(name) ?? 0) + value.length);
  }
  return {
    series: counted.reduce((sum, shard) => sum + index.seriesCount(shard), 0),
    labelPairs,
    seriesByMetric: metrics.list(),
    valuesByLabel: topOf(values, topMax),
    valueBytesByLabel: topOf(valueBytes, topMax),
    seriesByPair: byPair.list(),
  };
}

function countIn(index: HeadIndex, pair: number, shards: readonly number[]): number {
  let count = 0;
  for (const shard of shards) {
    const { from, to } = index.postings.range(pair, shard);
    count += to - from;
  }
  return count;
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
    return this.#counts
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, this.#topMax);
  }
}

function topOf(counts: ReadonlyMap<string, number>, topMax: number): NamedCount[] {
  const top = new TopCounts(topMax);
  for (const [name, count] of counts) top.add(name, count);
  return top.list();
}
