/**
 * LevelDB as store engine, by classic-level: the default. LevelDB appends every batch to its own log first, checks that
 * log's checksums when it opens, and drops a torn tail.
 */
import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { AbstractLevelEngine, assertNotBeheaded, openError } from './abstract_level_engine.ts';
import type { StoreEngine } from './engine.ts';

/** The log is read at start only, so blocks need hardly any cache. */
const cacheBytesMax = 1 << 20;
const writeBufferBytesMax = 4 << 20;
const openFilesMax = 256;

/** Throws StoreError (`store_open`) when the folder can't be used, for instance because another process has it. */
export async function openLevelEngine(path: string): Promise<StoreEngine> {
  try {
    await mkdir(path, { recursive: true });
    await assertNotBeheaded(path);
    const level = new ClassicLevel<Uint8Array, Uint8Array>(path, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      cacheSize: cacheBytesMax,
      writeBufferSize: writeBufferBytesMax,
      maxOpenFiles: openFilesMax,
    });
    await level.open();
    return new AbstractLevelEngine(level, {
      sizeOf: ({ from, to }) => level.approximateSize(from, to),
      compact: ({ from, to }) => level.compactRange(from, to),
    });
  } catch (cause) {
    throw openError(path, cause);
  }
}
