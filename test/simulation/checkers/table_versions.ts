/** The shard table is the only authority: a version means one table, and a node never goes back. */
import { isDeepStrictEqual } from 'node:util';
import type { GroupNode } from '../../../src/cluster/control/group_node.ts';
import type { ShardTable } from '../../../src/cluster/ring/table.ts';
import { type Checker, Violation } from './checker.ts';

export function tableVersions(): Checker {
  const tables = new Map<number, ShardTable>();
  const last = new WeakMap<GroupNode, number>();
  const epochs = new Map<string, string>();
  return {
    promise: 'table versions only grow, each means one table, and an epoch of a shard has one owner',
    observe({ id, group }, effect) {
      const table = group?.state.table;
      if (group === undefined || table === undefined || effect?.kind !== 'apply') return;
      const before = last.get(group) ?? 0;
      if (table.version < before)
        throw new Violation(`${id} went from table ${before} back to ${table.version}`);
      last.set(group, table.version);
      const known = tables.get(table.version);
      if (known !== undefined && !isDeepStrictEqual(known, table)) {
        throw new Violation(`${id} has another table ${table.version}`);
      }
      if (known !== undefined) return;
      tables.set(table.version, table);
      for (const [shard, { owner, epoch }] of table.shards.entries()) {
        const key = `${shard}/${epoch}`;
        const owned = epochs.get(key);
        if (owned !== undefined && owned !== owner) throw new Violation(`${owned} and ${owner} own ${key}`);
        epochs.set(key, owner);
      }
    },
  };
}
