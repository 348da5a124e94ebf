/** A column as it is: 8 bytes per element, little-endian as the platform, moved as bytes so that NaN bits survive. */
import type { ByteWriter } from '../../base/index.ts';
import type { ByteCursor } from './byte_cursor.ts';

export function encodeRaw(column: Float64Array, from: number, to: number, out: ByteWriter): void {
  out.raw(new Uint8Array(column.buffer, column.byteOffset + from * 8, (to - from) * 8));
}

export function decodeRaw(cursor: ByteCursor, count: number, out: Float64Array, outAt: number): void {
  const at = cursor.take(count * 8);
  const target = new Uint8Array(out.buffer, out.byteOffset + outAt * 8, count * 8);
  target.set(cursor.bytes.subarray(at, at + count * 8));
}
