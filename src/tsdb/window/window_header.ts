/**
 * The header of a sealed window: what it covers and where the chunks of its index are. It is written last and deleted
 * first: a window exists exactly as long as its header does.
 */
import { ByteReader, ByteWriter } from '../../base/index.ts';
import { Section } from './chunk_frame.ts';
import { damaged } from './errors.ts';

/** The sections whose chunks follow the header, in the order of their numbers. */
export type ChunkSection = Exclude<Section, typeof Section.Header | typeof Section.Tombstone>;
export const chunkSections: readonly ChunkSection[] = [
  Section.Names,
  Section.Pairs,
  Section.Postings,
  Section.Series,
  Section.Pages,
];

/** The chunks of one section: their first number among the index keys, and the first item of each. */
export interface SectionDirectory {
  readonly firstChunk: number;
  /** Ascending; a posting list that spans chunks begins each of them. */
  readonly firstItems: readonly number[];
}

export interface WindowHeader {
  readonly startMs: number;
  readonly generation: number;
  readonly lengthMs: number;
  /** Counts the shard's windows in the order of their coming. */
  readonly sequence: number;
  /** The highest under which its samples were written. */
  readonly epoch: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly series: number;
  readonly samples: number;
  readonly names: number;
  readonly pairs: number;
  readonly pages: number;
  readonly pageBytes: number;
  /** Without the header. */
  readonly indexBytes: number;
  readonly sections: Readonly<Record<ChunkSection, SectionDirectory>>;
}

export function encodeHeader(header: WindowHeader): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.varint(header.lengthMs / 1000);
  writer.varint(header.sequence);
  writer.varint(header.epoch);
  writer.varint(header.minTimeMs - header.startMs);
  writer.varint(header.maxTimeMs - header.minTimeMs);
  for (const count of counts(header)) writer.varint(count);
  for (const section of chunkSections) {
    const { firstItems } = header.sections[section];
    writer.varint(firstItems.length);
    let previous = 0;
    for (const item of firstItems) {
      writer.varint(item - previous);
      previous = item;
    }
  }
  return writer.finish();
}

/** Throws WindowError (`window_damaged`). */
export function decodeHeader(startMs: number, generation: number, payload: Uint8Array): WindowHeader {
  try {
    return readHeader(startMs, generation, new ByteReader(payload));
  } catch (cause) {
    throw damaged(`header of the window at ${startMs} ms`, 'it can not be read', cause);
  }
}

function counts(header: WindowHeader): number[] {
  const { series, samples, names, pairs, pages, pageBytes, indexBytes } = header;
  return [series, samples, names, pairs, pages, pageBytes, indexBytes];
}

function readHeader(startMs: number, generation: number, reader: ByteReader): WindowHeader {
  const lengthMs = reader.varint() * 1000;
  const sequence = reader.varint();
  const epoch = reader.varint();
  const minTimeMs = startMs + reader.varint();
  const maxTimeMs = minTimeMs + reader.varint();
  const series = reader.varint();
  const samples = reader.varint();
  const names = reader.varint();
  const pairs = reader.varint();
  const pages = reader.varint();
  const pageBytes = reader.varint();
  const indexBytes = reader.varint();
  let firstChunk = 1;
  const next = (): SectionDirectory => {
    const directory = { firstChunk, firstItems: readFirstItems(reader) };
    firstChunk += directory.firstItems.length;
    return directory;
  };
  const sections = {
    [Section.Names]: next(),
    [Section.Pairs]: next(),
    [Section.Postings]: next(),
    [Section.Series]: next(),
    [Section.Pages]: next(),
  };
  const range = { startMs, generation, lengthMs, sequence, epoch, minTimeMs, maxTimeMs };
  return { ...range, series, samples, names, pairs, pages, pageBytes, indexBytes, sections };
}

function readFirstItems(reader: ByteReader): number[] {
  const count = reader.varint();
  const items: number[] = [];
  let item = 0;
  for (let i = 0; i < count; i++) {
    item += reader.varint();
    items.push(item);
  }
  return items;
}

/** The last chunk whose first item is at or before `item`: where a single item lies. */
export function chunkOf(firstItems: readonly number[], item: number): number {
  let low = 0;
  let high = firstItems.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((firstItems[middle] as number) <= item) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The first chunk that may hold a piece of `item` where items can span chunks. */
export function firstChunkOf(firstItems: readonly number[], item: number): number {
  let low = 0;
  let high = firstItems.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((firstItems[middle] as number) < item) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
