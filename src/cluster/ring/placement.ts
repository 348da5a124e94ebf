/**
 * Which shard a series belongs to. The placement key is the pair (job, instance) where instance is not
 * empty, otherwise every label but the name, type and unit: so a target's series live together, and series that differ
 * only in what functions drop always do.
 */
import { assert } from '../../base/index.ts';
import { hashMod, hashModulusMax, type Labels, metadataLabels, xxHash64Words } from '../../model/index.ts';

/** The strings that decide a series' place. */
export function placementKey(labels: Labels): string[] {
  const instance = labels.get('instance') ?? '';
  if (instance !== '') return [labels.get('job') ?? '', instance];
  const key: string[] = [];
  const { flat } = labels;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i] as string;
    if (!metadataLabels.has(name)) key.push(name, flat[i + 1] as string);
  }
  return key;
}

/** The shard, in [0, shards), of a series with these labels; `shards` is a whole number up to hashModulusMax. */
export function placementShard(labels: Labels, shards: number): number {
  assert(
    Number.isInteger(shards) && shards > 0 && shards <= hashModulusMax,
    'the number of shards is a positive integer within bounds',
  );
  return hashMod(xxHash64Words(placementKey(labels)), shards);
}
