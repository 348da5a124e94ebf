/**
 * A chunk of float samples as Prometheus' storage has it (tsdb/docs/format/chunks.md, "XOR chunk data"): number of
 * samples, then times as differences of differences and values as in xor_value.ts.
 */
import { BitWriter } from './bit_writer.ts';
import { XorWindow } from './xor_value.ts';

const writer = new BitWriter();
const window = new XorWindow();

/** Samples `from` to `to` (at most 65,535) of a series; `words` are the values as pairs of low and high words. */
export function encodeXorChunk(
  timestamps: Float64Array,
  words: Uint32Array,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  writer.reset();
  window.reset();
  writer.bits(to - from, 16);
  let time = 0;
  let delta = 0;
  for (let i = from; i < to; i++) {
    const timestamp = timestamps[i] as number;
    const low = words[i * 2] as number;
    const high = words[i * 2 + 1] as number;
    if (i === from) {
      varint(timestamp < 0 ? -timestamp * 2 - 1 : timestamp * 2);
      writer.wide(low, high, 64);
    } else {
      const next = timestamp - time;
      if (i === from + 1) varint(next);
      else deltaOfDelta(next - delta);
      delta = next;
      window.write(writer, low ^ (words[i * 2 - 2] as number), high ^ (words[i * 2 - 1] as number));
    }
    time = timestamp;
  }
  return writer.finish();
}

function varint(value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) writer.bits((rest % 0x80) | 0x80, 8);
  writer.bits(rest, 8);
}

function deltaOfDelta(value: number): void {
  if (value === 0) writer.bits(0, 1);
  else if (fits(value, 14)) prefixed(0b10, 2, value, 14);
  else if (fits(value, 17)) prefixed(0b110, 3, value, 17);
  else if (fits(value, 20)) prefixed(0b1110, 4, value, 20);
  else {
    writer.bits(0b1111, 4);
    writer.integer(value, 64);
  }
}

function prefixed(prefix: number, prefixBits: number, value: number, count: number): void {
  writer.bits(prefix, prefixBits);
  writer.bits(value, count);
}

function fits(value: number, count: number): boolean {
  return value >= -(2 ** (count - 1) - 1) && value <= 2 ** (count - 1);
}
