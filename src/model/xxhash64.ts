/**
 * xxHash64, seed 0 (Yann Collet, "xxHash fast digest algorithm", specification 0.1.1), over the bytes that
 * Prometheus hashes a label set by: every string followed by 0xff. The hash decides where a series lives, so it
 * is computed for every new series; 64-bit numbers are therefore pairs of 32-bit words in int32 arithmetic, which
 * runs many times faster here than BigInt.
 */

/** A 64-bit hash as two signed 32-bit words. */
export interface Hash64 {
  readonly low: number;
  readonly high: number;
}

/** The number as an unsigned bigint. */
export function hashToBigInt(hash: Hash64): bigint {
  return (BigInt(hash.high >>> 0) << 32n) | BigInt(hash.low >>> 0);
}

/** The largest modulus for which hashMod stays exact in doubles. */
export const hashModulusMax: number = 2 ** 26;

/** The unsigned hash modulo a positive integer up to hashModulusMax. */
export function hashMod(hash: Hash64, modulus: number): number {
  return (((hash.high >>> 0) % modulus) * (2 ** 32 % modulus) + ((hash.low >>> 0) % modulus)) % modulus;
}

// prime1 = 0x9e3779b185ebca87, prime2 = 0xc2b2ae3d27d4eb4f, ...: low words, then high words.
const prime1Low = 0x85ebca87 | 0;
const prime1High = 0x9e3779b1 | 0;
const prime2Low = 0x27d4eb4f;
const prime2High = 0xc2b2ae3d | 0;
const prime3Low = 0x9e3779f9 | 0;
const prime3High = 0x165667b1;
const prime4Low = 0xc2b2ae63 | 0;
const prime4High = 0x85ebca77 | 0;
const prime5Low = 0x165667c5;
const prime5High = 0x27d4eb2f;

/** The high word of the product of two unsigned 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const cross = (middle & 0xffff) + a0 * b1;
  return (a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) | 0;
}

/** The carry out of a 32-bit addition whose result was `sum`. */
function carry(sum: number, addend: number): number {
  return sum >>> 0 < addend >>> 0 ? 1 : 0;
}

/** A 64-bit register with the steps that the algorithm is made of; each works in place. */
class Register {
  low = 0;
  high = 0;

  set(low: number, high: number): void {
    this.low = low;
    this.high = high;
  }

  add(low: number, high: number): void {
    const sum = (this.low + low) | 0;
    this.high = (this.high + high + carry(sum, low)) | 0;
    this.low = sum;
  }

  xor(low: number, high: number): void {
    this.low ^= low;
    this.high ^= high;
  }

  multiply(low: number, high: number): void {
    const crossed = Math.imul(this.high, low) + Math.imul(this.low, high);
    this.high = (multiplyHigh(this.low, low) + crossed) | 0;
    this.low = Math.imul(this.low, low);
  }

  /** Bits 1 to 31. */
  rotateLeft(bits: number): void {
    const { low, high } = this;
    this.low = (low << bits) | (high >>> (32 - bits));
    this.high = (high << bits) | (low >>> (32 - bits));
  }

  /** One round: this = rotate(this + input × prime2, 31) × prime1. */
  round(low: number, high: number): void {
    const product = Math.imul(low, prime2Low);
    const crossed = Math.imul(high, prime2Low) + Math.imul(low, prime2High);
    this.add(product, (multiplyHigh(low, prime2Low) + crossed) | 0);
    this.rotateLeft(31);
    this.multiply(prime1Low, prime1High);
  }
}

class XxHash64 {
  readonly #hash = new Register();
  readonly #lane = new Register();
  readonly #lanes = [new Register(), new Register(), new Register(), new Register()] as const;

  digest(view: DataView, length: number): Hash64 {
    const hash = this.#hash;
    let at = 0;
    if (length >= 32) at = this.#stripes(view, length);
    else hash.set(prime5Low, prime5High);
    hash.add(length | 0, Math.floor(length / 2 ** 32));
    for (; at + 8 <= length; at += 8) {
      this.#mix(view.getInt32(at, true), view.getInt32(at + 4, true));
      hash.rotateLeft(27);
      hash.multiply(prime1Low, prime1High);
      hash.add(prime4Low, prime4High);
    }
    if (at + 4 <= length) {
      const lane = this.#lane;
      lane.set(view.getInt32(at, true), 0);
      lane.multiply(prime1Low, prime1High);
      hash.xor(lane.low, lane.high);
      hash.rotateLeft(23);
      hash.multiply(prime2Low, prime2High);
      hash.add(prime3Low, prime3High);
      at += 4;
    }
    for (; at < length; at++) this.#mixByte(view.getUint8(at));
    // The avalanche: shifts by 33, 29 and 32 bits.
    hash.low ^= hash.high >>> 1;
    hash.multiply(prime2Low, prime2High);
    const { low, high } = hash;
    hash.xor((low >>> 29) | (high << 3), high >>> 29);
    hash.multiply(prime3Low, prime3High);
    return { low: hash.low ^ hash.high, high: hash.high };
  }

