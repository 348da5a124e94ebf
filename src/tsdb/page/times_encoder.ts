/**
 * Encodes columns of times, which costs as much as encoding values, once for all series of a target: they come with equal
 * columns, which are told by comparing them.
 */
import { crc32 } from 'node:zlib';
import { ByteWriter } from '../../base/index.ts';
import { encodeTimestamps } from '../codec/timestamps.ts';

/** Columns and their encodings that are remembered; beyond, all are forgotten. */
const rememberedBytesMax: number = 16 * 2 ** 20;

export interface EncodedTimes {
  readonly bytes: Uint8Array;
  /** CRC-32 of the bytes. */
  readonly checksum: number;
}

interface Remembered extends EncodedTimes {
  readonly times: Float64Array;
}

export class TimesEncoder {
  /** By a number that hardly two columns share; one that does takes the place of the other. */
  readonly #remembered = new Map<number, Remembered>();
  readonly #writer = new ByteWriter(1024);
  #bytes = 0;

  /** `times[from, to)`, at least one. */
  encode(times: Float64Array, from: number, to: number): EncodedTimes {
    const middle = times[(from + to) >> 1] as number;
    const key = (times[from] as number) + 3 * middle + 7 * (times[to - 1] as number);
    const known = this.#remembered.get(key);
    if (known !== undefined && isEqual(known.times, times, from, to)) return known;
    this.#writer.reset();
    encodeTimestamps(times, from, to, this.#writer);
    const bytes = this.#writer.finish();
    const encoded = { bytes, checksum: crc32(bytes), times: times.slice(from, to) };
    this.#bytes += encoded.times.byteLength + bytes.length;
    if (this.#bytes > rememberedBytesMax) {
      this.#remembered.clear();
      this.#bytes = encoded.times.byteLength + bytes.length;
    }
    this.#remembered.set(key, encoded);
    return encoded;
  }
}

function isEqual(known: Float64Array, times: Float64Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (!Object.is(known[i], times[from + i])) return false;
  return true;
}
