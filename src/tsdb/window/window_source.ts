/**
 * Reads a window's index chunks and pages through the cache, and keeps its keys alive while somebody reads: a window
 * that was replaced or has expired is deleted from the disk when its last reader has left.
 */
import { crc32 } from 'node:zlib';
import { assert, ByteFormatError, errorText } from '../../base/index.ts';
import { PageFormatError } from '../codec/page_format_error.ts';
import type { StoreEngine } from '../engine.ts';
import type { ByteCache, Sized } from './byte_cache.ts';
import { openChunk } from './chunk_frame.ts';
import { damaged, unreadable, WindowError } from './errors.ts';
import { KeyKind, timesPagesFrom, type WindowKind, windowKey, windowRange } from './keys.ts';
import type { ChunkSection, WindowHeader } from './window_header.ts';

/** What all windows of a store share. */
export interface WindowDeps {
  readonly engine: StoreEngine;
  readonly cache: ByteCache;
}

/** A page and the checksum of its bytes. */
export interface PageKey {
  readonly number: number;
  readonly crc: number;
}

interface Item {
  readonly kind: WindowKind;
  readonly number: number;
  readonly name: string;
  readonly crc?: number;
}

/** Makes cache keys of windows that come and go under the same disk keys differ. */
let windowsOpened = 0;

export class WindowSource {
  readonly shard: number;
  readonly header: WindowHeader;
  readonly #deps: WindowDeps;
  readonly #cachePrefix = `${windowsOpened++}`;
  #readers = 0;
  #retired = false;
  #cleared: (() => void) | undefined;

  constructor(shard: number, header: WindowHeader, deps: WindowDeps) {
    this.shard = shard;
    this.header = header;
    this.#deps = deps;
  }

  /** To be paired with `leave`. */
  enter(): void {
    assert(!this.#retired || this.#readers > 0, 'a window that is gone has no new readers');
    this.#readers++;
  }

  leave(): void {
    this.#readers--;
    assert(this.#readers >= 0, 'as many readers leave as came');
    if (this.#retired && this.#readers === 0) this.#cleared?.();
  }

  /** Deletes the keys once nobody reads; the header must be gone already. Resolves when they are. */
  async retire(): Promise<void> {
    this.#retired = true;
    if (this.#readers > 0) {
      await new Promise<void>((resolve) => {
        this.#cleared = resolve;
      });
    }
    await this.#deps.engine.clear(windowRange(this.shard, KeyKind.Index, this.header));
    await this.#deps.engine.clear(windowRange(this.shard, KeyKind.Page, this.header));
  }

  /** One chunk of a section, parsed. Throws WindowError (`window_damaged`, `window_unreadable`). */
  async chunk<T>(section: ChunkSection, index: number, parse: (payload: Uint8Array) => Sized<T>): Promise<T> {
    const number = this.header.sections[section].firstChunk + index;
    const found = this.#deps.cache.find<T>(`${this.#cachePrefix}i${number}`);
    return found ?? ((await this.chunks(section, [index], parse))[0] as T);
  }

  /** Chunks of a section, parsed; those that are not in the cache are read at once. Throws as `chunk`. */
  chunks<T>(
    section: ChunkSection,
    indexes: readonly number[],
    parse: (payload: Uint8Array) => Sized<T>,
  ): Promise<T[]> {
    const { firstChunk } = this.header.sections[section];
    const numbers = indexes.map((index) => firstChunk + index);
    const cacheKeys = numbers.map((number) => `${this.#cachePrefix}i${number}`);
    return this.#deps.cache.getMany(cacheKeys, (missing) => {
      const items = missing.map((at): Item => {
        const number = numbers[at] as number;
        return { kind: KeyKind.Index, number, name: `index chunk ${number}` };
      });
      return this.#read(items, (bytes, { number }) => {
        const key = windowKey(this.shard, KeyKind.Index, this.header, number);
        // What is kept must not hold a larger buffer of the engine's.
        return parse(openChunk(key, section, bytes).slice());
      });
    });
  }

  /**
   * Pages, parsed, if their bytes are those that the index or other pages know; what is missing is read at once, and put into the
   * cache if it is to be kept. Throws WindowError (`window_damaged`, `window_unreadable`).
   */
  async pages<T>(
    wanted: readonly PageKey[],
    parse: (bytes: Uint8Array, number: number) => Sized<T>,
    isKept: boolean,
  ): Promise<T[]> {
    const read = (items: readonly Item[]): Promise<(Sized<T> | Error)[]> =>
      this.#read(items, (bytes, { number, crc }) => {
        if (crc32(bytes) !== crc) throw new PageFormatError('it is not the one that was written');
        return parse(bytes, number);
      });
    const items = wanted.map((page): Item => {
      return { kind: KeyKind.Page, name: pageName(page.number), ...page };
    });
    if (!isKept) return (await read(items)).map(readValue);
    const cacheKeys = wanted.map(({ number }) => `${this.#cachePrefix}p${number}`);
    return this.#deps.cache.getMany(cacheKeys, (missing) => read(missing.map((at) => items[at] as Item)));
  }

  /** Errors are about single items. */
  async #read<T>(
    items: readonly Item[],
    parse: (bytes: Uint8Array, item: Item) => Sized<T>,
  ): Promise<(Sized<T> | Error)[]> {
    const keys = items.map(({ kind, number }) => windowKey(this.shard, kind, this.header, number));
    let values: readonly (Uint8Array | undefined)[];
    try {
      values = await this.#deps.engine.getMany(keys);
    } catch (cause) {
      const names = items.map(({ name }) => name).join(', ');
      return items.map(() => unreadable(this.name(names), cause));
    }
    return items.map((item, i) => {
      const bytes = values[i];
      if (bytes === undefined) return damaged(this.name(item.name), 'it is missing');
      try {
        return parse(bytes, item);
      } catch (cause) {
        if (cause instanceof WindowError) return cause;
        return damaged(this.name(item.name), errorText(cause), cause);
      }
    });
  }

  /** For errors. */
  name(what: string): string {
    return `${what} of shard ${this.shard}'s window at ${this.header.startMs} ms`;
  }
}

/** As errors name it. */
function pageName(number: number): string {
  return number < timesPagesFrom ? `page ${number}` : `page of times ${number - timesPagesFrom}`;
}

function readValue<T>(read: Sized<T> | Error): T {
  if (read instanceof Error) throw read;
  return read.value;
}

/** Runs code over parsed bytes that may turn out to be impossible. */
export function trusting<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof ByteFormatError || cause instanceof PageFormatError)
      throw damaged(what, 'it contradicts itself', cause);
    throw cause;
  }
}
