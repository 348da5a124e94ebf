/**
 * Little-endian binary writing and reading over caller-visible buffers, used by log frames, wire payloads
 * and pages. Varints are LEB128 as in Protocol Buffers ("Encoding", base 128 varints). 64-bit floats move as bits.
 */
import { AssertionError, assert } from './assert.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The growable buffer that encoders append to. It lends its bytes out, so columns are written in place. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = 256) {
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** The buffer behind; only its first `length` bytes mean something, and only until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Forgets what was written and keeps the memory. */
  reset(): void {
    this.#length = 0;
  }

  /** Takes back what was written behind the first `length` bytes. */
  truncate(length: number): void {
    assert(length >= 0 && length <= this.#length, `${this.#length} written bytes have no first ${length}`);
    this.#length = length;
  }

  /** Makes room for `count` more bytes and returns where they begin; the caller fills them all. */
  reserve(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = needed;
    return at;
  }

  u8(value: number): void {
    const at = this.reserve(1);
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.reserve(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: bigint): void {
    const at = this.reserve(8);
    this.#view.setBigUint64(at, value, true);
  }

  f64(value: number): void {
    const at = this.reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  /** An unsigned integer up to 2^53 - 1. */
  varint(value: number): void {
    // Anything else would be read back as another number, and Infinity written for ever.
    if (!Number.isSafeInteger(value) || value < 0) throw new AssertionError(`${value} has no varint`);
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  /** A signed integer in ±(2^52 - 1), zigzag-coded. */
  varsint(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  raw(bytes: Uint8Array): void {
    // Room first: making it may replace the buffer.
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Length-prefixed bytes. */
  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Length-prefixed UTF-8. */
  text(value: string): void {
    this.block(encoder.encode(value));
  }

  /** The bits of a typed array's elements, without length; the platform's order is little-endian. */
  column(values: Float64Array | Uint32Array): void {
    this.raw(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  /** A copy that owns its buffer, ready to be transferred. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Thrown by ByteReader when the bytes end early or hold an impossible value. */
export class ByteFormatError extends Error {
  override readonly name = 'ByteFormatError';
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // A plain Uint8Array even for a Buffer, whose `slice` shares memory where that of a Uint8Array copies.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  #take(count: number): number {
    const at = this.#at;
    if (count < 0 || at + count > this.#bytes.length) {
      throw new ByteFormatError(`needed ${count} bytes at offset ${at} of ${this.#bytes.length}`);
    }
    this.#at = at + count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new ByteFormatError(`varint before offset ${this.#at} exceeds 2^53 - 1`);
  }

  varsint(): number {
    const coded = this.varint();
    return coded % 2 === 1 ? -(coded + 1) / 2 : coded / 2;
  }

  /** A view of the next `count` bytes, not a copy. */
  raw(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  block(): Uint8Array {
    return this.raw(this.varint());
  }

  text(): string {
    const bytes = this.block();
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new ByteFormatError(`text before offset ${this.#at} is not UTF-8`, { cause });
    }
  }

  /** `count` 64-bit floats, copied bit for bit into an aligned array. */
  floats(count: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.raw(count * 8).slice().buffer);
  }

  /** `count` unsigned 32-bit integers, copied into an aligned array. */
  uints(count: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.raw(count * 4).slice().buffer);
  }
}
