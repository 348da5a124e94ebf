/**
 * One log record as key and value; docs/formats/log-frame.md draws both. The frame is the write batch as it came,
 * so that the same bytes can be stored, replayed and sent.
 */
import { crc32 } from 'node:zlib';
import { assert } from '../base/index.ts';
import type { KeyRange } from './engine.ts';

const logFrameVersion = 1;
const frameHeaderBytes = 5;
const logKeyBytes = 15;
/** Shard numbers end here; the keys behind belong to the store itself. */
export const shardMax = 0xfffe;
const storePrefix = 0xffff;
const logKind = 0x4c; // 'L'

export interface LogPosition {
  readonly shard: number;
  readonly epoch: number;
  readonly sequence: number;
}

export function encodeLogKey(position: LogPosition): Uint8Array<ArrayBuffer> {
  const { shard, epoch, sequence } = position;
  assert(shard >= 0 && shard <= shardMax, `shard ${shard} is not between 0 and ${shardMax}`);
  assert(epoch >= 0 && epoch <= 0xffff_ffff, `epoch ${epoch} does not fit 32 bits`);
  assert(Number.isSafeInteger(sequence) && sequence >= 0, `sequence ${sequence} is not a safe integer`);
  const key = new Uint8Array(logKeyBytes);
  const view = new DataView(key.buffer);
  view.setUint16(0, shard);
  view.setUint8(2, logKind);
  view.setUint32(3, epoch);
  view.setBigUint64(7, BigInt(sequence));
  return key;
}

/** Undefined when the bytes are no log key. */
export function decodeLogKey(key: Uint8Array): LogPosition | undefined {
  if (key.length !== logKeyBytes || key[2] !== logKind) return undefined;
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return { shard: view.getUint16(0), epoch: view.getUint32(3), sequence: Number(view.getBigUint64(7)) };
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

/** The checksum covers the key too, so that a record under another's key is found out. */
export function encodeLogFrame(key: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(frameHeaderBytes + payload.length);
  frame[0] = logFrameVersion;
  new DataView(frame.buffer).setUint32(1, crc32(payload, crc32(key)), true);
  frame.set(payload, frameHeaderBytes);
  return frame;
}

export type FrameResult =
  | { readonly ok: true; readonly payload: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/** The payload is a view into `frame`. */
export function decodeLogFrame(key: Uint8Array, frame: Uint8Array): FrameResult {
  if (frame.length < frameHeaderBytes)
    return { ok: false, reason: `${frame.length} bytes are too few for a frame` };
  if (frame[0] !== logFrameVersion) return { ok: false, reason: `frame version ${frame[0]} is not known` };
  // A plain Uint8Array even where the frame is a Buffer, whose slices would not be copies.
  const size = frame.length - frameHeaderBytes;
  const payload = new Uint8Array(frame.buffer, frame.byteOffset + frameHeaderBytes, size);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(1, true) !== crc32(payload, crc32(key)))
    return { ok: false, reason: 'checksum mismatch' };
  return { ok: true, payload };
}
