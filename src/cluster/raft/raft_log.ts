/**
 * The log in memory: a snapshot's place, then contiguous entries. It remembers what the disk does not have
 * yet, so that one `persist` carries all of it.
 */
import { assert } from '../../base/index.ts';
import type { Entry, Persist, Snapshot, StoredRaft } from './types.ts';

export class RaftLog {
  #snapshot: Snapshot | undefined;
  #entries: Entry[];
  /** The first index that differs from the disk. */
  #unstableFrom: number;
  #truncated = false;
  #snapshotUnstable = false;

  constructor(stored: StoredRaft) {
    this.#snapshot = stored.snapshot;
    this.#entries = [...stored.entries];
    this.#unstableFrom = this.lastIndex + 1;
    for (const [i, entry] of this.#entries.entries()) {
      assert(entry.index === this.snapshotIndex + 1 + i, `entry ${entry.index} of the log is out of place`);
    }
  }

  get snapshotIndex(): number {
    return this.#snapshot?.lastIndex ?? 0;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  get lastIndex(): number {
    return this.snapshotIndex + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#snapshot?.lastTerm ?? 0;
  }

  /** The term of an index, or undefined when the log does not reach there. */
  termAt(index: number): number | undefined {
    if (index === this.snapshotIndex) return this.#snapshot?.lastTerm ?? 0;
    return this.#entries[index - this.snapshotIndex - 1]?.term;
  }

  /** Whether a log ending in (index, term) holds at least what this one does (section 3.6.1). */
  upToDate(index: number, term: number): boolean {
    return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);
  }

  /** Entries from `from` on, bounded in number and (but for the first) in bytes. */
  slice(from: number, to: number, countMax: number, bytesMax: number): Entry[] {
    assert(from > this.snapshotIndex, 'compacted entries are sent as a snapshot');
    const first = from - this.snapshotIndex - 1;
    const candidates = this.#entries.slice(first, Math.min(first + countMax, to - this.snapshotIndex));
    let bytes = 0;
    const end = candidates.findIndex((entry, i) => {
      bytes += entry.command.length;
      return i > 0 && bytes > bytesMax;
    });
    return end === -1 ? candidates : candidates.slice(0, end);
  }

  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, 'entries are appended in order');
    assert(entry.term >= this.lastTerm, 'terms never fall along the log');
    this.#entries.push(entry);
  }

  /** Drops what conflicts with the leader's entries and appends the rest (section 3.5). */
  merge(entries: readonly Entry[], commitIndex: number): void {
    for (const entry of entries) {
      const term = this.termAt(entry.index);
      if (entry.index <= this.snapshotIndex || term === entry.term) continue;
      if (term !== undefined) {
        assert(entry.index > commitIndex, `committed entry ${entry.index} is never overwritten`);
        this.#truncate(entry.index);
      }
      this.append(entry);
    }
  }

  #truncate(from: number): void {
    this.#entries.length = from - this.snapshotIndex - 1;
    if (from < this.#unstableFrom) {
      this.#unstableFrom = from;
      this.#truncated = true;
    }
  }

  /** Replaces the whole log by a snapshot from the leader. */
  restore(snapshot: Snapshot): void {
    assert(snapshot.lastIndex > this.snapshotIndex, 'snapshots only move forward');
    this.#snapshot = snapshot;
    this.#entries = [];
    this.#unstableFrom = snapshot.lastIndex + 1;
    this.#snapshotUnstable = true;
    this.#truncated = true;
  }

  /** Replaces the entries up to `index` by the state machine's state as of it. */
  compact(index: number, state: Uint8Array): void {
    const lastTerm = this.termAt(index);
    if (index <= this.snapshotIndex || lastTerm === undefined) return;
    this.#entries = this.#entries.slice(index - this.snapshotIndex);
    this.#snapshot = { lastIndex: index, lastTerm, state };
    this.#snapshotUnstable = true;
    this.#unstableFrom = Math.max(this.#unstableFrom, index + 1);
  }

  /** What the disk lacks; from now on it counts as written. */
  takeUnstable(): Omit<Persist, 'hardState'> | undefined {
    const entries = this.#entries.slice(Math.max(0, this.#unstableFrom - this.snapshotIndex - 1));
    if (entries.length === 0 && !this.#truncated && !this.#snapshotUnstable) return undefined;
    const persist: Omit<Persist, 'hardState'> = {
      entries,
      ...(this.#truncated ? { truncateFrom: this.#unstableFrom } : {}),
      ...(this.#snapshotUnstable && this.#snapshot !== undefined ? { snapshot: this.#snapshot } : {}),
    };
    this.#unstableFrom = this.lastIndex + 1;
    this.#truncated = false;
    this.#snapshotUnstable = false;
    return persist;
  }
}
