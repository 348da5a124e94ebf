/** The cardinality of one sealed window. */
import { type Cardinality, PairCounts } from '../cardinality.ts';
import type { Pace } from './pace.ts';
import type { SealedWindow } from './sealed_window.ts';

export async function countCardinality(
  window: SealedWindow,
  topMax: number,
  pace: Pace,
): Promise<Cardinality> {
  const counts = new PairCounts(topMax);
  for await (const { name, value, series } of window.index.pairCounts()) {
    counts.add(name, value, series);
    await pace.pause();
  }
  return counts.cardinality(window.header.series);
}
