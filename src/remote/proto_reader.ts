/**
 * A cursor over protobuf bytes ("Encoding", protobuf.dev) that makes no objects: fields are visited where they lie.
 * Nested messages are windows of the same cursor.
 */
import { RemoteRequestError, remoteErrorCodes } from './errors.ts';

const WireType = { Varint: 0, Fixed64: 1, Bytes: 2, Fixed32: 5 } as const;

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #buffer: Buffer;
  #at = 0;
  /** Low and high 32 bits of the number read last by `varint64` or `fixed64`. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get at(): number {
    return this.#at;
  }

  get length(): number {
    return this.#bytes.length;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get view(): DataView {
    return this.#view;
  }

  /** Goes to an offset that is known to be within what is being read. */
  seek(at: number): void {
    this.#at = at;
  }

  /** The next field's tag: number * 8 + wire type. */
  tag(end: number): number {
    const tag = this.#varint32(end);
    if (tag < 8) throw this.#malformed('field number 0');
    return tag;
  }

  /** Reads a length and returns where those bytes end. */
  window(end: number): number {
    const length = this.#varint32(end);
    if (this.#at + length > end) throw this.#malformed(`${length} bytes do not fit what is left`);
    return this.#at + length;
  }

  /** Reads up to 64 bits into `low` and `high`. */
  varint64(end: number): void {
    const first = this.#at < end ? (this.#bytes[this.#at] as number) : 0x80;
    if (first < 0x80) {
      this.#at++;
      this.low = first;
      this.high = 0;
      return;
    }
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= end) throw this.#malformed('a number ends early');
      const byte = this.#bytes[this.#at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      // Of the tenth byte one bit is left.
      else high |= (bits & 1) << 31;
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high | 0;
        return;
      }
    }
    throw this.#malformed('a number is longer than 64 bits');
  }

  /** Reads 8 bytes into `low` and `high`. */
  fixed64(end: number): void {
    if (this.#at + 8 > end) throw this.#malformed('a fixed number ends early');
    this.low = this.#view.getUint32(this.#at, true);
    this.high = this.#view.getUint32(this.#at + 4, true);
    this.#at += 8;
  }

  /** A double; its bits are in `low` and `high` as well. */
  float(end: number): number {
    this.fixed64(end);
    return this.#view.getFloat64(this.#at - 8, true);
  }

  /** uint32 and uint64; beyond 2^53 it is rounded. */
  unsigned(end: number): number {
    this.varint64(end);
    return (this.high >>> 0) * 0x1_0000_0000 + this.low;
  }

  /** int64; beyond 2^53 it is rounded. */
  integer(end: number): number {
    this.varint64(end);
    return this.high * 0x1_0000_0000 + this.low;
  }

  /** sint32 and sint64 (zigzag); beyond 2^53 it is rounded. */
  signed(end: number): number {
    const coded = this.unsigned(end);
    return (this.low & 1) === 0 ? coded / 2 : -(coded + 1) / 2;
  }

  /** The bytes up to `end` as text; undefined when they are not UTF-8. */
  text(end: number): string | undefined {
    const start = this.#at;
    const text = this.#buffer.toString('utf8', start, end);
    this.#at = end;
    // The fast decoder puts U+FFFD for what is invalid; only then is it worth asking the strict one.
    if (!text.includes('\ufffd')) return text;
    try {
      return fatalUtf8.decode(this.#bytes.subarray(start, end));
    } catch {
      return undefined;
    }
  }

  /** Steps over the value of a field that nobody asked for. */
  skip(tag: number, end: number): void {
    const type = tag & 7;
    if (type === WireType.Varint) this.varint64(end);
    else if (type === WireType.Bytes) this.#at = this.window(end);
    else if (type === WireType.Fixed64 || type === WireType.Fixed32) {
      const size = type === WireType.Fixed64 ? 8 : 4;
      if (this.#at + size > end) throw this.#malformed('a fixed number ends early');
      this.#at += size;
    } else throw this.#malformed(`wire type ${type}`);
  }

  #varint32(end: number): number {
    this.varint64(end);
    if (this.high !== 0 || this.low > 0x7fff_ffff) throw this.#malformed('a tag or length exceeds 31 bits');
    return this.low;
  }

  #malformed(reason: string): RemoteRequestError {
    const message = `the request is not the protobuf message expected: ${reason} at byte ${this.#at}`;
    return new RemoteRequestError(remoteErrorCodes.message, message);
  }
}
