/** What a leader knows of one peer's log, and how far the group has come (sections 3.5 and 3.6). */

export interface Progress {
  /** The last index that the peer surely has. */
  matchIndex: number;
  nextIndex: number;
  /** The last index of what was sent last: an answer that falls short of it answers something older. */
  sentIndex: number;
  /** An append is under way: nothing more is sent until it is answered or a heartbeat is due. */
  paused: boolean;
  /** Ticks since a snapshot was sent and not answered; undefined when none is under way. */
  snapshotTicks: number | undefined;
  /** It answered since the last check of the quorum. */
  active: boolean;
}

export function freshProgress(lastIndex: number): Progress {
  return {
    matchIndex: 0,
    nextIndex: lastIndex + 1,
    sentIndex: lastIndex,
    paused: false,
    snapshotTicks: undefined,
    active: true,
  };
}

/** How many of `voters` are more than half. */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** The highest index that a majority has. */
export function majorityIndex(matchIndexes: readonly number[]): number {
  const sorted = [...matchIndexes].sort((a, b) => b - a);
  return sorted[quorumOf(sorted.length) - 1] ?? 0;
}
