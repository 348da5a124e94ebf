/**
 * Keys of sealed windows and tombstones: docs/formats/window-index.md draws them. Everything of one window in one
 * kind lies together, so that dropping it is deleting a key range.
 */
import { assert } from '../../base/index.ts';
import type { KeyRange } from '../engine.ts';
import { shardMax } from '../log/keys.ts';

/** The kinds of a shard's keys that belong to sealed windows. */
export const KeyKind = { Index: 0x49, Page: 0x50, Tombstone: 0x54 } as const;
export type WindowKind = typeof KeyKind.Index | typeof KeyKind.Page;

/** Pages of times are numbered from here. */
export const timesPagesFrom = 0x8000_0000;

const windowKeyBytes = 14;
const tombstoneKeyBytes = 7;
const startSecondsMax: number = 2 ** 40 - 1;
export const generationMax = 0xffff;

/** What tells one window of a shard from another. */
export interface WindowId {
  /** A multiple of 1000. */
  readonly startMs: number;
  readonly generation: number;
}

export function windowKey(
  shard: number,
  kind: WindowKind,
  id: WindowId,
  number: number,
): Uint8Array<ArrayBuffer> {
  const seconds = id.startMs / 1000;
  assert(shard >= 0 && shard <= shardMax, `shard ${shard} is not between 0 and ${shardMax}`);
  assert(Number.isInteger(seconds), `a window starts at ${id.startMs} ms, not at a full second`);
  assert(seconds >= 0 && seconds <= startSecondsMax, `a window's start ${seconds} s does not fit 40 bits`);
  assert(id.generation >= 0 && id.generation <= generationMax, `generation ${id.generation}`);
  assert(number >= 0 && number <= 0xffff_ffff, `number ${number} does not fit 32 bits`);
  const key = new Uint8Array(windowKeyBytes);
  const view = new DataView(key.buffer);
  view.setUint16(0, shard);
  view.setUint8(2, kind);
  view.setUint8(3, Math.floor(seconds / 2 ** 32));
  view.setUint32(4, seconds % 2 ** 32);
  view.setUint16(8, id.generation);
  view.setUint32(10, number);
  return key;
}

/** Undefined when the bytes are no key of a window. */
export function parseWindowKey(key: Uint8Array): (WindowId & { readonly number: number }) | undefined {
  if (key.length !== windowKeyBytes) return undefined;
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const seconds = view.getUint8(3) * 2 ** 32 + view.getUint32(4);
  return { startMs: seconds * 1000, generation: view.getUint16(8), number: view.getUint32(10) };
}

/** All keys of one window in one kind. */
export function windowRange(shard: number, kind: WindowKind, id: WindowId): KeyRange {
  return { from: windowKey(shard, kind, id, 0), to: behind(windowKey(shard, kind, id, 0xffff_ffff)) };
}

/** All keys of one kind of the shard. */
export function kindRange(shard: number, kind: number): KeyRange {
  return { from: kindPrefix(shard, kind), to: kindPrefix(shard, kind + 1) };
}

export function tombstoneKey(shard: number, number: number): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(tombstoneKeyBytes);
  key.set(kindPrefix(shard, KeyKind.Tombstone));
  new DataView(key.buffer).setUint32(3, number);
  return key;
}

/** Undefined when the bytes are no key of a tombstone. */
export function parseTombstoneKey(key: Uint8Array): number | undefined {
  if (key.length !== tombstoneKeyBytes) return undefined;
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(3);
}

/** The first key that sorts behind `key`. */
export function behind(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

function kindPrefix(shard: number, kind: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([shard >> 8, shard & 0xff, kind]);
}
