/**
 * Gathers the index of a window while its series go by, and cuts it into chunks at the end. A label pair's number is its
 * rank by (name, value), so that a series' labels are an ascending list of numbers, a label's values are
 * neighbours, and no text is stored twice for one name. docs/formats/window-index.md draws the sections.
 */
import { assert, ByteWriter } from '../../base/index.ts';
import { compareBytes, type Labels } from '../../model/index.ts';
import { Section } from './chunk_frame.ts';
import { chunkBytesMax } from './limits.ts';
import { sortInSlices } from './order.ts';
import { writeOrdinals } from './ordinals.ts';
import type { ChunkSection } from './window_header.ts';

/** One index value, not yet framed. */
export interface IndexChunk {
  readonly section: ChunkSection;
  /** The number of the first item in it. */
  readonly firstItem: number;
  readonly payload: Uint8Array;
}

/** What the index says of one page. Times are those of its samples. */
export interface PageEntry {
  readonly firstOrdinal: number;
  readonly lastOrdinal: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly bytes: number;
  readonly crc: number;
}

interface Pair {
  readonly value: string;
  readonly ordinals: number[];
  rank: number;
}

interface SeriesEntry {
  readonly pairs: readonly Pair[];
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Room that an item may take beyond the chunk's target; a longer single text has a chunk of its own. */
const postingPieceMax = 8192;

/** Items between two chances to pause: a chunk may hold ten thousand. */
const itemsAtOnce = 1024;

export class IndexBuilder {
  readonly #startMs: number;
  readonly #names = new Map<string, Map<string, Pair>>();
  readonly #series: SeriesEntry[] = [];
  readonly #pages: PageEntry[] = [];
  #pairCount = 0;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  get seriesCount(): number {
    return this.#series.length;
  }

  get nameCount(): number {
    return this.#names.size;
  }

  get pairCount(): number {
    return this.#pairCount;
  }

  get pageCount(): number {
    return this.#pages.length;
  }

  /** Gives the series the next ordinal. */
  addSeries(labels: Labels, minTimeMs: number, maxTimeMs: number): void {
    const ordinal = this.#series.length;
    const pairs: Pair[] = [];
    for (const [name, value] of labels) {
      const pair = this.#pair(name, value);
      pair.ordinals.push(ordinal);
      pairs.push(pair);
    }
    this.#series.push({ pairs, minTimeMs, maxTimeMs });
  }

  addPage(page: PageEntry): void {
    this.#pages.push(page);
  }

