/**
 * Index chunks as they are kept in the cache: texts and directories parsed once, lists left in their bytes until they
 * are asked for. Each parser checks what a reader would trip over.
 */
import { ByteFormatError, ByteReader } from '../../base/index.ts';
import type { Sized } from './byte_cache.ts';
import type { PageEntry } from './index_builder.ts';
import { type Ordinals, readOrdinals } from './ordinals.ts';
import type { WindowHeader } from './window_header.ts';

/** What a string costs besides its characters. */
const stringOverheadBytes = 32;

export interface NameEntry {
  readonly name: string;
  readonly firstPair: number;
}

export function parseNames(payload: Uint8Array): Sized<readonly NameEntry[]> {
  const reader = new ByteReader(payload);
  const names: NameEntry[] = [];
  while (reader.remaining > 0) names.push({ name: reader.text(), firstPair: reader.varint() });
  return { value: names, bytes: payload.length + names.length * (stringOverheadBytes + 32) };
}

export function parsePairs(payload: Uint8Array): Sized<readonly string[]> {
  const reader = new ByteReader(payload);
  const values: string[] = [];
  let previous = '';
  let characters = 0;
  while (reader.remaining > 0) {
    const shared = reader.varint();
    if (shared > previous.length) throw new ByteFormatError(`${shared} characters of ${previous.length}`);
    const rest = reader.text();
    previous = shared === 0 ? rest : previous.slice(0, shared) + rest;
    characters += previous.length;
    values.push(previous);
  }
  return { value: values, bytes: characters + values.length * stringOverheadBytes };
}

/** Pieces of posting lists by pair. */
export class PostingsChunk {
  readonly #payload: Uint8Array;
  readonly #pairs: number[] = [];
  readonly #offsets: number[] = [];

  constructor(payload: Uint8Array) {
    this.#payload = payload;
    const reader = new ByteReader(payload);
    while (reader.remaining > 0) {
      this.#pairs.push(reader.varint());
      const size = reader.varint();
      this.#offsets.push(payload.length - reader.remaining);
      reader.raw(size);
    }
  }

  get bytes(): number {
    return this.#payload.length + this.#pairs.length * 16;
  }

  /** Adds the pieces of the list of `pair` that are here. */
  collect(pair: number, ordinalsMax: number, into: Ordinals[]): void {
    let at = lowerBound(this.#pairs, pair);
    for (; this.#pairs[at] === pair; at++) {
      const bytes = this.#payload.subarray(this.#offsets[at] as number);
      into.push(readOrdinals(new ByteReader(bytes), ordinalsMax));
    }
  }
}

/** Labels and time range of series, by position in the chunk. */
export class SeriesChunk {
  readonly #payload: Uint8Array;
  readonly #startMs: number;
  readonly #offsets: number[] = [];

  constructor(payload: Uint8Array, startMs: number) {
    this.#payload = payload;
    this.#startMs = startMs;
    const reader = new ByteReader(payload);
    while (reader.remaining > 0) {
      const size = reader.varint();
      this.#offsets.push(payload.length - reader.remaining);
      reader.raw(size);
    }
  }

  get bytes(): number {
    return this.#payload.length + this.#offsets.length * 8;
  }

  /** Time range, and the numbers of the label pairs, ascending, in `pairs`. */
  read(position: number, pairs: number[]): { minTimeMs: number; maxTimeMs: number } {
    const offset = this.#offsets[position];
    if (offset === undefined)
      throw new ByteFormatError(`no series at ${position} of ${this.#offsets.length}`);
    const reader = new ByteReader(this.#payload.subarray(offset));
    const minTimeMs = this.#startMs + reader.varint();
    const maxTimeMs = minTimeMs + reader.varint();
    const count = reader.varint();
    if (count > reader.remaining) throw new ByteFormatError(`${count} labels in ${reader.remaining} bytes`);
    pairs.length = count;
    let pair = 0;
    for (let i = 0; i < pairs.length; i++) {
      pair += reader.varint();
      pairs[i] = pair;
    }
    return { minTimeMs, maxTimeMs };
  }
}

export function parsePages(payload: Uint8Array, header: WindowHeader): Sized<readonly PageEntry[]> {
  const reader = new ByteReader(payload);
  const pages: PageEntry[] = [];
  while (reader.remaining > 0) {
    const firstOrdinal = reader.varint();
    const lastOrdinal = firstOrdinal + reader.varint();
    const minTimeMs = header.startMs + reader.varint();
    const maxTimeMs = minTimeMs + reader.varint();
    const bytes = reader.varint();
    pages.push({ firstOrdinal, lastOrdinal, minTimeMs, maxTimeMs, bytes, crc: reader.u32() });
  }
  return { value: pages, bytes: pages.length * 80 };
}

function lowerBound(sorted: readonly number[], item: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < item) low = middle + 1;
    else high = middle;
  }
  return low;
}
