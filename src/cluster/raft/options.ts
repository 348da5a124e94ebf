/** Times in ticks and bounds of the log. The shell ticks every `tickMs`. */
import { assert } from '../../base/index.ts';

export interface RaftOptions {
  /** A leader is silent for at most this. */
  readonly heartbeatTicks: number;
  /** A follower campaigns after this and a random part of as much again without a leader. */
  readonly electionTicks: number;
  readonly entriesPerMessageMax: number;
  readonly bytesPerMessageMax: number;
  /** Entries that are proposed and not committed; beyond, proposals are turned away. */
  readonly uncommittedMax: number;
  /** The log is compacted when more applied entries than this follow the snapshot. */
  readonly logEntriesMax: number;
}

export const tickMs = 100;

export const defaultRaftOptions: RaftOptions = {
  heartbeatTicks: 3,
  electionTicks: 10,
  entriesPerMessageMax: 512,
  bytesPerMessageMax: 1024 * 1024,
  uncommittedMax: 4_096,
  logEntriesMax: 4_096,
};

export const commandBytesMax: number = 1024 * 1024;

export function assertRaftOptions(options: RaftOptions): void {
  assert(options.heartbeatTicks * 2 < options.electionTicks, 'a follower outlives one lost heartbeat');
}
