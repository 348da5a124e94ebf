/**
 * A set of windows as keys and values, for a backup or another replica: written to an empty store in this order they are
 * the same windows, and a copy that ends early has whole windows only.
 */
import type { StoreEngine } from '../engine.ts';
import { frameChunk, Section } from './chunk_frame.ts';
import { KeyKind, tombstoneKey, windowKey, windowRange } from './keys.ts';
import type { SealedWindow } from './sealed_window.ts';
import { encodeTombstone, type Tombstone } from './tombstone.ts';
import { encodeHeader } from './window_header.ts';

export type SnapshotEntry = readonly [key: Uint8Array, value: Uint8Array];

/** The windows must be held by the caller until it is done. Deletions come first, so that no copy lacks them. */
export async function* snapshotEntries(
  shard: number,
  windows: readonly SealedWindow[],
  tombstones: readonly Tombstone[],
  engine: StoreEngine,
): AsyncGenerator<SnapshotEntry> {
  for (const tombstone of tombstones) {
    const key = tombstoneKey(shard, tombstone.number);
    yield [key, frameChunk(key, Section.Tombstone, encodeTombstone(tombstone))];
  }
  for (const { header } of windows) {
    yield* engine.entries(windowRange(shard, KeyKind.Page, header));
    // The header's own key may be gone by now: the window may have been replaced.
    const { to } = windowRange(shard, KeyKind.Index, header);
    yield* engine.entries({ from: windowKey(shard, KeyKind.Index, header, 1), to });
    const key = windowKey(shard, KeyKind.Index, header, 0);
    yield [key, frameChunk(key, Section.Header, encodeHeader(header))];
  }
}
