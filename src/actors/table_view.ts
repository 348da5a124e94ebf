/**
 * What one node makes of the shard table and the list of members: where each shard is written, where it is read, what
 * is missing, and what this node has to hand over. Pure; recomputed whenever either changes.
 */
import type { ShardTable } from '../cluster/index.ts';
import type { Assignment, AwayShards, ShardsAt } from '../query/index.ts';

/** Groups shards by node, in the order of the first shard. */
class ShardsByNode {
  readonly #shards = new Map<string, number[]>();

  add(nodeId: string, shard: number): void {
    const known = this.#shards.get(nodeId);
    if (known === undefined) this.#shards.set(nodeId, [shard]);
    else known.push(shard);
  }

  list(): ShardsAt[] {
    return [...this.#shards].map(([nodeId, shards]) => ({ nodeId, shards }));
  }
}

/** Reads: a shard with one holder is answered there; with several, by all that live; holders that are away are missing. */
export function assignmentOf(
  table: ShardTable,
  live: ReadonlySet<string>,
  isSettled: (shard: number) => boolean,
): Assignment {
  const whole = new ShardsByNode();
  const scattered = new ShardsByNode();
  const past = new ShardsByNode();
  const present = new ShardsByNode();
  table.shards.forEach(({ holders }, shard) => {
    const living = holders.filter((holder) => live.has(holder));
    const away = isSettled(shard) ? past : present;
    for (const holder of holders) if (!live.has(holder)) away.add(holder, shard);
    const target = living.length === 1 ? whole : scattered;
    for (const holder of living) target.add(holder, shard);
  });
  const missing: AwayShards[] = [
    ...past.list().map((at) => ({ ...at, isSettled: true })),
    ...present.list().map((at) => ({ ...at, isSettled: false })),
  ];
  return { tableVersion: table.version, whole: whole.list(), scattered: scattered.list(), missing };
}

/** Shards that this node holds data of and another live node owns: their data is to be handed over. */
export function shardsToHandOver(table: ShardTable, self: string, live: ReadonlySet<string>): number[] {
  const shards: number[] = [];
  table.shards.forEach(({ owner, holders }, shard) => {
    if (owner !== self && live.has(owner) && holders.includes(self)) shards.push(shard);
  });
  return shards;
}

/** Whether any of `shards` changed hands between two tables. */
export function shardsMoved(before: ShardTable, after: ShardTable, shards: readonly number[]): boolean {
  return shards.some((shard) => before.shards[shard]?.epoch !== after.shards[shard]?.epoch);
}
