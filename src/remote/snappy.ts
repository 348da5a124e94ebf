/**
 * The snappy block format (google/snappy, format_description.txt). Reading is done here, strictly, because bodies come
 * from anyone: the size is checked before anything is allocated, every element must stay inside input and output, and
 * the output must come out exactly as long as announced.
 */
import { RemoteRequestError, remoteErrorCodes } from './errors.ts';

/** The densest element is a 3-byte copy of 64 bytes; a body that announces more than this ratio lies. */
const expansionMax = 22;
const sizeVarintBytesMax = 5;

/**
 * Into `scratch` when that is long enough: the result is then the beginning of it. Throws RemoteRequestError:
 * `request_too_large` beyond `sizeMax` bytes, `snappy_corrupt`.
 */
export function snappyUncompress(
  input: Uint8Array,
  sizeMax: number,
  scratch?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { size, bytes } = readSize(input);
  if (size > sizeMax) {
    const message = `the body uncompresses to ${size} bytes, the limit is ${sizeMax}`;
    throw new RemoteRequestError(remoteErrorCodes.tooLarge, message);
  }
  if (size > input.length * expansionMax) {
    throw corrupt(`${input.length} bytes can't uncompress to the ${size} announced`);
  }
  const output =
    scratch !== undefined && scratch.length >= size ? scratch.subarray(0, size) : new Uint8Array(size);
  const outAt = readElements(input, bytes, output);
  if (outAt !== size) throw corrupt(`${outAt} bytes came out, ${size} were announced`);
  return output;
}

/** Reads the elements from `from` on; returns how much came out. Makes no object per element: there are millions. */
function readElements(input: Uint8Array, from: number, output: Uint8Array): number {
  const size = output.length;
  const inputView = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const outputView = new DataView(output.buffer, output.byteOffset, output.byteLength);
  let at = from;
  let outAt = 0;
  while (at < input.length) {
    const tag = input[at] as number;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const extra = short < 60 ? 0 : short - 59;
      const length = extra === 0 ? short + 1 : readUint(input, at + 1, extra) + 1;
      const start = at + 1 + extra;
      if (start + length > input.length || outAt + length > size)
        throw corrupt('a literal runs over the end');
      moveLiteral(inputView, start, outputView, outAt, length);
      at = start + length;
      outAt += length;
      continue;
    }
    const extra = kind === 3 ? 4 : kind;
    const high = kind === 1 ? (tag >> 5) << 8 : 0;
    const offset = high + readUint(input, at + 1, extra);
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    if (offset === 0 || offset > outAt) throw corrupt(`a copy reaches ${offset} bytes back at ${outAt}`);
    if (outAt + length > size) throw corrupt('a copy runs over the end');
    moveCopy(outputView, outAt, offset, length);
    at += 1 + extra;
    outAt += length;
  }
  return outAt;
}

function corrupt(reason: string): RemoteRequestError {
  return new RemoteRequestError(remoteErrorCodes.snappy, `the body is not a valid snappy block: ${reason}`);
}

function readSize(input: Uint8Array): { size: number; bytes: number } {
  let size = 0;
  for (let i = 0; i < sizeVarintBytesMax; i++) {
    const byte = input[i];
    if (byte === undefined) throw corrupt('it ends within its length');
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) {
      if (size > 0xffff_ffff) break;
      return { size, bytes: i + 1 };
    }
  }
  throw corrupt('its length exceeds 32 bits');
}

/** Little-endian, `count` bytes. */
function readUint(input: Uint8Array, at: number, count: number): number {
  if (at + count > input.length) throw corrupt('it ends within an element');
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (input[at + i] as number);
  return value;
}

/** Below this length a loop beats a call. */
const loopBytesMax = 64;
const wordBytes = 4;

function moveLiteral(input: DataView, from: number, output: DataView, to: number, length: number): void {
  if (length > loopBytesMax) {
    const bytes = new Uint8Array(input.buffer, input.byteOffset + from, length);
    new Uint8Array(output.buffer, output.byteOffset + to, length).set(bytes);
    return;
  }
  let i = 0;
  for (; i + wordBytes <= length; i += wordBytes) output.setInt32(to + i, input.getInt32(from + i));
  for (; i < length; i++) output.setUint8(to + i, input.getUint8(from + i));
}

/** Source and target may overlap: then the bytes just written repeat. */
function moveCopy(output: DataView, to: number, offset: number, length: number): void {
  let i = 0;
  if (offset >= wordBytes) {
    for (; i + wordBytes <= length; i += wordBytes) output.setInt32(to + i, output.getInt32(to + i - offset));
  }
  for (; i < length; i++) output.setUint8(to + i, output.getUint8(to + i - offset));
}
