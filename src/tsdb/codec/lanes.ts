/**
 * Lanes: unsigned integers of equal width in whole bytes, stored as byte planes: all lowest bytes, then all second
 * ones, and so on. Planes decode without alignment, and zstd finds in the upper ones what it needs.
 *
 *     width 2, three lanes   | lo 0 | lo 1 | lo 2 | hi 0 | hi 1 | hi 2 |
 */
import type { ByteCursor } from './byte_cursor.ts';
import type { ByteSink } from './byte_sink.ts';

/** 256^width: what a lane of that width stays below. */
export function laneLimit(width: number): number {
  return 2 ** (8 * width);
}

/** Appends `lanes[0, count)`, each in `[0, laneLimit(width))`; `width` is 0 to 7. */
export function encodeLanes(lanes: Float64Array, count: number, width: number, out: ByteSink): void {
  const at = out.reserve(count * width);
  const bytes = out.bytes;
  for (let plane = 0; plane < width; plane++) {
    const planeAt = at + plane * count;
    if (plane < 4) {
      const shift = plane * 8;
      // The conversion takes the lowest 32 bits of any safe integer.
      for (let i = 0; i < count; i++) bytes[planeAt + i] = (lanes[i] as number) >>> shift;
    } else {
      const unit = laneLimit(plane);
      for (let i = 0; i < count; i++) bytes[planeAt + i] = Math.floor((lanes[i] as number) / unit);
    }
  }
}

/** Reads `count` lanes and writes each plus `base` to `out` from `outAt` on. */
export function decodeLanes(
  cursor: ByteCursor,
  count: number,
  width: number,
  base: number,
  out: Float64Array,
  outAt: number,
): void {
  const at = cursor.take(count * width);
  const { bytes } = cursor;
  if (width === 0) out.fill(base, outAt, outAt + count);
  else if (width === 1) {
    for (let i = 0; i < count; i++) out[outAt + i] = base + (bytes[at + i] as number);
  } else if (width === 2) decodeTwo(bytes, at, count, base, out, outAt);
  else decodeMany(bytes, at, count, width, base, out, outAt);
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

/** Three planes at a time: they fit a small integer. */
function decodeMany(
  bytes: Uint8Array,
  at: number,
  count: number,
  width: number,
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
  for (let plane = 3; plane < width; plane++) {
    const unit = laneLimit(plane);
    const planeAt = at + plane * count;
    for (let i = 0; i < count; i++)
      out[outAt + i] = (out[outAt + i] as number) + (bytes[planeAt + i] as number) * unit;
  }
}
