/**
 * A cursor over protobuf bytes ("Encoding", protobuf.dev) that makes no objects: fields are visited where they lie, nested
 * messages are windows of the same cursor. Faults carry the texts of the decoder that Prometheus' users know.
 */
import { ExpositionError } from '../errors.ts';

const varintBytesMax = 10;
const endGroup = 4;

/** Wire types. */
export const Wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const unexpectedEnd = (): ExpositionError => new ExpositionError('unexpected EOF');

export class ProtoCursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next field's tag (number * 8 + wire type) in the message named, which ends at `end`. */
  tag(end: number, message: string): number {
    const tag = this.unsigned(end);
    const type = tag % 8;
    if (type === endGroup) {
      throw new ExpositionError(`proto: ${message}: wiretype end group for non-group`);
    }
    if (tag < 8 || tag > 0x7fff_ffff) {
      throw new ExpositionError(`proto: ${message}: illegal tag ${Math.floor(tag / 8)} (wire type ${tag})`);
    }
    return tag;
  }

  /** Reads a length and returns where those bytes end. */
  window(end: number): number {
    const length = this.unsigned(end);
    if (this.at + length > end) throw unexpectedEnd();
    return this.at + length;
  }

  /** uint32, uint64 and enums; beyond 2^53 it is rounded. */
  unsigned(end: number): number {
    const first = this.at < end ? (this.bytes[this.at] as number) : 0x80;
    if (first < 0x80) {
      this.at++;
      return first;
    }
    let value = 0;
    let factor = 1;
    for (let i = 0; i < varintBytesMax; i++) {
      if (this.at >= end) throw unexpectedEnd();
      const byte = this.bytes[this.at++] as number;
      // Of the tenth byte one bit is left.
      value += (i === varintBytesMax - 1 ? byte & 1 : byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new ExpositionError('proto: integer overflow');
  }

  /** int64; beyond 2^53 it is rounded, exact for small negative numbers. */
  integer(end: number): number {
    const start = this.at;
    const value = this.unsigned(end);
    if (value < 2 ** 63) return value;
    // Negative: ten bytes, of which the complement is small and exact.
    let magnitude = 0;
    let factor = 1;
    for (let at = start; at < this.at && factor < 2 ** 63; at++) {
      magnitude += (~(this.bytes[at] as number) & 0x7f) * factor;
      factor *= 128;
    }
    return -magnitude - 1;
  }

  /** sint32 and sint64 (zigzag); beyond 2^52 it is rounded. */
  signed(end: number): number {
    const coded = this.unsigned(end);
    return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
  }

  float(end: number): number {
    const next = this.at + 8;
    if (next > end) throw unexpectedEnd();
    const value = this.#view.getFloat64(this.at, true);
    this.at = next;
    return value;
  }

  /** Steps over the value of a field that nobody asked for. */
  skip(tag: number, end: number): void {
    const type = tag % 8;
    if (type === Wire.varint) this.unsigned(end);
    else if (type === Wire.bytes) this.at = this.window(end);
    else if (type === Wire.fixed64 || type === Wire.fixed32) {
      this.at += type === Wire.fixed64 ? 8 : 4;
      if (this.at > end) throw unexpectedEnd();
    } else throw new ExpositionError(`proto: illegal wireType ${type}`);
  }

  /** For a field that is there with another wire type than its own. */
  wrongType(tag: number, field: string): ExpositionError {
    return new ExpositionError(`proto: wrong wireType = ${tag % 8} for field ${field}`);
  }
}
