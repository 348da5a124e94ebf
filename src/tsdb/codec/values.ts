/**
 * Columns of sample values, bit for bit, in the smallest of four forms; docs/formats/page.md draws them. Only words
 * are compared and moved: a double that is NaN may change its bits on its way through a variable.
 */
import { assert, type ByteWriter } from '../../base/index.ts';
import { ByteCursor } from './byte_cursor.ts';
import { decodeDictionary, encodeDictionary, planDictionary } from './dictionary.ts';
import { PageFormatError } from './page_format_error.ts';
import { decodeScaled, encodeScaled, planScaled, type ScaledPlan } from './scaled.ts';
import { decodeXor, encodeXor, planXor, xorBytes } from './xor.ts';

const kindConstant = 0;
const kindScaled = 1;
const kindXor = 2;
const kindDictionary = 3;

/** Bytes per value at which scaled integers need no comparison with other forms. */
const scaledGoodBytes = 2;

/** Appends `values[from, to)` to `out`, whatever their bits. The number of elements is not written. */
export function encodeValues(values: Float64Array, from: number, to: number, out: ByteWriter): void {
  const count = to - from;
  if (count === 0) return;
  encodeForm(values, from, to, wordsOf(values, from, count), out);
}

/** As `encodeValues` of the first `count` values, for callers that keep their words, low first, beside them. */
export function encodeValueWords(
  values: Float64Array,
  words: Uint32Array,
  count: number,
  out: ByteWriter,
): void {
  if (count > 0) encodeForm(values, 0, count, words, out);
}

/** `words` are those from the value at `from` on. */
function encodeForm(
  values: Float64Array,
  from: number,
  to: number,
  words: Uint32Array,
  out: ByteWriter,
): void {
  const count = to - from;
  const mask = planXor(words, count);
  if (mask === 0) {
    out.u8(kindConstant);
    out.u32(words[0] as number);
    out.u32(words[1] as number);
    return;
  }
  const scaled = planScaled(values, from, to);
  if (scaled !== undefined && scaled.bytes <= count * scaledGoodBytes) {
    out.u8(kindScaled);
    encodeScaled(values, from, to, scaled, out);
    return;
  }
  const scaledBytes = scaled?.bytes ?? Number.POSITIVE_INFINITY;
  const plainBytes = xorBytes(mask, count);
  const dictionary = planDictionary(words, count);
  if (dictionary !== undefined && dictionary.bytes < Math.min(scaledBytes, plainBytes)) {
    out.u8(kindDictionary);
    encodeDictionary(dictionary, out);
  } else if (scaledBytes <= plainBytes) {
    out.u8(kindScaled);
    encodeScaled(values, from, to, scaledAgain(values, from, to), out);
  } else {
    out.u8(kindXor);
    encodeXor(words, count, mask, out);
  }
}

/** The plan of the dictionary took the place of the first one's columns. */
function scaledAgain(values: Float64Array, from: number, to: number): ScaledPlan {
  const plan = planScaled(values, from, to);
  assert(plan !== undefined, 'values that were scaled integers are none');
  return plan;
}

/**
 * Decodes `count` values at `bytes[at]` into `out[outAt, outAt + count)` and returns the offset behind them.
 * Throws PageFormatError for bytes that can't be a column; what is in `out` is then undefined. `outWords` are all words of
 * `out`, for callers that decode many columns into one.
 */
export function decodeValues(
  bytes: Uint8Array,
  at: number,
  count: number,
  out: Float64Array,
  outAt: number,
  outWords?: Uint32Array,
): number {
  if (count === 0) return at;
  const cursor = new ByteCursor(bytes, at);
  const kind = cursor.u8();
  if (kind === kindScaled) {
    decodeScaled(cursor, count, out, outAt);
    return cursor.at;
  }
  const words = outWords ?? wordsOf(out, 0, out.length);
  if (kind === kindXor) decodeXor(cursor, count, words, outAt * 2);
  else if (kind === kindDictionary) decodeDictionary(cursor, count, out, outAt, words);
  else if (kind === kindConstant) decodeConstant(cursor, count, words, outAt * 2);
  else throw new PageFormatError(`kind ${kind} of values is not known`);
  return cursor.at;
}

function decodeConstant(cursor: ByteCursor, count: number, words: Uint32Array, at: number): void {
  const low = cursor.word();
  const high = cursor.word();
  for (let i = at; i < at + count * 2; i += 2) {
    words[i] = low;
    words[i + 1] = high;
  }
}

/** The column as pairs of 32-bit words, low first. */
function wordsOf(column: Float64Array, from: number, count: number): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset + from * 8, 2 * count);
}
