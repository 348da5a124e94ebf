/** Bits one behind the other, the highest first, as the chunks of Prometheus' storage have them. */
const bytesMin = 128;

export class BitWriter {
  #bytes = new Uint8Array(bytesMin);
  /** Bits written. */
  #count = 0;

  reset(): void {
    this.#bytes.fill(0, 0, (this.#count + 7) >>> 3);
    this.#count = 0;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, (this.#count + 7) >>> 3);
  }

  /** The lowest `count` bits of `value`, at most 32. */
  bits(value: number, count: number): void {
    const at = this.#count;
    if (((at + count + 7) >>> 3) + 1 > this.#bytes.length) this.#grow();
    this.#count = at + count;
    const bytes = this.#bytes;
    let index = at >>> 3;
    let room = 8 - (at & 7);
    let left = count;
    while (left > 0) {
      const taken = Math.min(left, room);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      bytes[index] = (bytes[index] as number) | (part << (room - taken));
      left -= taken;
      index++;
      room = 8;
    }
  }

  /** The lowest `count` bits of 64. */
  wide(low: number, high: number, count: number): void {
    if (count > 32) {
      this.bits(high, count - 32);
      this.bits(low, 32);
    } else this.bits(low, count);
  }

  /** A whole number in `count` bits, two's complement; 33 to 64 of them. */
  integer(value: number, count: number): void {
    this.wide(value >>> 0, Math.floor(value / 0x1_0000_0000), count);
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
