/**
 * The control group's disk: one small store with the term, the snapshot, the entries by index and the birth
 * record. Every `persist` is one synced batch, so that it is there whole or not at all.
 */
import type { AbstractBatchOperation, AbstractLevel } from 'abstract-level';
import { ClassicLevel } from 'classic-level';
import { ClusterFormatError } from '../errors.ts';
import type { BirthStorage } from '../raft/birth_storage.ts';
import type { BirthRecord } from '../raft/birth_types.ts';
import {
  decodeBirth,
  decodeEntry,
  decodeHardState,
  decodeSnapshot,
  encodeBirth,
  encodeEntry,
  encodeHardState,
  encodeSnapshot,
} from '../raft/record_codec.ts';
import { type Entry, emptyRaft, type Persist, type RaftStorage, type StoredRaft } from '../raft/types.ts';

const hardStateKey = 'term';
const snapshotKey = 'snapshot';
const birthKey = 'birth';
const entryPrefix = 'entry/';
const entryKey = (index: number): string => `${entryPrefix}${index.toString(16).padStart(14, '0')}`;

type Store = AbstractLevel<string | Buffer | Uint8Array, string, Uint8Array>;
type Operation = AbstractBatchOperation<Store, string, Uint8Array>;

export interface ClusterStorage extends RaftStorage, BirthStorage {
  close(): Promise<void>;
}

export class LevelStorage implements ClusterStorage {
  readonly #store: Store;
  /** Indexes of the stored entries: [first, last], empty when last < first. */
  #first = 1;
  #last = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Opens or creates the folder. Rejects when another process has it. */
  static async open(path: string): Promise<LevelStorage> {
    const store: Store = new ClassicLevel<string, Uint8Array>(path, { valueEncoding: 'view' });
    await store.open();
    return new LevelStorage(store);
  }

  async load(): Promise<StoredRaft> {
    const hardState = await this.#store.get(hardStateKey);
    const snapshotBytes = await this.#store.get(snapshotKey);
    const snapshot = snapshotBytes === undefined ? undefined : decodeSnapshot(snapshotBytes);
    const entries: Entry[] = [];
    let next = (snapshot?.lastIndex ?? 0) + 1;
    for await (const bytes of this.#store.values({ gte: entryPrefix, lt: `${entryPrefix}~` })) {
      const entry = decodeEntry(bytes);
      if (entry.index !== next++) {
        throw new ClusterFormatError(
          `the control log misses entry ${next - 1}: found ${entry.index} in its place`,
        );
      }
      entries.push(entry);
    }
    this.#first = (snapshot?.lastIndex ?? 0) + 1;
    this.#last = this.#first + entries.length - 1;
    return {
      hardState: hardState === undefined ? emptyRaft.hardState : decodeHardState(hardState),
      snapshot,
      entries,
    };
  }

  async persist({ hardState, snapshot, truncateFrom, entries }: Persist): Promise<void> {
    const operations: Operation[] = [];
    const put = (key: string, value: Uint8Array): void => {
      operations.push({ type: 'put', key, value });
    };
    if (hardState !== undefined) put(hardStateKey, encodeHardState(hardState));
    if (truncateFrom !== undefined) {
      for (let index = Math.max(truncateFrom, this.#first); index <= this.#last; index++) {
        operations.push({ type: 'del', key: entryKey(index) });
      }
      this.#last = Math.min(this.#last, truncateFrom - 1);
    }
    if (snapshot !== undefined) {
      put(snapshotKey, encodeSnapshot(snapshot));
      for (let index = this.#first; index <= Math.min(this.#last, snapshot.lastIndex); index++) {
        operations.push({ type: 'del', key: entryKey(index) });
      }
      this.#first = snapshot.lastIndex + 1;
      this.#last = Math.max(this.#last, snapshot.lastIndex);
    }
    for (const entry of entries) {
      put(entryKey(entry.index), encodeEntry(entry));
      this.#last = entry.index;
    }
    await this.#store.batch(operations, { sync: true } as object);
  }

  async loadBirth(): Promise<BirthRecord | undefined> {
    const bytes = await this.#store.get(birthKey);
    return bytes === undefined ? undefined : decodeBirth(bytes);
  }

  async saveBirth(record: BirthRecord): Promise<void> {
    await this.#store.put(birthKey, encodeBirth(record), { sync: true } as object);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}
