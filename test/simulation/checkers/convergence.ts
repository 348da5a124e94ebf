/** Liveness: what a healed cluster must come to. Not a checker of every step: asked until it holds. */
import { isDeepStrictEqual } from 'node:util';
import { loadMax } from '../../../src/cluster/ring/table.ts';
import type { SimNode } from '../sim_node.ts';

/** What is not yet as it must be, or undefined when all is. */
export function notConverged(
  nodes: readonly SimNode[],
  acknowledged: ReadonlySet<string>,
): string | undefined {
  const [first] = nodes;
  for (const { id, gossip, group } of nodes) {
    if (gossip === undefined || group === undefined) return `${id} is down`;
    const alive = gossip.members().filter(({ state }) => state === 'alive').length;
    if (alive !== nodes.length) return `${id} sees ${alive} of ${nodes.length} members alive`;
    if (group.group?.groupId !== first?.group?.group?.groupId) return `${id} is in another group, or in none`;
    if (group.leader === undefined) return `${id} knows no leader`;
    if (group.leader !== first?.group?.leader)
      return `${id} follows ${group.leader}, others ${first?.group?.leader}`;
    const { table } = group.state;
    if (table === undefined) return `${id} has no table`;
    if (!isDeepStrictEqual(table, first.group.state.table)) return `${id} has another table`;
    const loads = Map.groupBy(table.shards, ({ owner }) => owner);
    const max = loadMax(table.shards.length, nodes.length);
    for (const [owner, shards] of loads) {
      if (!nodes.some((node) => node.id === owner)) return `${owner} owns shards and does not exist`;
      if (shards.length > max) return `${owner} owns ${shards.length} shards of at most ${max}`;
    }
    for (const key of acknowledged) {
      if (group.state.get('notification', key) === undefined) return `${id} lacks acknowledged ${key}`;
    }
  }
  return undefined;
}
