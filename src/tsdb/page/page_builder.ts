/**
 * Writes a page: many series' samples under one key and one checksum, docs/formats/page.md. Equal columns of times are
 * stored once in a page, and once in a window where it shares them.
 */
import { assert, ByteWriter } from '../../base/index.ts';
import type { FloatHistogram } from '../../model/index.ts';
import { encodeValues } from '../codec/values.ts';
import { packFrame } from './frame.ts';
import { encodeHistograms } from './histograms.ts';
import {
  Column,
  directoryEntryBytes,
  headerBytes,
  pageSeriesMax,
  seriesSamplesMax,
  sharedFlag,
  sharedOffsetBits,
  timesPageBytes,
  timesPagesMax,
} from './layout.ts';
import { type SharedPlace, SharedTimes } from './shared_times.ts';
import { TimesEncoder } from './times_encoder.ts';

/** Samples of one series. */
export interface SeriesBlock {
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Null where the sample is a float. */
  readonly histograms?: readonly (FloatHistogram | null)[] | undefined;
  /** In ms, 0 where unknown. */
  readonly startTimes?: Float64Array | undefined;
}

/** Where a block is, for the next one to be compared with. */
interface BlockPlace {
  readonly at: number;
  readonly bytes: number;
}

/** Stands for "none" among offsets of blocks, of which 0 is one. */
const none = -1;

export class PageBuilder {
  readonly #shared: SharedTimes;
  readonly #encoder = new TimesEncoder();
  readonly #ordinals: number[] = [];
  readonly #samples: number[] = [];
  /** Offsets among the blocks, or references. */
  readonly #timesAt: number[] = [];
  readonly #valuesAt: number[] = [];
  readonly #histogramsAt: number[] = [];
  readonly #startTimesAt: number[] = [];
  readonly #blocks = new ByteWriter(64 * 1024);
  readonly #timesByChecksum = new Map<number, BlockPlace>();
  readonly #timesPages: number[] = [];

  /** Pages of one window have one `shared`, whose page is closed before each of theirs. */
  constructor(shared: SharedTimes = new SharedTimes()) {
    this.#shared = shared;
  }

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
   * Times are integers in ms and ascend.
   */
  add(ordinal: number, block: SeriesBlock, from: number, to: number): void {
    const samples = to - from;
    const { times, values, histograms, startTimes } = block;
    assert(samples > 0 && samples <= seriesSamplesMax, `${samples} samples are none or too many for a page`);
    assert(from >= 0 && to <= times.length && to <= values.length, `columns end before ${to}`);
    assert(this.count < pageSeriesMax, 'a page is full of series');
    assert(
      ordinal > (this.#ordinals.at(-1) ?? -1) && ordinal <= 0xffff_ffff,
      `ordinal ${ordinal} is out of order`,
    );
    this.#ordinals.push(ordinal);
    this.#samples.push(samples);
    this.#timesAt.push(this.#addTimes(times, from, to, true));
    this.#valuesAt.push(this.#blocks.length);
    encodeValues(values, from, to, this.#blocks);
    this.#histogramsAt.push(this.#addHistograms(histograms, from, to));
    const isKnown = startTimes?.subarray(from, to).some((time) => time !== 0) === true;
    this.#startTimesAt.push(isKnown ? this.#addTimes(startTimes, from, to, false) : none);
  }

  #addTimes(times: Float64Array, from: number, to: number, mayShare: boolean): number {
    const blocks = this.#blocks;
    const { bytes, checksum } = this.#encoder.encode(times, from, to);
    const place = this.#timesByChecksum.get(checksum);
    if (place !== undefined) {
      const other = blocks.bytes.subarray(place.at, place.at + place.bytes);
      if (Buffer.compare(bytes, other) === 0) return place.at;
    }
    const shared = mayShare ? this.#reference(this.#shared.place(bytes, checksum)) : undefined;
    if (shared !== undefined) return shared;
    const at = blocks.length;
    blocks.raw(bytes);
    this.#timesByChecksum.set(checksum, { at, bytes: bytes.length });
    return at;
  }

  /** Undefined where the page refers to too many others already. */
  #reference(place: SharedPlace | undefined): number | undefined {
    if (place === undefined) return undefined;
    let at = this.#timesPages.indexOf(place.page);
    if (at < 0) {
      if (this.#timesPages.length >= timesPagesMax) return undefined;
      at = this.#timesPages.push(place.page) - 1;
    }
    return sharedFlag + at * 2 ** sharedOffsetBits + place.offset;
  }

  #addHistograms(
    histograms: readonly (FloatHistogram | null)[] | undefined,
    from: number,
    to: number,
  ): number {
    if (histograms === undefined) return none;
    let some = false;
    for (let i = from; i < to && !some; i++) some = (histograms[i] ?? null) !== null;
    if (!some) return none;
    const at = this.#blocks.length;
    encodeHistograms(histograms, from, to, this.#blocks);
    return at;
  }

  /** The page of what was added, in a buffer of its own; the builder then is empty, for the next page. */
  finish(): Uint8Array<ArrayBuffer> {
    const page = packFrame(this.#body(), this.count, this.#timesPages.length);
    this.#clear();
    return page;
  }

  #body(): Uint8Array<ArrayBuffer> {
    const { count } = this;
    const tableAt = count * directoryEntryBytes;
    const blocksAt = tableAt + this.#timesPages.length * timesPageBytes;
    const body = new Uint8Array(blocksAt + this.#blocks.length);
    const words = new Uint32Array(body.buffer, 0, blocksAt / 4);
    const offset = (at: number): number => (at === none ? 0 : at < sharedFlag ? blocksAt + at : at);
    words.set(this.#ordinals, Column.Ordinal * count);
    words.set(this.#samples, Column.Samples * count);
    words.set(this.#timesAt.map(offset), Column.Times * count);
    words.set(this.#valuesAt.map(offset), Column.Values * count);
    words.set(this.#histogramsAt.map(offset), Column.Histograms * count);
    words.set(this.#startTimesAt.map(offset), Column.StartTimes * count);
    for (const [i, page] of this.#timesPages.entries()) {
      words[tableAt / 4 + i * 2] = page;
      words[tableAt / 4 + i * 2 + 1] = this.#shared.checksum(page);
    }
    body.set(this.#blocks.bytes.subarray(0, this.#blocks.length), blocksAt);
    return body;
  }

  #clear(): void {
    for (const column of [
      this.#ordinals,
      this.#samples,
      this.#timesAt,
      this.#valuesAt,
      this.#histogramsAt,
      this.#startTimesAt,
      this.#timesPages,
    ]) {
      column.length = 0;
    }
    this.#blocks.reset();
    this.#timesByChecksum.clear();
  }
}