  /** The 32-byte stripes: four lanes side by side, then joined. Returns how many bytes were taken. */
  #stripes(view: DataView, length: number): number {
    const [a, b, c, d] = this.#lanes;
    a.set(prime1Low, prime1High);
    a.add(prime2Low, prime2High);
    b.set(prime2Low, prime2High);
    c.set(0, 0);
    d.set(-prime1Low | 0, ~prime1High);
    let at = 0;
    for (; at + 32 <= length; at += 32) {
      a.round(view.getInt32(at, true), view.getInt32(at + 4, true));
      b.round(view.getInt32(at + 8, true), view.getInt32(at + 12, true));
      c.round(view.getInt32(at + 16, true), view.getInt32(at + 20, true));
      d.round(view.getInt32(at + 24, true), view.getInt32(at + 28, true));
    }
    const hash = this.#hash;
    hash.set(0, 0);
    this.#addRotated(a, 1);
    this.#addRotated(b, 7);
    this.#addRotated(c, 12);
    this.#addRotated(d, 18);
    for (const lane of this.#lanes) {
      this.#mix(lane.low, lane.high);
      hash.multiply(prime1Low, prime1High);
      hash.add(prime4Low, prime4High);
    }
    return at;
  }

  #addRotated(lane: Register, bits: number): void {
    const copy = this.#lane;
    copy.set(lane.low, lane.high);
    copy.rotateLeft(bits);
    this.#hash.add(copy.low, copy.high);
  }

  #mix(low: number, high: number): void {
    const lane = this.#lane;
    lane.set(0, 0);
    lane.round(low, high);
    this.#hash.xor(lane.low, lane.high);
  }

  #mixByte(byte: number): void {
    const lane = this.#lane;
    lane.set(byte, 0);
    lane.multiply(prime5Low, prime5High);
    this.#hash.xor(lane.low, lane.high);
    this.#hash.rotateLeft(11);
    this.#hash.multiply(prime1Low, prime1High);
  }
}

const encoder = new TextEncoder();

/** Where label sets are laid out before hashing; grows to the largest one seen, up to scratchMax. */
class LabelHasher {
  readonly #hasher = new XxHash64();
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);

  hashBytes(bytes: Uint8Array): Hash64 {
    return this.#hasher.digest(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes.length);
  }

  hashStrings(strings: readonly string[]): Hash64 {
    let sizeMax = 0;
    for (const text of strings) sizeMax += text.length * 3 + 1;
    if (sizeMax > this.#bytes.length) {
      // A rare giant must not stay in memory for good.
      if (sizeMax > scratchMax) return new LabelHasher().#withRoom(sizeMax).hashStrings(strings);
      this.#withRoom(sizeMax);
    }
    const bytes = this.#bytes;
    let length = 0;
    for (const text of strings) {
      length = this.#append(text, length);
      bytes[length++] = 0xff;
    }
    return this.#hasher.digest(this.#view, length);
  }

  #withRoom(size: number): this {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
    return this;
  }

  /** ASCII byte by byte, which beats a call of the encoder for label-sized text; the rest by the encoder. */
  #append(text: string, start: number): number {
    const bytes = this.#bytes;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return start + encoder.encodeInto(text, bytes.subarray(start)).written;
      bytes[start + i] = code;
    }
    return start + text.length;
  }
}

const scratchMax = 65_536;
// Calls are synchronous and leave nothing behind, so one per thread serves all.
const shared = new LabelHasher();

/** The hash of raw bytes. */
export function xxHash64Bytes(bytes: Uint8Array): bigint {
  return hashToBigInt(shared.hashBytes(bytes));
}

/** The hash of strings, each followed by the byte 0xff. */
export function xxHash64(strings: readonly string[]): bigint {
  return hashToBigInt(shared.hashStrings(strings));
}

/** As xxHash64, as two words. */
export function xxHash64Words(strings: readonly string[]): Hash64 {
  return shared.hashStrings(strings);
}
