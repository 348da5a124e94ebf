/**
 * Reads a window's index chunks and pages through the cache, and keeps its keys alive while somebody reads: a window
 * that was replaced or has expired is deleted from the disk when its last reader has left.
 */
import { crc32 } from 'node:zlib';
import { assert, ByteFormatError } from '../../base/index.ts';
import { PageFormatError } from '../codec/page_format_error.ts';
import type { StoreEngine } from '../engine.ts';
import type { ByteCache, Sized } from './byte_cache.ts';
import { openChunk } from './chunk_frame.ts';
import { damaged, WindowError } from './errors.ts';
import { KeyKind, windowKey, windowRange } from './keys.ts';
import type { ChunkSection, WindowHeader } from './window_header.ts';

/** What all windows of a store share. */
export interface WindowDeps {
  readonly engine: StoreEngine;
  readonly cache: ByteCache;
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

  /** One chunk of a section, parsed. Throws WindowError (`window_damaged`). */
  chunk<T>(section: ChunkSection, index: number, parse: (payload: Uint8Array) => Sized<T>): Promise<T> {
    const number = this.header.sections[section].firstChunk + index;
    const key = windowKey(this.shard, KeyKind.Index, this.header, number);
    return this.#deps.cache.get(`${this.#cachePrefix}i${number}`, async () => {
      const payload = openChunk(key, section, await this.#deps.engine.get(key));
      // What is kept must not hold a larger buffer of the engine's.
      return this.#parsed(`index chunk ${number}`, payload.slice(), parse);
    });
  }

  /** One page, parsed, if its bytes are those that the index knows. Throws WindowError (`window_damaged`). */
  page<T>(number: number, crc: number, parse: (bytes: Uint8Array) => Sized<T>): Promise<T> {
    const key = windowKey(this.shard, KeyKind.Page, this.header, number);
    return this.#deps.cache.get(`${this.#cachePrefix}p${number}`, async () => {
      const bytes = await this.#deps.engine.get(key);
      if (bytes === undefined) throw damaged(this.#name(`page ${number}`), 'it is missing');
      if (crc32(bytes) !== crc)
        throw damaged(this.#name(`page ${number}`), 'it is not the one that was written');
      return this.#parsed(`page ${number}`, bytes, parse);
    });
  }

  #parsed<T>(what: string, bytes: Uint8Array, parse: (bytes: Uint8Array) => Sized<T>): Sized<T> {
    try {
      return parse(bytes);
    } catch (cause) {
      if (cause instanceof WindowError) throw cause;
      throw damaged(this.#name(what), 'it can not be read', cause);
    }
  }

  #name(what: string): string {
    return `${what} of shard ${this.shard}'s window at ${this.header.startMs} ms`;
  }
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
