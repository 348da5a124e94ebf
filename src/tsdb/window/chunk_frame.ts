/**
 * The frame around every index value: version, section, checksum. The checksum covers the key, so that a value under
 * another's key is found out, as in the log (docs/formats/window-index.md).
 */
import { crc32 } from 'node:zlib';
import { damaged } from './errors.ts';

const windowIndexVersion = 1;
const frameBytes = 6;

/** What an index value holds. */
export const Section = {
  Header: 0,
  Names: 1,
  Pairs: 2,
  Postings: 3,
  Series: 4,
  Pages: 5,
  Tombstone: 6,
} as const;
export type Section = (typeof Section)[keyof typeof Section];

export function frameChunk(key: Uint8Array, section: Section, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(frameBytes + payload.length);
  framed[0] = windowIndexVersion;
  framed[1] = section;
  framed.set(payload, frameBytes);
  new DataView(framed.buffer).setUint32(2, checksum(key, framed), true);
  return framed;
}

/** The payload as a view. Throws WindowError (`window_damaged`) when the value is not what was written. */
export function openChunk(key: Uint8Array, section: Section, value: Uint8Array | undefined): Uint8Array {
  const what = `index entry ${Buffer.from(key).toString('hex')}`;
  if (value === undefined) throw damaged(what, 'it is missing');
  if (value.length < frameBytes) throw damaged(what, `${value.length} bytes are too few`);
  if (value[0] !== windowIndexVersion) throw damaged(what, `version ${value[0]} is not known`);
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (view.getUint32(2, true) !== checksum(key, value)) throw damaged(what, 'checksum mismatch');
  if (value[1] !== section) throw damaged(what, `section ${value[1]} in the place of ${section}`);
  return value.subarray(frameBytes);
}

function checksum(key: Uint8Array, framed: Uint8Array): number {
  return crc32(framed.subarray(frameBytes), crc32(framed.subarray(0, 2), crc32(key)));
}
