/**
 * Writes a page: many series' samples under one key and one checksum, docs/formats/page.md. Series of one target share
 * the times of its scrapes, so equal columns of times are stored once.
 */
import { crc32, zstdCompressSync } from 'node:zlib';
import { assert, ByteWriter } from '../../base/index.ts';
import type { FloatHistogram } from '../../model/index.ts';
import { encodeTimestamps } from '../codec/timestamps.ts';
import { encodeValues } from '../codec/values.ts';
import { encodeHistograms } from './histograms.ts';
import {
  bodyBytesAt,
  bodyBytesMax,
  checksumAt,
  compressionAt,
  compressionNone,
  compressionZstd,
  directoryEntryBytes,
  headerBytes,
  pageMagic,
  pageSeriesMax,
  pageVersion,
  seriesAt,
  seriesSamplesMax,
  versionAt,
} from './layout.ts';

/**
 * The compressed body is kept if it is smaller than this part of the plain one. A page is opened at several hundred
 * million samples per second (bench tsdb/codec), so a twentieth is worth it.
 */
const worthwhileRatio = 0.95;

/** Where a column of times is, for the next one to be compared with. */
interface TimesPlace {
  readonly at: number;
  readonly bytes: number;
}

export class PageBuilder {
  readonly #ordinals: number[] = [];
  readonly #samples: number[] = [];
  readonly #timesAt: number[] = [];
  readonly #valuesAt: number[] = [];
  /** Plus 1; 0 where there are none. */
  readonly #histogramsAt: number[] = [];
  readonly #blocks = new ByteWriter(64 * 1024);
  readonly #timesByChecksum = new Map<number, TimesPlace>();

  /** Series added since the last finish. */
  get count(): number {
    return this.#ordinals.length;
  }

  /** Bytes of the page as it stands, before compression. */
  get size(): number {
    return headerBytes + this.#ordinals.length * directoryEntryBytes + this.#blocks.length;
  }

  /**
   * Adds samples `[from, to)` of the columns, at least one, as series `ordinal`, which is above those added before.
   * Times are integers in ms and ascend; `histograms`, if given, holds null where the sample is a float.
   */
  add(
    ordinal: number,
    times: Float64Array,
    values: Float64Array,
    from: number,
    to: number,
    histograms?: readonly (FloatHistogram | null)[],
  ): void {
    const samples = to - from;
    assert(samples > 0 && samples <= seriesSamplesMax, `${samples} samples are none or too many for a page`);
    assert(from >= 0 && to <= times.length && to <= values.length, `columns end before ${to}`);
    assert(this.count < pageSeriesMax, 'a page is full of series');
    assert(
      ordinal > (this.#ordinals.at(-1) ?? -1) && ordinal <= 0xffff_ffff,
      `ordinal ${ordinal} is out of order`,
    );
    this.#ordinals.push(ordinal);
    this.#samples.push(samples);
    this.#timesAt.push(this.#addTimes(times, from, to));
    this.#valuesAt.push(this.#blocks.length);
    encodeValues(values, from, to, this.#blocks);
    this.#histogramsAt.push(this.#addHistograms(histograms, from, to));
  }

  #addTimes(times: Float64Array, from: number, to: number): number {
    const blocks = this.#blocks;
    const at = blocks.length;
    encodeTimestamps(times, from, to, blocks);
    const encoded = blocks.bytes.subarray(at, blocks.length);
    const checksum = crc32(encoded);
    const place = this.#timesByChecksum.get(checksum);
    if (place !== undefined) {
      const other = blocks.bytes.subarray(place.at, place.at + place.bytes);
      if (Buffer.compare(encoded, other) === 0) {
        blocks.truncate(at);
        return place.at;
      }
    }
    this.#timesByChecksum.set(checksum, { at, bytes: encoded.length });
    return at;
  }

  #addHistograms(
    histograms: readonly (FloatHistogram | null)[] | undefined,
    from: number,
    to: number,
  ): number {
    if (histograms === undefined) return 0;
    let some = false;
    for (let i = from; i < to && !some; i++) some = (histograms[i] ?? null) !== null;
    if (!some) return 0;
    const at = this.#blocks.length;
    encodeHistograms(histograms, from, to, this.#blocks);
    return at + 1;
  }

  /** The page of what was added, in a buffer of its own; the builder then is empty, for the next page. */
  finish(): Uint8Array<ArrayBuffer> {
    const body = this.#body();
    assert(body.length <= bodyBytesMax, `a page of ${body.length} bytes is too large`);
    const packed = zstdCompressSync(body);
    const isPacked = packed.length < body.length * worthwhileRatio;
    const stored = isPacked ? packed : body;
    const page = new Uint8Array(headerBytes + stored.length);
    const view = new DataView(page.buffer);
    view.setUint32(0, pageMagic, true);
    view.setUint8(versionAt, pageVersion);
    view.setUint8(compressionAt, isPacked ? compressionZstd : compressionNone);
    view.setUint32(bodyBytesAt, body.length, true);
    view.setUint32(seriesAt, this.count, true);
    page.set(stored, headerBytes);
    const checksum = crc32(page.subarray(bodyBytesAt), crc32(page.subarray(0, checksumAt)));
    view.setUint32(checksumAt, checksum, true);
    this.#clear();
    return page;
  }

  #body(): Uint8Array<ArrayBuffer> {
    const { count } = this;
    const blocksAt = count * directoryEntryBytes;
    const body = new Uint8Array(blocksAt + this.#blocks.length);
    const directory = new Uint32Array(body.buffer, 0, blocksAt / 4);
    directory.set(this.#ordinals, 0);
    directory.set(this.#samples, count);
    for (let i = 0; i < count; i++) {
      directory[count * 2 + i] = blocksAt + (this.#timesAt[i] ?? 0);
      directory[count * 3 + i] = blocksAt + (this.#valuesAt[i] ?? 0);
      const histogramsAt = this.#histogramsAt[i] ?? 0;
      directory[count * 4 + i] = histogramsAt === 0 ? 0 : blocksAt + histogramsAt - 1;
    }
    body.set(this.#blocks.bytes.subarray(0, this.#blocks.length), blocksAt);
    return body;
  }

  #clear(): void {
    for (const column of [this.#ordinals, this.#samples, this.#timesAt, this.#valuesAt, this.#histogramsAt]) {
      column.length = 0;
    }
    this.#blocks.reset();
    this.#timesByChecksum.clear();
  }
}