  /** All chunks in the order of their sections. Yields undefined where the caller may pause. */
  *chunks(): Generator<IndexChunk | undefined> {
    const names: { name: string; pairs: Pair[] }[] = [];
    let rank = 0;
    for (const name of [...this.#names.keys()].sort(compareBytes)) {
      const unsorted = [...(this.#names.get(name)?.values() ?? [])];
      const sorting = sortInSlices(unsorted, (a, b) => compareBytes(a.value, b.value));
      let step = sorting.next();
      for (; step.done !== true; step = sorting.next()) yield undefined;
      for (const pair of step.value) pair.rank = rank++;
      names.push({ name, pairs: step.value });
    }
    assert(rank === this.#pairCount, 'every pair has a rank');
    yield* nameChunks(names);
    yield* pairChunks(names);
    yield* postingChunks(names);
    yield* this.#seriesChunks();
    yield* this.#pageChunks();
  }

  #pair(name: string, value: string): Pair {
    let values = this.#names.get(name);
    if (values === undefined) {
      values = new Map();
      this.#names.set(name, values);
    }
    let pair = values.get(value);
    if (pair === undefined) {
      pair = { value, ordinals: [], rank: -1 };
      values.set(value, pair);
      this.#pairCount++;
    }
    return pair;
  }

  *#seriesChunks(): Generator<IndexChunk | undefined> {
    const chunks = new Chunker(Section.Series);
    const entry = new ByteWriter(64);
    for (const [ordinal, { pairs, minTimeMs, maxTimeMs }] of this.#series.entries()) {
      if (ordinal % itemsAtOnce === 0) yield undefined;
      entry.reset();
      entry.varint(minTimeMs - this.#startMs);
      entry.varint(maxTimeMs - minTimeMs);
      entry.varint(pairs.length);
      let previous = 0;
      for (const { rank } of pairs) {
        assert(rank >= previous, 'labels are sorted by name');
        entry.varint(rank - previous);
        previous = rank;
      }
      const full = chunks.begin(ordinal, entry.length);
      if (full !== undefined) yield full;
      chunks.writer.block(entry.bytes.subarray(0, entry.length));
    }
    yield* chunks.end();
  }

  *#pageChunks(): Generator<IndexChunk> {
    const chunks = new Chunker(Section.Pages);
    for (const [number, page] of this.#pages.entries()) {
      const full = chunks.begin(number, 64);
      if (full !== undefined) yield full;
      const { writer } = chunks;
      writer.varint(page.firstOrdinal);
      writer.varint(page.lastOrdinal - page.firstOrdinal);
      writer.varint(page.minTimeMs - this.#startMs);
      writer.varint(page.maxTimeMs - page.minTimeMs);
      writer.varint(page.bytes);
      writer.u32(page.crc);
    }
    yield* chunks.end();
  }
}

/** Collects items into payloads that stay below the bound unless a single item does not. */
class Chunker {
  readonly #section: ChunkSection;
  #firstItem = 0;
  writer: ByteWriter = new ByteWriter();

  constructor(section: ChunkSection) {
    this.#section = section;
  }

  /** To be called before an item of at most `bytes` is written; gives the chunk that it does not fit in any more. */
  begin(item: number, bytes: number): IndexChunk | undefined {
    // The frame and the item's own length come on top.
    const isFull = this.writer.length > 0 && this.writer.length + bytes + 16 > chunkBytesMax;
    const full = isFull ? this.#take() : undefined;
    if (this.writer.length === 0) this.#firstItem = item;
    return full;
  }

  *end(): Generator<IndexChunk> {
    if (this.writer.length > 0) yield this.#take();
  }

  #take(): IndexChunk {
    const chunk = { section: this.#section, firstItem: this.#firstItem, payload: this.writer.finish() };
    this.writer = new ByteWriter();
    return chunk;
  }
}

type RankedNames = readonly { readonly name: string; readonly pairs: readonly Pair[] }[];

function* nameChunks(names: RankedNames): Generator<IndexChunk> {
  const chunks = new Chunker(Section.Names);
  let firstPair = 0;
  for (const [number, { name, pairs }] of names.entries()) {
    const full = chunks.begin(number, name.length * 3);
    if (full !== undefined) yield full;
    chunks.writer.text(name);
    chunks.writer.varint(firstPair);
    firstPair += pairs.length;
  }
  yield* chunks.end();
}

function* pairChunks(names: RankedNames): Generator<IndexChunk | undefined> {
  const chunks = new Chunker(Section.Pairs);
  let previous = '';
  for (const { pairs } of names) {
    for (const { value, rank } of pairs) {
      if (rank % itemsAtOnce === 0) yield undefined;
      const full = chunks.begin(rank, value.length * 3);
      if (full !== undefined) {
        yield full;
        previous = '';
      }
      const shared = sharedPrefix(previous, value);
      chunks.writer.varint(shared);
      chunks.writer.text(value.slice(shared));
      previous = value;
    }
  }
  yield* chunks.end();
}

function* postingChunks(names: RankedNames): Generator<IndexChunk | undefined> {
  const chunks = new Chunker(Section.Postings);
  const piece = new ByteWriter(1024);
  for (const { pairs } of names) {
    for (const { ordinals, rank } of pairs) {
      if (rank % itemsAtOnce === 0) yield undefined;
      for (let from = 0; from < ordinals.length; from += postingPieceMax) {
        const to = Math.min(from + postingPieceMax, ordinals.length);
        piece.reset();
        writeOrdinals(piece, ordinals, from, to);
        const full = chunks.begin(rank, piece.length);
        if (full !== undefined) yield full;
        chunks.writer.varint(rank);
        chunks.writer.block(piece.bytes.subarray(0, piece.length));
      }
    }
  }
  yield* chunks.end();
}

/** In UTF-16 units, never between the halves of a surrogate pair, which have no UTF-8 of their own. */
function sharedPrefix(a: string, b: string): number {
  const max = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < max && a.charCodeAt(shared) === b.charCodeAt(shared)) shared++;
  const last = shared === 0 ? 0 : b.charCodeAt(shared - 1);
  return last >= 0xd800 && last < 0xdc00 ? shared - 1 : shared;
}
