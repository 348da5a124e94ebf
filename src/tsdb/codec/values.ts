/** Columns of sample values, bit for bit: docs/formats/page.md draws them. */
import type { ByteSink } from './byte_sink.ts';
import { decodeRaw, encodeRaw } from './raw_column.ts';

/** Appends `values[from, to)` to `out`, whatever their bits. The number of elements is not written. */
export function encodeValues(values: Float64Array, from: number, to: number, out: ByteSink): void {
  encodeRaw(values, from, to, out);
}

/**
 * Decodes `count` values at `bytes[at]` into `out[outAt, outAt + count)` and returns the offset behind them.
 * Throws PageFormatError for bytes that `encodeValues` did not write; what is in `out` is then undefined.
 */
export function decodeValues(
  bytes: Uint8Array,
  at: number,
  count: number,
  out: Float64Array,
  outAt: number,
): number {
  return decodeRaw(bytes, at, count, out, outAt);
}
