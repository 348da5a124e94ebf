/** A place in bytes that may be damaged: every read is checked, and says PageFormatError where the bytes end. */
import { PageFormatError } from './page_format_error.ts';

/** Varints above 2^53 - 1 have no number. */
const varintBytesMax = 8;

export class ByteCursor {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Passes `count` bytes and returns where they begin. */
  take(count: number): number {
    const at = this.at;
    const end = at + count;
    if (!(at >= 0 && end <= this.bytes.length))
      throw new PageFormatError(`needed ${count} bytes at ${at} of ${this.bytes.length}`);
    this.at = end;
    return at;
  }

  u8(): number {
    return this.bytes[this.take(1)] ?? 0;
  }

  /** As a signed word. */
  word(): number {
    const at = this.take(4);
    const { bytes } = this;
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < varintBytesMax; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new PageFormatError(`varint before ${this.at} exceeds 2^53 - 1`);
  }

  varsint(): number {
    const coded = this.varint();
    return coded % 2 === 1 ? -(coded + 1) / 2 : coded / 2;
  }
}
