/**
 * The store engine over abstract-level, opened as classic-level (LevelDB). LevelDB appends every batch to its
 * own log first, checks that log's checksums when it opens, and drops a torn tail.
 */
import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { errorText } from '../base/index.ts';
import type { KeyOperation, KeyRange, StoreEngine } from './engine.ts';
import { StoreError, storeErrorCodes } from './errors.ts';

/** The log is read at start only, so blocks need hardly any cache. */
const cacheBytesMax = 1 << 20;
const writeBufferBytesMax = 4 << 20;
const openFilesMax = 256;
const readAheadBytesMax = 1 << 20;

class LevelEngine implements StoreEngine {
  readonly #level: ClassicLevel<Uint8Array, Uint8Array>;

  constructor(level: ClassicLevel<Uint8Array, Uint8Array>) {
    this.#level = level;
  }

  async write(operations: readonly KeyOperation[], sync: boolean): Promise<void> {
    await this.#level.batch([...operations], { sync });
  }

  async *entries(range: KeyRange): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    const options = { gte: range.from, lt: range.to, highWaterMarkBytes: readAheadBytesMax };
    for await (const entry of this.#level.iterator(options))
      yield [plainBytes(entry[0]), plainBytes(entry[1])];
  }

  async firstKey(range: KeyRange): Promise<Uint8Array | undefined> {
    for await (const key of this.#level.keys({ gte: range.from, lt: range.to, limit: 1 }))
      return plainBytes(key);
    return undefined;
  }

  clear(range: KeyRange): Promise<void> {
    return this.#level.clear({ gte: range.from, lt: range.to });
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}

/** LevelDB's binding hands out Buffers, whose `slice` shares memory where that of a Uint8Array copies. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Throws StoreError (`store_open`) when the folder can't be used, for instance because another process has it. */
export async function openLevelEngine(path: string): Promise<StoreEngine> {
  try {
    await mkdir(path, { recursive: true });
    const level = new ClassicLevel<Uint8Array, Uint8Array>(path, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      cacheSize: cacheBytesMax,
      writeBufferSize: writeBufferBytesMax,
      maxOpenFiles: openFilesMax,
    });
    await level.open();
    return new LevelEngine(level);
  } catch (cause) {
    const reason =
      cause instanceof Error && cause.cause !== undefined ? errorText(cause.cause) : errorText(cause);
    throw new StoreError(storeErrorCodes.open, `cannot open the store in ${path}: ${reason}`, { cause });
  }
}
