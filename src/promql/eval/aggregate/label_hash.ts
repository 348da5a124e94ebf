/**
 * The hash of a label set that limit_ratio draws by. It is xxHash64 over the bytes in which Prometheus' usual build
 * keeps labels, so that both pick the same series; placement has a hash of its own, over other bytes.
 */
import { type Labels, xxHash64Bytes } from '../../../model/index.ts';

const encoder = new TextEncoder();
/** Sizes from here on are this byte, then three bytes, the lowest first. */
const longSize = 0xff;
const sizeBytesMax = 4;

/** Over every name and value in order, each in UTF-8 behind its size in bytes. */
export function labelHash(labels: Labels): bigint {
  const { flat } = labels;
  let lengthMax = 0;
  for (const text of flat) lengthMax += text.length * 3 + sizeBytesMax;
  const bytes = new Uint8Array(lengthMax);
  let at = 0;
  for (const text of flat) {
    const encoded = encoder.encode(text);
    const size = encoded.length;
    if (size < longSize) bytes[at++] = size;
    else {
      bytes.set([longSize, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff], at);
      at += sizeBytesMax;
    }
    bytes.set(encoded, at);
    at += size;
  }
  return xxHash64Bytes(bytes.subarray(0, at));
}
