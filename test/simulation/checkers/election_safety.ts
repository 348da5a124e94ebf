/** Raft's Election Safety (dissertation, figure 3.2). */
import { type Checker, Violation } from './checker.ts';

export function electionSafety(): Checker {
  const leaders = new Map<string, string>();
  return {
    promise: 'at most one leader per term',
    observe({ id, group }) {
      if (group?.role !== 'leader') return;
      const key = `${group.group?.groupId}/${group.term}`;
      const known = leaders.get(key);
      if (known !== undefined && known !== id) throw new Violation(`${known} and ${id} lead term ${key}`);
      leaders.set(key, id);
    },
  };
}
