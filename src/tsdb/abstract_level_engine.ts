/**
 * A store engine over any database that speaks abstract-level, which is all that LevelDB's and RocksDB's bindings have in
 * common. Entries come in blocks of rows, because one promise per row costs more than the row.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../base/index.ts';
import type { EngineCapabilities, KeyOperation, KeyRange, ReadOptions, StoreEngine } from './engine.ts';
import { StoreError, storeErrorCodes } from './errors.ts';

/** Rows and bytes that an iterator fetches at once. */
const blockRowsMax = 1000;
const blockBytesMax = 1 << 20;

interface BlockReader<Row> {
  nextv(rows: number): Promise<Row[]>;
  close(): Promise<void>;
}

interface IteratorOptions {
  gte: Uint8Array;
  lt: Uint8Array;
  reverse?: boolean;
  limit?: number;
  highWaterMarkBytes?: number;
}

/** The part of abstract-level that is used, in the shape that its first and its third version share. */
export interface LevelDatabase {
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  batch(operations: KeyOperation[], options: { sync: boolean }): Promise<void>;
  iterator(options: IteratorOptions): BlockReader<[Uint8Array, Uint8Array]>;
  keys(options: IteratorOptions): BlockReader<Uint8Array>;
  clear(range: { gte: Uint8Array; lt: Uint8Array }): Promise<void>;
  close(): Promise<void>;
}

/** What not every database has. */
export interface LevelExtras {
  /** Reads a range's size from the engine's index; without it `approximateSize` adds up what it reads. */
  readonly sizeOf?: (range: KeyRange) => Promise<number>;
  /** Rewrites the files of a range without what was deleted. */
  readonly compact?: (range: KeyRange) => Promise<void>;
}

export class AbstractLevelEngine implements StoreEngine {
  readonly capabilities: EngineCapabilities;
  readonly #database: LevelDatabase;
  readonly #extras: LevelExtras;

  constructor(database: LevelDatabase, extras: LevelExtras = {}) {
    this.#database = database;
    this.#extras = extras;
    this.capabilities = { sizeFromIndex: extras.sizeOf !== undefined };
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0];
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const values = await this.#database.getMany([...keys]);
    return values.map((value) => (value === undefined ? undefined : plainBytes(value)));
  }

  async *entries(
    range: KeyRange,
    options: ReadOptions = {},
  ): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    const { reverse = false, limit = Number.POSITIVE_INFINITY } = options;
    const bounds = { gte: range.from, lt: range.to, reverse, highWaterMarkBytes: blockBytesMax };
    const iterator = this.#database.iterator(Number.isFinite(limit) ? { ...bounds, limit } : bounds);
    try {
      for (;;) {
        const block = await iterator.nextv(blockRowsMax);
        if (block.length === 0) return;
        for (const [key, value] of block) yield [plainBytes(key), plainBytes(value)];
      }
    } finally {
      await iterator.close();
    }
  }

  async firstKey(range: KeyRange): Promise<Uint8Array | undefined> {
    const iterator = this.#database.keys({ gte: range.from, lt: range.to, limit: 1 });
    try {
      const [key] = await iterator.nextv(1);
      return key === undefined ? undefined : plainBytes(key);
    } finally {
      await iterator.close();
    }
  }

  async write(operations: readonly KeyOperation[], sync: boolean): Promise<void> {
    await this.#database.batch([...operations], { sync });
  }

  async clear(range: KeyRange): Promise<void> {
    await this.#database.clear({ gte: range.from, lt: range.to });
  }

  async approximateSize(range: KeyRange): Promise<number> {
    if (this.#extras.sizeOf !== undefined) return this.#extras.sizeOf(range);
    let bytes = 0;
    for await (const [key, value] of this.entries(range)) bytes += key.length + value.length;
    return bytes;
  }

  async compact(range: KeyRange): Promise<void> {
    await this.#extras.compact?.(range);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** The bindings hand out Buffers, whose `slice` shares memory where that of a Uint8Array copies. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function openError(path: string, cause: unknown): StoreError {
  const reason =
    cause instanceof Error && cause.cause !== undefined ? errorText(cause.cause) : errorText(cause);
  return new StoreError(storeErrorCodes.open, `cannot open the store in ${path}: ${reason}`, { cause });
}

/**
 * LevelDB and RocksDB take a folder without the file CURRENT for a new one and delete the data in it. Throws where there
 * is data: somebody has to look, and to bring that file back.
 */
export async function assertNotBeheaded(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes('CURRENT')) return;
  for (const name of names.filter((one) => /\.(ldb|sst|log)$/.test(one))) {
    if ((await stat(join(path, name))).size === 0) continue;
    throw new Error(`its file CURRENT is missing, and ${name} holds data that opening would delete`);
  }
}
