/**
 * Sealing through a shard's store: `sealNow` and `maintain`. A store that has neither keeps everything in its head; the
 * benches that need sealed windows then say so in the names of their figures.
 */
import type { ShardStore } from '../../../src/tsdb/index.ts';
import type { BenchStore } from './store.ts';

interface Sealing {
  /** Seals what is due, drops what was sealed from the log, compacts, enforces retention. */
  maintain?(nowMs: number): Promise<void>;
  /** Seals everything. */
  sealNow?(): Promise<void>;
}

type SealingStore = ShardStore & Sealing;

function sealing(shard: ShardStore): SealingStore {
  return shard;
}

/** Appended to what a figure is called where nothing could be sealed. */
export function sealedMark(store: BenchStore): string {
  return store.shards.every((shard) => sealing(shard).sealNow !== undefined)
    ? ''
    : ' (NOT sealed: from the head)';
}

export async function sealAll({ shards }: BenchStore): Promise<void> {
  for (const shard of shards) await sealing(shard).sealNow?.();
}

export async function maintainAll({ shards }: BenchStore, nowMs: number): Promise<void> {
  for (const shard of shards) await sealing(shard).maintain?.(nowMs);
}
