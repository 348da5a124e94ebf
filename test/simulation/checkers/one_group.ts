/** The birth's promise: nodes that can ever talk form one control group. */
import { type Checker, Violation } from './checker.ts';

export function oneGroup(): Checker {
  const groups = new Map<string, string>();
  return {
    promise: 'one control group',
    observe({ id, durableGroupId }) {
      if (durableGroupId === undefined) return;
      groups.set(durableGroupId, id);
      if (groups.size > 1)
        throw new Violation(`groups ${[...groups].map((pair) => pair.join(' at ')).join(', ')}`);
    },
  };
}
