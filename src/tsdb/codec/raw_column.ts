/** A column as it is: 8 bytes per element, little-endian as the platform, moved as bytes so that NaN bits survive. */
import type { ByteSink } from './byte_sink.ts';
import { PageFormatError } from './page_format_error.ts';

export function encodeRaw(column: Float64Array, from: number, to: number, out: ByteSink): void {
  out.raw(new Uint8Array(column.buffer, column.byteOffset + from * 8, (to - from) * 8));
}

export function decodeRaw(
  bytes: Uint8Array,
  at: number,
  count: number,
  out: Float64Array,
  outAt: number,
): number {
  const end = at + count * 8;
  if (end > bytes.length)
    throw new PageFormatError(`column of ${count} at ${at} ends behind ${bytes.length}`);
  new Uint8Array(out.buffer, out.byteOffset + outAt * 8, count * 8).set(bytes.subarray(at, end));
  return end;
}
