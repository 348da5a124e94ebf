/**
 * Writing snappy blocks (google/snappy, format_description.txt): in pieces of 64 KiB, each greedily: four bytes that were
 * seen before in the piece become a copy as long as they match, the rest literals. Where nothing matches it looks ever
 * less often, so what can't be compressed costs little.
 */
import { ProtoWriter } from './proto_writer.ts';

const pieceBytes = 1 << 16;
const tableBits = 14;
/** The last bytes of a piece are always a literal: matches are looked for four bytes at a time. */
const tailBytes = 15;
const copyBytesMax = 64;

const table = new Uint16Array(1 << tableBits);

export function snappyCompress(input: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new ProtoWriter();
  head.varint(input.length);
  // A literal of a whole piece adds three bytes, each further break less than what the copy before it saved.
  const output = new Uint8Array(
    head.length + input.length + 8 + 8 * Math.ceil(input.length / pieceBytes) + (input.length >>> 5),
  );
  output.set(head.written);
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = head.length;
  for (let from = 0; from < input.length; from += pieceBytes) {
    at = compressPiece(input, view, from, Math.min(input.length, from + pieceBytes), output, at);
  }
  return output.slice(0, at);
}

function hashOf(word: number): number {
  return Math.imul(word, 0x1e35a7bd) >>> (32 - tableBits);
}

function compressPiece(
  input: Uint8Array,
  view: DataView,
  from: number,
  to: number,
  output: Uint8Array,
  outputAt: number,
): number {
  let out = outputAt;
  let literalFrom = from;
  const last = to - tailBytes;
  table.fill(0);
  let at = from + 1;
  let misses = 32;
  while (at < last) {
    const word = view.getUint32(at, true);
    const slot = hashOf(word);
    const candidate = from + (table[slot] as number);
    table[slot] = at - from;
    if (view.getUint32(candidate, true) !== word || candidate >= at) {
      at += misses++ >>> 5;
      continue;
    }
    misses = 32;
    out = putLiteral(input, literalFrom, at, output, out);
    let end = at + 4;
    let seen = candidate + 4;
    while (end < to && input[end] === input[seen]) {
      end++;
      seen++;
    }
    out = putCopies(output, out, at - candidate, end - at);
    at = end;
    literalFrom = end;
  }
  return putLiteral(input, literalFrom, to, output, out);
}

function putLiteral(
  input: Uint8Array,
  from: number,
  to: number,
  output: Uint8Array,
  outputAt: number,
): number {
  const length = to - from;
  if (length === 0) return outputAt;
  let out = outputAt;
  const code = length - 1;
  if (code < 60) output[out++] = code << 2;
  else if (code < 0x100) {
    output[out++] = 60 << 2;
    output[out++] = code;
  } else {
    output[out++] = 61 << 2;
    output[out++] = code & 0xff;
    output[out++] = code >>> 8;
  }
  if (length > 16) output.set(input.subarray(from, to), out);
  else for (let i = 0; i < length; i++) output[out + i] = input[from + i] as number;
  return out + length;
}

function putCopies(output: Uint8Array, outputAt: number, offset: number, length: number): number {
  let out = outputAt;
  let left = length;
  while (left > 0) {
    // Never leaves less than the four bytes of which a short copy is made at least.
    const part = left > copyBytesMax ? (left < copyBytesMax + 4 ? copyBytesMax - 4 : copyBytesMax) : left;
    if (part >= 4 && part < 12 && offset < 2048) {
      output[out++] = ((offset >>> 8) << 5) | ((part - 4) << 2) | 1;
      output[out++] = offset & 0xff;
    } else {
      output[out++] = ((part - 1) << 2) | 2;
      output[out++] = offset & 0xff;
      output[out++] = offset >>> 8;
    }
    left -= part;
  }
  return out;
}
