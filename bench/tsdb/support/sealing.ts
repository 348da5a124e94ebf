/**
 * Sealing through a store: `sealNow` and `maintain`. A store that has neither keeps everything in its head; the benches that
 * need sealed windows then say so in the names of their figures.
 */
import type { ShardStore, StoreDirectory } from '../../../src/tsdb/index.ts';
import type { BenchStore } from './store.ts';

interface Maintained {
  /** Seals what is due, drops what was sealed from the log, compacts, enforces retention; a directory does so for all. */
  maintain?(nowMs: number): Promise<void>;
}

interface Sealed {
  /** Seals everything up to the newest window. */
  sealNow?(): Promise<void>;
}

function sealed(shard: ShardStore): ShardStore & Sealed {
  return shard;
}

function maintained(directory: StoreDirectory): StoreDirectory & Maintained {
  return directory;
}

/** Appended to what a figure is called where nothing could be sealed. */
export function sealedMark(store: BenchStore): string {
  return store.shards.every((shard) => sealed(shard).sealNow !== undefined)
    ? ''
    : ' (NOT sealed: from the head)';
}

/** Seals every window but the newest, and lets go of what is then not needed any more. */
export async function sealAll(store: BenchStore, nowMs: number): Promise<void> {
  for (const shard of store.shards) await sealed(shard).sealNow?.();
  await maintain(store, nowMs);
}

/** What a node does for its stores every now and then. */
export async function maintain({ directory }: BenchStore, nowMs: number): Promise<void> {
  await maintained(directory).maintain?.(nowMs);
}
