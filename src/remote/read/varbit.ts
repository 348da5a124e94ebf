/** Whole numbers in as many bits as their size asks for, as histogram chunks have them (Prometheus' tsdb/chunkenc). */
import type { BitWriter } from './bit_writer.ts';

/** Bits of the number by the number of ones before it; after eight ones come all 64. */
const sizes = [0, 3, 6, 9, 12, 18, 25, 56] as const;

export function putVarbitInt(writer: BitWriter, value: number): void {
  if (value === 0) {
    writer.bits(0, 1);
    return;
  }
  const at = sizes.findIndex(
    (size) => size > 0 && value >= -(2 ** (size - 1) - 1) && value <= 2 ** (size - 1),
  );
  put(writer, value, at);
}

/** Not negative. */
export function putVarbitUint(writer: BitWriter, value: number): void {
  if (value === 0) {
    writer.bits(0, 1);
    return;
  }
  put(
    writer,
    value,
    sizes.findIndex((size) => value < 2 ** size),
  );
}

function put(writer: BitWriter, value: number, at: number): void {
  const size = sizes[at];
  if (size === undefined) {
    writer.bits(0xff, 8);
    writer.integer(value, 64);
    return;
  }
  // So many ones and a zero.
  writer.bits(2 ** (at + 1) - 2, at + 1);
  if (size <= 32) writer.bits(value, size);
  else writer.integer(value, size);
}
