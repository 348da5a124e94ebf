/**
 * The frame around every value of a log: version, checksum, payload. The checksum covers the key too, so that a value
 * under another's key is found out. The version says how the payload is read: 1 is a write batch, 2 a record.
 */
import { crc32 } from 'node:zlib';

const headerBytes = 5;
export const batchFrameVersion = 1;
export const frameVersion = 2;

/** Frames the first `length` bytes of `payload`, in memory from `take` if given. */
export function encodeFrame(
  key: Uint8Array,
  payload: Uint8Array,
  length: number = payload.length,
  take: (bytes: number) => Uint8Array<ArrayBuffer> = (bytes) => new Uint8Array(bytes),
): Uint8Array<ArrayBuffer> {
  const content = payload.subarray(0, length);
  const frame = take(headerBytes + length);
  frame[0] = frameVersion;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  view.setUint32(1, crc32(content, crc32(key)), true);
  frame.set(content, headerBytes);
  return frame;
}

export type FrameResult =
  | { readonly ok: true; readonly version: number; readonly payload: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/** The payload is a view into `frame`. */
export function decodeFrame(key: Uint8Array, frame: Uint8Array): FrameResult {
  if (frame.length < headerBytes)
    return { ok: false, reason: `${frame.length} bytes are too few for a frame` };
  const version = frame[0] as number;
  if (version !== batchFrameVersion && version !== frameVersion)
    return { ok: false, reason: `frame version ${version} is not known` };
  // A plain Uint8Array even where the frame is a Buffer, whose slices would not be copies.
  const payload = new Uint8Array(frame.buffer, frame.byteOffset + headerBytes, frame.length - headerBytes);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(1, true) !== crc32(payload, crc32(key)))
    return { ok: false, reason: 'checksum mismatch' };
  return { ok: true, version, payload };
}
