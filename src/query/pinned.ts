/**
 * Selectors that name a target: where both job and instance must equal a text, all series that can pass lie in the shard
 * of that target, and no other one need be asked.
 */
import { type Matcher, MatchType } from '../model/index.ts';
import type { Assignment, Replicas, ShardsAt } from './replicas.ts';

/** The only shard with series that pass all of the matchers; undefined when it can't be told. */
function shardOf(matchers: readonly Matcher[], replicas: Replicas): number | undefined {
  const equalTo = (name: string): string | undefined =>
    matchers.find((matcher) => matcher.name === name && matcher.type === MatchType.Equal)?.value;
  const job = equalTo('job');
  const instance = equalTo('instance');
  // Without an instance other labels decide.
  if (job === undefined || instance === undefined || instance === '') return undefined;
  return replicas.shardOfTarget?.(job, instance);
}

/** The shards that selections with these matchers need; undefined: all, as when there are no matchers to go by. */
export function pinnedShards(
  selections: readonly (readonly Matcher[])[],
  replicas: Replicas,
): ReadonlySet<number> | undefined {
  if (selections.length === 0) return undefined;
  const shards = new Set<number>();
  for (const matchers of selections) {
    const shard = shardOf(matchers, replicas);
    if (shard === undefined) return undefined;
    shards.add(shard);
  }
  return shards;
}

/** What of an assignment concerns these shards. */
export function narrowed(assignment: Assignment, shards: ReadonlySet<number> | undefined): Assignment {
  if (shards === undefined) return assignment;
  const of = <T extends ShardsAt>(sets: readonly T[]): T[] =>
    sets.flatMap((at) => {
      const kept = at.shards.filter((shard) => shards.has(shard));
      return kept.length === 0 ? [] : [{ ...at, shards: kept }];
    });
  const { tableVersion, whole, scattered, missing } = assignment;
  return { tableVersion, whole: of(whole), scattered: of(scattered), missing: of(missing) };
}
