/**
 * RocksDB as store engine, by an optional binding that is loaded only when it is asked for: it has no binary for every
 * platform, and whoever stays with LevelDB should not pay for it. Writes, synced ones too, run on the calling thread.
 */
import { mkdir } from 'node:fs/promises';
import { errorText } from '../base/index.ts';
import {
  AbstractLevelEngine,
  assertNotBeheaded,
  type LevelDatabase,
  openError,
} from './abstract_level_engine.ts';
import type { StoreEngine } from './engine.ts';
import { StoreError, storeErrorCodes } from './errors.ts';

/** A quarter of it is one write buffer, and level 1 is as large. */
const writeBuffersBytesMax = 16 << 20;
const cacheBytesMax = 1 << 20;
/** Flushes and compactions at once. */
const backgroundThreadsMax = 2;

interface RocksOptions {
  readonly keyEncoding: 'view';
  readonly valueEncoding: 'view';
  readonly createIfMissing: boolean;
  readonly compaction: 'level';
  readonly memtableMemoryBudget: number;
  readonly cacheSize: number;
  readonly parallelism: number;
}

/** The binding's batch below the API of abstract-level; the exact version in package.json is one that has it. */
interface RocksBatch {
  _put(key: Uint8Array, value: Uint8Array, options: object): void;
  _del(key: Uint8Array, options: object): void;
  _writeSync(options: { sync: boolean }): void;
  _clear(): void;
}

interface RocksDatabase extends LevelDatabase {
  open(): Promise<void>;
  _chainedBatch(): RocksBatch;
}

export interface RocksBinding {
  readonly RocksLevel: new (path: string, options: RocksOptions) => RocksDatabase;
}

/** Throws StoreError (`store_open`) when the binding is not installed or has no binary for this platform. */
export async function loadRocksBinding(): Promise<RocksBinding> {
  try {
    return await import('@nxtedition/rocksdb');
  } catch (cause) {
    const [reason] = errorText(cause).split('\n');
    throw new StoreError(
      storeErrorCodes.open,
      `RocksDB cannot be used here: its binding @nxtedition/rocksdb does not load (${reason})`,
      { cause },
    );
  }
}

/** Throws StoreError (`store_open`) when the folder can't be used or the binding can't be loaded. */
export async function openRocksEngine(path: string): Promise<StoreEngine> {
  const { RocksLevel } = await loadRocksBinding();
  try {
    await mkdir(path, { recursive: true });
    await assertNotBeheaded(path);
    const rocks = new RocksLevel(path, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      createIfMissing: true,
      compaction: 'level',
      memtableMemoryBudget: writeBuffersBytesMax,
      cacheSize: cacheBytesMax,
      parallelism: backgroundThreadsMax,
    });
    await rocks.open();
    return new AbstractLevelEngine(withOneBatch(rocks));
  } catch (cause) {
    throw openError(path, cause);
  }
}

/**
 * The binding does not give back the memory of a batch that was written (3,000 writes of 144 KB left 500 MB behind), so
 * one batch serves them all. It writes before it returns; one turn of the event loop after each write keeps a run of
 * writes from holding up everything else on the thread.
 */
function withOneBatch(rocks: RocksDatabase): LevelDatabase {
  const batch = rocks._chainedBatch();
  return {
    getMany: (keys) => rocks.getMany(keys),
    iterator: (options) => rocks.iterator(options),
    keys: (options) => rocks.keys(options),
    clear: (range) => rocks.clear(range),
    close: () => rocks.close(),
    batch: async (operations, options) => {
      try {
        for (const operation of operations) {
          if (operation.type === 'put') batch._put(operation.key, operation.value, {});
          else batch._del(operation.key, {});
        }
        batch._writeSync(options);
      } finally {
        batch._clear();
      }
      await new Promise((turned) => setImmediate(turned));
    },
  };
}
