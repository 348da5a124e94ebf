/**
 * A disk that survives its node's crashes. A persist takes effect when it completes; one that a crash
 * interrupts has landed whole or not at all. The broken variant forgets terms and votes: the canary.
 */
import { assert } from '../../src/base/index.ts';
import type { BirthRecord } from '../../src/cluster/raft/birth_types.ts';
import {
  type Entry,
  emptyRaft,
  type HardState,
  type Persist,
  type Snapshot,
  type StoredRaft,
} from '../../src/cluster/raft/types.ts';

export class SimDisk {
  readonly #forgetful: boolean;
  #birth: BirthRecord | undefined;
  #hardState: HardState = emptyRaft.hardState;
  #snapshot: Snapshot | undefined;
  #entries: Entry[] = [];

  constructor(forgetful: boolean) {
    this.#forgetful = forgetful;
  }

  get birth(): BirthRecord | undefined {
    return this.#birth;
  }

  load(): StoredRaft {
    return { hardState: this.#hardState, snapshot: this.#snapshot, entries: [...this.#entries] };
  }

  saveBirth(record: BirthRecord): void {
    this.#birth = record;
  }

  persist({ hardState, snapshot, truncateFrom, entries }: Persist): void {
    if (hardState !== undefined && !this.#forgetful) this.#hardState = hardState;
    if (truncateFrom !== undefined) this.#entries = this.#entries.filter(({ index }) => index < truncateFrom);
    if (snapshot !== undefined) {
      this.#snapshot = snapshot;
      this.#entries = this.#entries.filter(({ index }) => index > snapshot.lastIndex);
    }
    for (const entry of entries) {
      const next = (this.#entries.at(-1)?.index ?? this.#snapshot?.lastIndex ?? 0) + 1;
      assert(entry.index === next, `entry ${entry.index} is written where ${next} belongs`);
      this.#entries.push(entry);
    }
  }
}
