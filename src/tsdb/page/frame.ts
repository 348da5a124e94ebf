/** The frame of a page: its header, its checksum and its body's compression. docs/formats/page.md draws it. */
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { assert } from '../../base/index.ts';
import { PageFormatError } from '../codec/page_format_error.ts';
import {
  bodyBytesAt,
  bodyBytesMax,
  checksumAt,
  compressionAt,
  compressionNone,
  compressionZstd,
  directoryColumns,
  headerBytes,
  pageMagic,
  pageVersion,
  seriesAt,
  timesPagesAt,
  versionAt,
} from './layout.ts';

/**
 * The compressed body is kept if it is smaller than this part of the plain one. A page is opened at several hundred
 * million samples per second (bench tsdb/codec), so a twentieth is worth it.
 */
const worthwhileRatio = 0.95;

export interface PageFrame {
  readonly version: number;
  readonly series: number;
  readonly timesPages: number;
  readonly body: Uint8Array;
}

/** A page of this version in a buffer of its own. */
export function packFrame(body: Uint8Array, series: number, timesPages: number): Uint8Array<ArrayBuffer> {
  assert(body.length <= bodyBytesMax, `a page of ${body.length} bytes is too large`);
  const packed = zstdCompressSync(body);
  const isPacked = packed.length < body.length * worthwhileRatio;
  const stored = isPacked ? packed : body;
  const page = new Uint8Array(headerBytes + stored.length);
  const view = new DataView(page.buffer);
  view.setUint32(0, pageMagic, true);
  view.setUint8(versionAt, pageVersion);
  view.setUint8(compressionAt, isPacked ? compressionZstd : compressionNone);
  view.setUint16(timesPagesAt, timesPages, true);
  view.setUint32(bodyBytesAt, body.length, true);
  view.setUint32(seriesAt, series, true);
  page.set(stored, headerBytes);
  view.setUint32(checksumAt, checksumOf(page), true);
  return page;
}

/** The body is a view of `bytes` where it is not compressed. Throws PageFormatError for what `packFrame` did not write. */
export function openFrame(bytes: Uint8Array): PageFrame {
  if (bytes.length < headerBytes) throw new PageFormatError(`${bytes.length} bytes are too few for a page`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== pageMagic) throw new PageFormatError('not a page');
  const version = view.getUint8(versionAt);
  if (directoryColumns[version] === undefined)
    throw new PageFormatError(`page version ${version} is not known`);
  if (view.getUint32(checksumAt, true) !== checksumOf(bytes)) throw new PageFormatError('checksum mismatch');
  const bodyBytes = view.getUint32(bodyBytesAt, true);
  const body = unpack(view.getUint8(compressionAt), bytes.subarray(headerBytes), bodyBytes);
  const timesPages = view.getUint16(timesPagesAt, true);
  return { version, series: view.getUint32(seriesAt, true), timesPages, body };
}

function checksumOf(page: Uint8Array): number {
  return crc32(page.subarray(bodyBytesAt), crc32(page.subarray(0, checksumAt)));
}

function unpack(compression: number, stored: Uint8Array, bodyBytes: number): Uint8Array {
  if (bodyBytes > bodyBytesMax) throw new PageFormatError(`page of ${bodyBytes} bytes is too large`);
  let body: Uint8Array;
  if (compression === compressionNone) body = stored;
  else if (compression === compressionZstd) {
    try {
      body = zstdDecompressSync(stored, { maxOutputLength: Math.max(bodyBytes, 1) });
    } catch (cause) {
      throw new PageFormatError('page does not decompress', { cause });
    }
  } else throw new PageFormatError(`page compression ${compression} is not known`);
  if (body.length !== bodyBytes)
    throw new PageFormatError(`page body has ${body.length} bytes, not ${bodyBytes}`);
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}
