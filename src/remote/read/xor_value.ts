/**
 * The difference of two floats as Gorilla writes it (Pelkonen et al., VLDB 2015, section 4.1.2) in the form of
 * Prometheus' chunks: one bit for "the same", else the significant bits of the XOR, in the window of the one before if
 * they fit there.
 */
import type { BitWriter } from './bit_writer.ts';

/** Five bits hold it. */
const leadingMax = 31;
const noWindow = 0xff;

/** Where the significant bits of the last difference were. */
export class XorWindow {
  #leading = noWindow;
  #trailing = 0;

  reset(): void {
    this.#leading = noWindow;
  }

  /** Writes the XOR of two values, given by its words. */
  write(writer: BitWriter, low: number, high: number): void {
    if (low === 0 && high === 0) {
      writer.bits(0, 1);
      return;
    }
    const leading = Math.min(leadingMax, high === 0 ? 32 + Math.clz32(low) : Math.clz32(high));
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    if (this.#leading !== noWindow && leading >= this.#leading && trailing >= this.#trailing) {
      writer.bits(0b10, 2);
      this.#shifted(writer, low, high);
      return;
    }
    this.#leading = leading;
    this.#trailing = trailing;
    writer.bits(0b11, 2);
    writer.bits(leading, 5);
    // 64 does not fit six bits and is written as 0, which does not come otherwise.
    writer.bits((64 - leading - trailing) & 0x3f, 6);
    this.#shifted(writer, low, high);
  }

  #shifted(writer: BitWriter, low: number, high: number): void {
    const by = this.#trailing;
    const count = 64 - this.#leading - by;
    if (by === 0) writer.wide(low, high, count);
    else if (by < 32) writer.wide((low >>> by) | (high << (32 - by)), high >>> by, count);
    else writer.wide(by === 32 ? high : high >>> (by - 32), 0, count);
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}
