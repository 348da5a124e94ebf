/**
 * The identity of an alert: FNV-1a, 64 bits, over its sorted labels with 0xff after each name and value, as
 * prometheus/common's model.Fingerprint. 64-bit arithmetic in two 32-bit halves; the prime is 2^40 + 0x1b3.
 */
import type { Labels } from '../model/index.ts';

const encoder = new TextEncoder();
const separator = 0xff;
const primeLow = 0x1b3;
const offsetHigh = 0xcbf29ce4;
const offsetLow = 0x84222325;

/** 16 hexadecimal digits. */
export function fingerprint(labels: Labels): string {
  let high = offsetHigh;
  let low = offsetLow;
  const add = (byte: number): void => {
    low = (low ^ byte) >>> 0;
    const product = low * primeLow;
    high = (Math.imul(high, primeLow) + Math.floor(product / 0x1_0000_0000) + (low << 8)) >>> 0;
    low = product % 0x1_0000_0000;
  };
  for (const text of labels.flat) {
    for (const byte of encoder.encode(text)) add(byte);
    add(separator);
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
