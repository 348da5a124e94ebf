/**
 * Lanes: unsigned integers of equal width. Whole bytes are stored as byte planes: all lowest bytes, then all second
 * ones, and so on; halves and quarters of a byte share it with lanes that are as far apart as can be. Either way a
 * loop reads bytes in a row without alignment, and zstd finds in the upper planes what it needs.
 *
 *     16 bits, three lanes   | lo 0 | lo 1 | lo 2 | hi 0 | hi 1 | hi 2 |
 *     4 bits, five lanes     | 3,0  | 4,1  | -,2  |      (upper, lower half)
 */
import type { ByteWriter } from '../../base/index.ts';
import type { ByteCursor } from './byte_cursor.ts';

/** Bits of a lane, by the width's code. A double's integers have no more than 53. */
export const laneBits: readonly number[] = [0, 2, 4, 8, 16, 24, 32, 40, 48, 56];

const laneLimits = laneBits.map((bits) => 2 ** bits);

/** The code of the first width in whole bytes. */
const wholeByteCode = 3;

/** What a lane of that width stays below. */
export function laneLimit(code: number): number {
  return laneLimits[code] as number;
}

export function lanesBytes(code: number, count: number): number {
  return Math.ceil((count * (laneBits[code] as number)) / 8);
}

/** Appends `lanes[0, count)`, each in `[0, laneLimit(code))`. */
export function encodeLanes(lanes: Float64Array, count: number, code: number, out: ByteWriter): void {
  // No width, no bytes: there is nothing to walk over either.
  if (code === 0) return;
  const at = out.reserve(lanesBytes(code, count));
  const { bytes } = out;
  if (code < wholeByteCode) {
    encodeParts(lanes, count, code, bytes, at);
    return;
  }
  const planes = (laneBits[code] as number) / 8;
  for (let plane = 0; plane < planes; plane++) {
    const planeAt = at + plane * count;
    if (plane < 4) {
      const shift = plane * 8;
      // The conversion takes the lowest 32 bits of any safe integer.
      for (let i = 0; i < count; i++) bytes[planeAt + i] = (lanes[i] as number) >>> shift;
    } else {
      const unit = 2 ** (8 * plane);
      for (let i = 0; i < count; i++) bytes[planeAt + i] = Math.floor((lanes[i] as number) / unit);
    }
  }
}

function encodeParts(lanes: Float64Array, count: number, code: number, bytes: Uint8Array, at: number): void {
  const bits = laneBits[code] as number;
  const length = lanesBytes(code, count);
  bytes.fill(0, at, at + length);
  for (let from = 0, shift = 0; from < count; from += length, shift += bits) {
    const part = Math.min(length, count - from);
    for (let i = 0; i < part; i++)
      bytes[at + i] = (bytes[at + i] as number) | ((lanes[from + i] as number) << shift);
  }
}

/** Reads `count` lanes and writes each plus `base` to `out` from `outAt` on. */
export function decodeLanes(
  cursor: ByteCursor,
  count: number,
  code: number,
  base: number,
  out: Float64Array,
  outAt: number,
): void {
  const at = cursor.take(lanesBytes(code, count));
  const { bytes } = cursor;
  const bits = laneBits[code] as number;
  if (bits === 0) out.fill(base, outAt, outAt + count);
  else if (bits < 8) decodeParts(bytes, at, count, code, base, out, outAt);
  else if (bits === 8) decodeOne(bytes, at, count, base, out, outAt);
  else if (bits === 16) decodeTwo(bytes, at, count, base, out, outAt);
  else decodeMany(bytes, at, count, bits / 8, base, out, outAt);
}

function decodeParts(
  bytes: Uint8Array,
  at: number,
  count: number,
  code: number,
  base: number,
  out: Float64Array,
  outAt: number,
): void {
  const bits = laneBits[code] as number;
  const mask = (1 << bits) - 1;
  const length = lanesBytes(code, count);
  for (let from = 0, shift = 0; from < count; from += length, shift += bits) {
    const part = Math.min(length, count - from);
    for (let i = 0; i < part; i++)
      out[outAt + from + i] = base + (((bytes[at + i] as number) >>> shift) & mask);
  }
}

function decodeOne(
  bytes: Uint8Array,
  at: number,
  count: number,
  base: number,
  out: Float64Array,
  outAt: number,
): void {
  for (let i = 0; i < count; i++) out[outAt + i] = base + (bytes[at + i] as number);
}

function decodeTwo(
  bytes: Uint8Array,
  at: number,
  count: number,
  base: number,
  out: Float64Array,
  outAt: number,
): void {
  const highAt = at + count;
  for (let i = 0; i < count; i++)
    out[outAt + i] = base + ((bytes[at + i] as number) | ((bytes[highAt + i] as number) << 8));
}

/** Three planes first: together they fit a small integer. */
function decodeMany(
  bytes: Uint8Array,
  at: number,
  count: number,
  planes: number,
  base: number,
  out: Float64Array,
  outAt: number,
): void {
  const secondAt = at + count;
  const thirdAt = secondAt + count;
  for (let i = 0; i < count; i++) {
    const lane =
      (bytes[at + i] as number) |
      ((bytes[secondAt + i] as number) << 8) |
      ((bytes[thirdAt + i] as number) << 16);
    out[outAt + i] = base + lane;
  }
  for (let plane = 3; plane < planes; plane++) {
    const unit = 2 ** (8 * plane);
    const planeAt = at + plane * count;
    for (let i = 0; i < count; i++)
      out[outAt + i] = (out[outAt + i] as number) + (bytes[planeAt + i] as number) * unit;
  }
}
