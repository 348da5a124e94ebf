/**
 * Protobuf bytes ("Encoding", protobuf.dev) written in one go into one growing buffer. A nested message is written where
 * it belongs and its length put before it afterwards, which moves bytes only when the length takes more than one.
 */
const encoder = new TextEncoder();
const bytesMin = 256;
const varintBytesMax = 10;
/** UTF-8 bytes per UTF-16 unit. */
const utf8BytesMax = 3;

export class ProtoWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(initialBytes: number = bytesMin) {
    this.#bytes = new Uint8Array(Math.max(bytesMin, initialBytes));
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written, until the next write. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy that owns its buffer. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Forgets what was written and keeps the memory. */
  reset(): void {
    this.#length = 0;
  }

  /** An unsigned integer up to 2^53; a tag, too. */
  varint(value: number): void {
    this.#ensure(varintBytesMax);
    let rest = value;
    for (; rest >= 0x1000_0000; rest = Math.floor(rest / 0x80)) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    }
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  /** int64: a negative number takes ten bytes, two's complement. */
  int64(value: number): void {
    if (value >= 0) {
      this.varint(value);
      return;
    }
    this.#ensure(varintBytesMax);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  /** sint32 and sint64: zigzag. */
  sint64(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  double(value: number): void {
    this.#ensure(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A double by its words, so that no bit changes. */
  words(low: number, high: number): void {
    this.#ensure(8);
    this.#view.setUint32(this.#length, low, true);
    this.#view.setUint32(this.#length + 4, high, true);
    this.#length += 8;
  }

  bytes(tag: number, value: Uint8Array): void {
    this.varint(tag);
    this.varint(value.length);
    this.raw(value);
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): void {
    this.#ensure(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  text(tag: number, value: string): void {
    const start = this.open(tag);
    this.#ensure(value.length * utf8BytesMax);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) {
        // Not ASCII: from here on by the library.
        at += encoder.encodeInto(value.slice(i), bytes.subarray(at)).written;
        break;
      }
      bytes[at++] = unit;
    }
    this.#length = at;
    this.close(start);
  }

  /** Begins a nested message; what comes until `close` belongs to it. */
  open(tag: number): number {
    this.varint(tag);
    this.#ensure(1);
    return ++this.#length;
  }

  close(start: number): void {
    const size = this.#length - start;
    if (size < 0x80) {
      this.#bytes[start - 1] = size;
      return;
    }
    let extra = 0;
    for (let rest = size; rest >= 0x80; rest = Math.floor(rest / 0x80)) extra++;
    this.#ensure(extra);
    this.#bytes.copyWithin(start + extra, start, this.#length);
    const end = this.#length + extra;
    this.#length = start - 1;
    this.varint(size);
    this.#length = end;
  }

  #ensure(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
