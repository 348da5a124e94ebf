/**
 * Columns of doubles with no smaller form: the bits of each XOR those of the one before (Pelkonen et al., "Gorilla",
 * VLDB 2015), but in byte planes instead of bit strings, and planes that are zero throughout left out. Noise in the
 * mantissa then stays in its planes, and zstd sees the calm ones.
 */
import type { ByteWriter } from '../../base/index.ts';
import type { ByteCursor } from './byte_cursor.ts';

/** Which of the eight bytes of a double differ from those of the one before, anywhere: bit 0 is the lowest byte. */
export function planXor(words: Uint32Array, count: number): number {
  let low = 0;
  let high = 0;
  for (let i = 2; i < 2 * count; i += 2) {
    low |= (words[i] as number) ^ (words[i - 2] as number);
    high |= (words[i + 1] as number) ^ (words[i - 1] as number);
  }
  return bytesIn(low) | (bytesIn(high) << 4);
}

function bytesIn(word: number): number {
  let mask = 0;
  for (let byte = 0; byte < 4; byte++) if ((word >>> (8 * byte)) & 0xff) mask |= 1 << byte;
  return mask;
}

/** Bytes of `encodeXor`'s column. */
export function xorBytes(mask: number, count: number): number {
  let planes = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) planes++;
  return 9 + planes * (count - 1);
}

/** Appends `count` doubles, at least one, given as pairs of words; `mask` is their plan. */
export function encodeXor(words: Uint32Array, count: number, mask: number, out: ByteWriter): void {
  out.u8(mask);
  out.u32(words[0] as number);
  out.u32(words[1] as number);
  for (let plane = 0; plane < 8; plane++) {
    if ((mask & (1 << plane)) === 0) continue;
    const at = out.reserve(count - 1);
    const { bytes } = out;
    const shift = (plane & 3) * 8;
    const word = plane >> 2;
    for (let i = 1; i < count; i++) {
      const place = 2 * i + word;
      bytes[at + i - 1] = ((words[place] as number) ^ (words[place - 2] as number)) >>> shift;
    }
  }
}

/** Reads `count` doubles, at least one, into pairs of words from `words[at]` on. */
export function decodeXor(cursor: ByteCursor, count: number, words: Uint32Array, at: number): void {
  const mask = cursor.u8();
  words[at] = cursor.word();
  words[at + 1] = cursor.word();
  decodeWords(cursor, count, mask & 0xf, words, at);
  decodeWords(cursor, count, mask >> 4, words, at + 1);
}

/** The low or the high words, from `words[word]` on every second one. A plane that is left out reads some byte and masks all of it. */
function decodeWords(
  cursor: ByteCursor,
  count: number,
  mask: number,
  words: Uint32Array,
  word: number,
): void {
  let value = words[word] as number;
  if (mask === 0) {
    for (let i = 1; i < count; i++) words[2 * i + word] = value;
    return;
  }
  const { bytes } = cursor;
  const rest = count - 1;
  const at0 = mask & 1 ? cursor.take(rest) : 0;
  const at1 = mask & 2 ? cursor.take(rest) : 0;
  const at2 = mask & 4 ? cursor.take(rest) : 0;
  const at3 = mask & 8 ? cursor.take(rest) : 0;
  const keep =
    (mask & 1 ? 0xff : 0) | (mask & 2 ? 0xff00 : 0) | (mask & 4 ? 0xff0000 : 0) | (mask & 8 ? 0xff000000 : 0);
  for (let i = 0; i < rest; i++) {
    const changed =
      (bytes[at0 + i] as number) |
      ((bytes[at1 + i] as number) << 8) |
      ((bytes[at2 + i] as number) << 16) |
      ((bytes[at3 + i] as number) << 24);
    value ^= changed & keep;
    words[2 * (i + 1) + word] = value;
  }
}
