/**
 * The growable buffer that encoders append to. Unlike base's ByteWriter it lends its bytes out, so that columns are
 * written in place and a reused sink costs no allocation.
 */
import { assert } from '../../base/index.ts';

export class ByteSink {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = 1024) {
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
    assert(length >= 0 && length <= this.#length, `a sink of ${this.#length} bytes has no first ${length}`);
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

  f64(value: number): void {
    const at = this.reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  /** An unsigned integer up to 2^53 - 1, LEB128. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `${value} has no varint`);
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
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A copy of what was written, which owns its buffer. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
