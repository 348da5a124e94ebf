/**
 * Keys of a shard's log and of what stands beside it: docs/formats/log-frame.md draws them. Big-endian, so that
 * records sort as they were written.
 */
import { assert } from '../../base/index.ts';
import type { KeyRange } from '../engine.ts';

/** Shard numbers end here; the keys behind belong to the store itself. */
export const shardMax = 0xfffe;
const storePrefix = 0xffff;

/** The kinds of a shard's keys that belong to its log. */
export const LogKeyKind = { Record: 0x4c, Definition: 0x53, State: 0x4d } as const;
export type LogKeyKind = (typeof LogKeyKind)[keyof typeof LogKeyKind];

const recordKeyBytes = 15;
const definitionsKeyBytes = 7;
const sealedMark = 0x66; // 'f', for the floor
const metadataMark = 0x6d; // 'm'
/** Series ids and epochs have 32 bits. */
export const idMax = 0xffff_ffff;

const encoder = new TextEncoder();

export interface RecordPosition {
  readonly epoch: number;
  readonly sequence: number;
}

export function recordKey(shard: number, { epoch, sequence }: RecordPosition): Uint8Array<ArrayBuffer> {
  assert(epoch >= 0 && epoch <= idMax, `epoch ${epoch} does not fit 32 bits`);
  assert(Number.isSafeInteger(sequence) && sequence >= 0, `sequence ${sequence} is not a safe integer`);
  const key = kindKey(shard, LogKeyKind.Record, recordKeyBytes);
  const view = new DataView(key.buffer);
  view.setUint32(3, epoch);
  view.setUint32(7, Math.floor(sequence / 2 ** 32));
  view.setUint32(11, sequence % 2 ** 32);
  return key;
}

/** Undefined when the bytes are no key of a record. */
export function parseRecordKey(key: Uint8Array): RecordPosition | undefined {
  if (key.length !== recordKeyBytes || key[2] !== LogKeyKind.Record) return undefined;
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const sequence = view.getUint32(7) * 2 ** 32 + view.getUint32(11);
  return Number.isSafeInteger(sequence) ? { epoch: view.getUint32(3), sequence } : undefined;
}

/** A group of definitions of series; groups are numbered as they are written. */
export function definitionsKey(shard: number, number: number): Uint8Array<ArrayBuffer> {
  assert(number >= 0 && number <= idMax, `group ${number} of definitions`);
  const key = kindKey(shard, LogKeyKind.Definition, definitionsKeyBytes);
  new DataView(key.buffer).setUint32(3, number);
  return key;
}

/** Undefined when the bytes are no key of definitions. */
export function parseDefinitionsKey(key: Uint8Array): number | undefined {
  if (key.length !== definitionsKeyBytes || key[2] !== LogKeyKind.Definition) return undefined;
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(3);
}

/** How far the shard is sealed. */
export function sealedKey(shard: number): Uint8Array<ArrayBuffer> {
  const key = kindKey(shard, LogKeyKind.State, 4);
  key[3] = sealedMark;
  return key;
}

/** What is known of a metric. */
export function metadataKey(shard: number, metric: string): Uint8Array<ArrayBuffer> {
  const name = encoder.encode(metric);
  const key = kindKey(shard, LogKeyKind.State, 4 + name.length);
  key[3] = metadataMark;
  key.set(name, 4);
  return key;
}

export function metadataRange(shard: number): KeyRange {
  const to = metadataKey(shard, '');
  to[3] = metadataMark + 1;
  return { from: metadataKey(shard, ''), to };
}

/** All keys of one kind of the shard. */
export function kindRange(shard: number, kind: LogKeyKind): KeyRange {
  const to = kindKey(shard, kind, 3);
  to[2] = kind + 1;
  return { from: kindKey(shard, kind, 3), to };
}

/** All keys of one shard. */
export function shardRange(shard: number): KeyRange {
  assert(shard >= 0 && shard <= shardMax, `shard ${shard} is not between 0 and ${shardMax}`);
  return { from: prefix(shard), to: prefix(shard + 1) };
}

/** All keys of this shard and of those behind it. */
export function shardsFrom(shard: number): KeyRange {
  return { from: prefix(shard), to: prefix(storePrefix) };
}

/** The shard that a key belongs to. */
export function shardOfKey(key: Uint8Array): number {
  return ((key[0] ?? 0) << 8) | (key[1] ?? 0);
}

/** A key of the store itself, named by one letter. */
export function storeKey(letter: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array([0xff, 0xff, letter.charCodeAt(0)]);
}

function prefix(shard: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([shard >> 8, shard & 0xff]);
}

function kindKey(shard: number, kind: LogKeyKind, length: number): Uint8Array<ArrayBuffer> {
  assert(shard >= 0 && shard <= shardMax, `shard ${shard} is not between 0 and ${shardMax}`);
  const key = new Uint8Array(length);
  key[0] = shard >> 8;
  key[1] = shard & 0xff;
  key[2] = kind;
  return key;
}
