/** Retention by size, over the shards of a store: what is oldest goes first, whichever shard has it. */
import type { WindowSet } from './window_set.ts';

/** Drops oldest windows until what is left takes at most `bytesMax`; gives the bytes dropped. */
export async function enforceSize(sets: readonly WindowSet[], bytesMax: number): Promise<number> {
  let dropped = 0;
  let held = sets.reduce((sum, { bytes }) => sum + bytes, 0);
  while (held > bytesMax) {
    const oldest = sets.reduce((a, b) => (b.oldestEndMs < a.oldestEndMs ? b : a));
    const freed = await oldest.dropOldest();
    if (freed === 0) break;
    dropped += freed;
    held = sets.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  return dropped;
}
