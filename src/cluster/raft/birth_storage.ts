/** Where a node's birth record survives a crash. `saveBirth` resolves when it is on disk. */
import type { BirthRecord } from './birth_types.ts';

export interface BirthStorage {
  loadBirth(): Promise<BirthRecord | undefined>;
  saveBirth(record: BirthRecord): Promise<void>;
}
