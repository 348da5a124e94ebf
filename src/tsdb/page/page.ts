/**
 * Reads a page, docs/formats/page.md. Opening checks everything that can be checked without decoding a column, so that
 * damage anywhere is found before the first sample is given out.
 */
import { crc32, zstdDecompressSync } from 'node:zlib';
import { PageFormatError } from '../codec/page_format_error.ts';
import { decodeTimestamps } from '../codec/timestamps.ts';
import { decodeValues } from '../codec/values.ts';
import type { ColumnBuffer } from './column_buffer.ts';
import { decodeHistograms } from './histograms.ts';
import {
  bodyBytesAt,
  bodyBytesMax,
  checksumAt,
  compressionAt,
  compressionNone,
  compressionZstd,
  directoryColumns,
  directoryEntryBytes,
  headerBytes,
  pageMagic,
  pageSeriesMax,
  pageVersion,
  seriesAt,
  seriesSamplesMax,
  versionAt,
} from './layout.ts';

/** An opened page; memory is its body, uncompressed. */
export class Page {
  readonly #body: Uint8Array;
  readonly #directory: Uint32Array;
  /** Series in the page. */
  readonly count: number;

  constructor(body: Uint8Array, directory: Uint32Array, count: number) {
    this.#body = body;
    this.#directory = directory;
    this.count = count;
  }

  /** Bytes that the page takes in memory. */
  get bytes(): number {
    return this.#body.length + this.#directory.byteLength;
  }

  #entry(column: number, i: number): number {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`series ${i} of ${this.count} in a page`);
    return this.#directory[column * this.count + i] ?? 0;
  }

  /** The ordinal of series `i` in `[0, count)`; they ascend. */
  ordinal(i: number): number {
    return this.#entry(0, i);
  }

  samples(i: number): number {
    return this.#entry(1, i);
  }

  /** Where in the page series `ordinal` is, or -1. */
  find(ordinal: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ordinal(middle) < ordinal) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.ordinal(low) === ordinal ? low : -1;
  }

  /**
   * Appends the samples of series `i` to `into`, which is as before if PageFormatError is thrown.
   */
  read(i: number, into: ColumnBuffer): void {
    const samples = this.samples(i);
    const body = this.#body;
    into.reserve(samples);
    decodeTimestamps(body, this.#entry(2, i), samples, into.times, into.length);
    decodeValues(body, this.#entry(3, i), samples, into.values, into.length);
    const histogramsAt = this.#entry(4, i);
    into.commit(samples, histogramsAt === 0 ? undefined : decodeHistograms(body, histogramsAt, samples));
  }
}

/**
 * Opens a page that `PageBuilder.finish` wrote; where it is not compressed its body stays a view of `bytes`, which must
 * not change after. Throws PageFormatError for anything else.
 */
export function openPage(bytes: Uint8Array): Page {
  if (bytes.length < headerBytes) throw new PageFormatError(`${bytes.length} bytes are too few for a page`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== pageMagic) throw new PageFormatError('not a page');
  const version = view.getUint8(versionAt);
  if (version !== pageVersion) throw new PageFormatError(`page version ${version} is not known`);
  const checksum = crc32(bytes.subarray(bodyBytesAt), crc32(bytes.subarray(0, checksumAt)));
  if (view.getUint32(checksumAt, true) !== checksum) throw new PageFormatError('checksum mismatch');
  const bodyBytes = view.getUint32(bodyBytesAt, true);
  const body = unpack(view.getUint8(compressionAt), bytes.subarray(headerBytes), bodyBytes);
  const count = view.getUint32(seriesAt, true);
  return new Page(body, readDirectory(body, count), count);
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

/** A copy, for the body need not be aligned. */
function readDirectory(body: Uint8Array, count: number): Uint32Array {
  const directoryBytes = count * directoryEntryBytes;
  if (count > pageSeriesMax || directoryBytes > body.length)
    throw new PageFormatError(`page of ${body.length} bytes has no directory of ${count} series`);
  const directory = new Uint32Array(count * directoryColumns);
  new Uint8Array(directory.buffer).set(body.subarray(0, directoryBytes));
  let previous = -1;
  for (let i = 0; i < count; i++) {
    const ordinal = directory[i] ?? 0;
    const samples = directory[count + i] ?? 0;
    if (ordinal <= previous) throw new PageFormatError(`ordinal ${ordinal} follows ${previous}`);
    if (samples === 0 || samples > seriesSamplesMax)
      throw new PageFormatError(`series ${ordinal} has ${samples} samples`);
    previous = ordinal;
    for (let column = 2; column < directoryColumns; column++) {
      const at = directory[column * count + i] ?? 0;
      const isNone = column === 4 && at === 0;
      if (!isNone && (at < directoryBytes || at >= body.length))
        throw new PageFormatError(`series ${ordinal} has a block at ${at} of ${body.length}`);
    }
  }
  return directory;
}
