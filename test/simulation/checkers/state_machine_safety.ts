/** Raft's State Machine Safety and Leader Completeness (dissertation, figure 3.2). */
import type { Entry } from '../../../src/cluster/raft/types.ts';
import type { SimNode } from '../sim_node.ts';
import { type Checker, Violation } from './checker.ts';

const same = (a: Entry, b: Entry): boolean => a.term === b.term && Buffer.compare(a.command, b.command) === 0;

export function stateMachineSafety(): Checker {
  const committed: (Entry | undefined)[] = [];
  const checkedLeaders = new Set<string>();
  const checkLeader = ({ id, group }: SimNode): void => {
    const key = `${id}/${group?.term}`;
    if (group?.role !== 'leader' || checkedLeaders.has(key)) return;
    checkedLeaders.add(key);
    const log = group.raft?.log;
    for (const entry of committed) {
      if (entry === undefined || log === undefined || entry.index < log.snapshotIndex) continue;
      if (entry.term < group.term && log.termAt(entry.index) !== entry.term) {
        throw new Violation(`${id} leads term ${group.term} without committed entry ${entry.index}`);
      }
    }
  };
  return {
    promise: 'what is committed is never lost or changed, and every leader has it',
    observe(node, effect) {
      checkLeader(node);
      if (effect?.kind !== 'apply') return;
      for (const entry of effect.entries) {
        const known = committed[entry.index];
        if (known !== undefined && !same(known, entry)) {
          throw new Violation(`${node.id} applied another entry ${entry.index} than was applied before`);
        }
        committed[entry.index] = entry;
      }
    },
  };
}
