/** Columns of timestamps: docs/formats/page.md draws them. */
import type { ByteSink } from './byte_sink.ts';
import { decodeRaw, encodeRaw } from './raw_column.ts';

/** Appends `times[from, to)` (integers, ms, ascending) to `out`. The number of elements is not written. */
export function encodeTimestamps(times: Float64Array, from: number, to: number, out: ByteSink): void {
  encodeRaw(times, from, to, out);
}

/**
 * Decodes `count` timestamps at `bytes[at]` into `out[outAt, outAt + count)` and returns the offset behind them.
 * Throws PageFormatError for bytes that `encodeTimestamps` did not write; what is in `out` is then undefined.
 */
export function decodeTimestamps(
  bytes: Uint8Array,
  at: number,
  count: number,
  out: Float64Array,
  outAt: number,
): number {
  return decodeRaw(bytes, at, count, out, outAt);
}
