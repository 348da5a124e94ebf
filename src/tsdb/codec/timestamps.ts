/**
 * Columns of timestamps: integers (codec/integers.ts), where a constant interval is a line and costs a header only, or
 * as they are where they are no integers. docs/formats/page.md draws both.
 */
import type { ByteWriter } from '../../base/index.ts';
import { ByteCursor } from './byte_cursor.ts';
import { decodeIntegers, encodeIntegers, integerMax, planIntegers } from './integers.ts';
import { PageFormatError } from './page_format_error.ts';
import { decodeRaw, encodeRaw } from './raw_column.ts';

const kindRaw = 0;
const kindIntegers = 1;

/** Appends `times[from, to)` (integers, ms, ascending) to `out`. The number of elements is not written. */
export function encodeTimestamps(times: Float64Array, from: number, to: number, out: ByteWriter): void {
  if (from === to) return;
  for (let i = from; i < to; i++) {
    const time = times[i] as number;
    // NaN, fractions and -0 would come back as others.
    if (Number.isInteger(time) && Math.abs(time) <= integerMax && !Object.is(time, -0)) continue;
    out.u8(kindRaw);
    encodeRaw(times, from, to, out);
    return;
  }
  out.u8(kindIntegers);
  const column = times.subarray(from, to);
  encodeIntegers(column, planIntegers(column, to - from), out);
}

/**
 * Decodes `count` timestamps at `bytes[at]` into `out[outAt, outAt + count)` and returns the offset behind them.
 * Throws PageFormatError for bytes that can't be a column; what is in `out` is then undefined.
 */
export function decodeTimestamps(
  bytes: Uint8Array,
  at: number,
  count: number,
  out: Float64Array,
  outAt: number,
): number {
  if (count === 0) return at;
  const cursor = new ByteCursor(bytes, at);
  const kind = cursor.u8();
  if (kind === kindIntegers) decodeIntegers(cursor, count, out, outAt);
  else if (kind === kindRaw) decodeRaw(cursor, count, out, outAt);
  else throw new PageFormatError(`kind ${kind} of timestamps is not known`);
  return cursor.at;
}
