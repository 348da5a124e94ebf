/**
 * A copy of a store directory's shards in a new folder, which can be opened as a store: the backup that the snapshot
 * endpoint makes. Each shard is copied as it is at its first step, while writes go on.
 */
import type { KeyOperation, OpenEngine } from '../engine.ts';
import type { ShardStore } from './shard_store.ts';

/** Bytes that are written at a time. */
const batchBytesMax = 1024 * 1024;

/** Resolves when everything is on the disk. Rejects with StoreError when the folder can't be written. */
export async function copyStore(
  path: string,
  shards: readonly Pick<ShardStore, 'snapshot'>[],
  openEngine: OpenEngine,
): Promise<void> {
  const engine = await openEngine(path);
  try {
    for (const shard of shards) {
      let batch: KeyOperation[] = [];
      let bytes = 0;
      for await (const [key, value] of shard.snapshot()) {
        batch.push({ type: 'put', key, value });
        bytes += key.length + value.length;
        if (bytes < batchBytesMax) continue;
        await engine.write(batch, false);
        batch = [];
        bytes = 0;
      }
      await engine.write(batch, true);
    }
  } finally {
    await engine.close();
  }
}
