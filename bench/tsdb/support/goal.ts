/** Figures with what they should be at least, or at most. */
import type { Figure } from '../../figure.ts';

export function atLeast(goal: number, figure: Figure): Figure {
  return { ...figure, peer: 'goal, at least', peerValue: goal };
}

export function atMost(goal: number, figure: Figure): Figure {
  return { ...figure, peer: 'goal, at most', peerValue: goal };
}

/** The middle one; of an even number the lower. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1] as number;
}
