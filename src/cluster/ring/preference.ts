/**
 * Preference orders from the `hashring` package (ketama points, md5). The number of virtual nodes is given
 * per member, because the package rounds its own default down by a fraction that depends on the number of
 * members: points would come and go when a member joins.
 */
import HashRing from 'hashring';

/** Points per member are four times this. */
const virtualNodes = 64;

/** For each shard the members, most preferred first. Depends on the set of members alone, not on its order. */
export function preferenceOrders(members: readonly string[], shards: number): string[][] {
  const sorted = [...new Set(members)].sort();
  const servers: Record<string, { vnodes: number }> = {};
  for (const member of sorted) servers[member] = { vnodes: virtualNodes };
  const ring = new HashRing(servers, 'md5', { 'max cache size': 1 });
  const orders: string[][] = [];
  for (let shard = 0; shard < shards; shard++) orders.push(ring.range(`shard-${shard}`, sorted.length, true));
  return orders;
}
