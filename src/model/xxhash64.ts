/**
 * xxHash64, seed 0 (Yann Collet, "xxHash fast digest algorithm", specification 0.1.1), over the bytes that
 * Prometheus hashes a label set by: every string followed by 0xff.
 */
const prime1 = 0x9e3779b185ebca87n;
const prime2 = 0xc2b2ae3d27d4eb4fn;
const prime3 = 0x165667b19e3779f9n;
const prime4 = 0x85ebca77c2b2ae63n;
const prime5 = 0x27d4eb2f165667c5n;
const mask = 0xffff_ffff_ffff_ffffn;

const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & mask;
const round = (accumulator: bigint, input: bigint): bigint =>
  (rotate((accumulator + input * prime2) & mask, 31n) * prime1) & mask;
const mergeRound = (accumulator: bigint, value: bigint): bigint =>
  ((accumulator ^ round(0n, value)) * prime1 + prime4) & mask;

/** The hash of raw bytes. */
export function xxHash64Bytes(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length;
  let at = 0;
  let hash: bigint;
  if (length >= 32) {
    let a = (prime1 + prime2) & mask;
    let b = prime2;
    let c = 0n;
    let d = -prime1 & mask;
    for (; at + 32 <= length; at += 32) {
      a = round(a, view.getBigUint64(at, true));
      b = round(b, view.getBigUint64(at + 8, true));
      c = round(c, view.getBigUint64(at + 16, true));
      d = round(d, view.getBigUint64(at + 24, true));
    }
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & mask;
    for (const lane of [a, b, c, d]) hash = mergeRound(hash, lane);
  } else {
    hash = prime5;
  }
  hash = (hash + BigInt(length)) & mask;
  for (; at + 8 <= length; at += 8) {
    hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * prime1 + prime4) & mask;
  }
  if (at + 4 <= length) {
    hash =
      (rotate(hash ^ ((BigInt(view.getUint32(at, true)) * prime1) & mask), 23n) * prime2 + prime3) & mask;
    at += 4;
  }
  for (; at < length; at++) {
    hash = (rotate(hash ^ ((BigInt(view.getUint8(at)) * prime5) & mask), 11n) * prime1) & mask;
  }
  hash = ((hash ^ (hash >> 33n)) * prime2) & mask;
  hash = ((hash ^ (hash >> 29n)) * prime3) & mask;
  return hash ^ (hash >> 32n);
}

const encoder = new TextEncoder();

/** The hash of strings, each followed by the byte 0xff. */
export function xxHash64(strings: readonly string[]): bigint {
  const sizeMax = strings.reduce((sum, text) => sum + text.length * 3 + 1, 0);
  const bytes = new Uint8Array(sizeMax);
  let length = 0;
  for (const text of strings) {
    length += encoder.encodeInto(text, bytes.subarray(length)).written;
    bytes[length++] = 0xff;
  }
  return xxHash64Bytes(bytes.subarray(0, length));
}
