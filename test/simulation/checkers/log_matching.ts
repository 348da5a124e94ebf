/** Raft's Log Matching (dissertation, figure 3.2). */
import type { RaftLog } from '../../../src/cluster/raft/raft_log.ts';
import { type Checker, Violation } from './checker.ts';

/** The first index at which the logs differ below one at which they agree, if any. */
function mismatch(a: RaftLog, b: RaftLog): number | undefined {
  const from = Math.max(a.snapshotIndex, b.snapshotIndex) + 1;
  let agreed = false;
  for (let index = Math.min(a.lastIndex, b.lastIndex); index >= from; index--) {
    const matches = a.termAt(index) === b.termAt(index);
    if (agreed && !matches) return index;
    agreed ||= matches;
  }
  return undefined;
}

export function logMatching(): Checker {
  return {
    promise: 'logs that agree at an index agree everywhere before it',
    survey(nodes) {
      const logs = nodes.flatMap(({ id, group }) =>
        group?.raft === undefined ? [] : [{ id, log: group.raft.log }],
      );
      for (const [i, a] of logs.entries()) {
        for (const b of logs.slice(i + 1)) {
          const index = mismatch(a.log, b.log);
          if (index !== undefined)
            throw new Violation(`${a.id} and ${b.id} differ at ${index} and agree later`);
        }
      }
    },
  };
}
