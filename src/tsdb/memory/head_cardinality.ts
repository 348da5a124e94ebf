/** Which metrics, labels and pairs make the head's series many: the status page's cardinality tables of what is live. */
import { type Cardinality, PairCounts } from '../cardinality.ts';
import type { HeadIndex } from './head_index.ts';

/** Pairs counted between two pauses; with shards to choose from, each costs a search for each shard. */
const pairsPerStep = 1024;

/** Of the series of some shards, or of all; lists have the largest `topMax`. */
export function* headCardinality(
  index: HeadIndex,
  shards: readonly number[] | undefined,
  topMax: number,
): Generator<void, Cardinality> {
  const { pairs, table } = index;
  const counts = new PairCounts(topMax);
  const counted = shards ?? [...table.numbers()];
  let steps = 0;
  for (let pair = 0; pair < pairs.end; pair++) {
    steps += shards === undefined ? 1 : 1 + shards.length / 8;
    if (steps >= pairsPerStep) {
      steps = 0;
      yield;
    }
    if (pairs.uses(pair) === 0) continue;
    const series = shards === undefined ? pairs.uses(pair) : countIn(index, pair, shards);
    if (series > 0) counts.add(pairs.name(pair), pairs.value(pair), series);
  }
  return counts.cardinality(counted.reduce((sum, shard) => sum + index.seriesCount(shard), 0));
}

function countIn(index: HeadIndex, pair: number, shards: readonly number[]): number {
  let count = 0;
  for (const shard of shards) {
    const { from, to } = index.postings.range(pair, shard);
    count += to - from;
  }
  return count;
}
