/** A reader of XOR chunks, bit by bit and with big integers, written from the format's description alone. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bits(count: number): bigint {
    let value = 0n;
    for (let i = 0; i < count; i++, this.#at++) {
      const byte = this.#bytes[this.#at >> 3] ?? 0;
      value = (value << 1n) | BigInt((byte >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bits(8);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  }
}

export function readXorChunk(bytes: Uint8Array): { timestamps: number[]; bits: bigint[] } {
  const reader = new BitReader(bytes);
  const count = Number(reader.bits(16));
  const timestamps: number[] = [];
  const bits: bigint[] = [];
  let time = 0n;
  let delta = 0n;
  let window = { leading: 0, significant: 0 };
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      const coded = reader.varint();
      time = (coded & 1n) === 0n ? coded / 2n : -(coded + 1n) / 2n;
    } else {
      delta = i === 1 ? reader.varint() : delta + deltaOfDelta(reader);
      time += delta;
    }
    timestamps.push(Number(time));
    if (i === 0) bits.push(reader.bits(64));
    else {
      let difference = 0n;
      if (reader.bits(1) === 1n) {
        if (reader.bits(1) === 1n) {
          const leading = Number(reader.bits(5));
          const significant = Number(reader.bits(6));
          window = { leading, significant: significant === 0 ? 64 : significant };
        }
        const trailing = 64 - window.leading - window.significant;
        difference = reader.bits(window.significant) << BigInt(trailing);
      }
      bits.push((bits[i - 1] as bigint) ^ difference);
    }
  }
  return { timestamps, bits };
}

function deltaOfDelta(reader: BitReader): bigint {
  const size = [0, 14, 17, 20, 64].find((_, ones) => ones === 4 || reader.bits(1) === 0n) ?? 64;
  if (size === 0) return 0n;
  const value = reader.bits(size);
  return value > 1n << BigInt(size - 1) ? value - (1n << BigInt(size)) : value;
}
