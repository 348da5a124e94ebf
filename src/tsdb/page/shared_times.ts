/**
 * Columns of times that several pages of a window have in common. The series of one target share the times of its
 * scrapes, but lie apart in the window's order; with scrapes a few ms off their time, repeating the times in every page would take
 * a third of the disk. A column that comes for the second time goes to a page of times, and whoever has it refers to that.
 */
import { crc32 } from 'node:zlib';
import { assert, ByteWriter } from '../../base/index.ts';
import { packFrame } from './frame.ts';
import { sharedOffsetMax } from './layout.ts';

/** A column up to this size is not worth a reference: that of a steady interval is a few bytes. */
const sharedBytesMin = 32;
/** Encoded columns that are remembered while a window is written; those that come later are not shared. */
const rememberedBytesMax: number = 8 * 2 ** 20;
/** Checksums of columns that came once. */
const seenMax = 65_536;

/** Where a shared column is. */
export interface SharedPlace {
  /** The number of the page of times. */
  readonly page: number;
  readonly offset: number;
}

interface Remembered extends SharedPlace {
  readonly bytes: Uint8Array;
}

export interface TimesPageBytes {
  readonly number: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class SharedTimes {
  readonly #byChecksum = new Map<number, Remembered>();
  readonly #seen = new Set<number>();
  readonly #body = new ByteWriter(16 * 1024);
  /** Of the pages that are closed. */
  readonly #checksums: number[] = [];
  #rememberedBytes = 0;

  /** The place of this encoded column, which may be in the page that is not closed yet; undefined: keep it yourself. */
  place(encoded: Uint8Array, checksum: number): SharedPlace | undefined {
    if (encoded.length < sharedBytesMin) return undefined;
    const known = this.#byChecksum.get(checksum);
    if (known !== undefined) return Buffer.compare(known.bytes, encoded) === 0 ? known : undefined;
    if (!this.#seen.has(checksum)) {
      if (this.#seen.size >= seenMax) this.#seen.clear();
      this.#seen.add(checksum);
      return undefined;
    }
    const offset = this.#body.length;
    const isFull = this.#rememberedBytes + encoded.length > rememberedBytesMax || offset > sharedOffsetMax;
    if (isFull) return undefined;
    this.#seen.delete(checksum);
    this.#body.raw(encoded);
    this.#rememberedBytes += encoded.length;
    const place = { page: this.#checksums.length, offset, bytes: encoded.slice() };
    this.#byChecksum.set(checksum, place);
    return place;
  }

  /** The page of the columns placed since the last one; undefined when there are none. To be called before a page that refers to it is finished. */
  close(): TimesPageBytes | undefined {
    if (this.#body.length === 0) return undefined;
    const number = this.#checksums.length;
    const bytes = packFrame(this.#body.bytes.subarray(0, this.#body.length), 0, 0);
    this.#body.reset();
    this.#checksums.push(crc32(bytes));
    return { number, bytes };
  }

  /** The checksum of a closed page. */
  checksum(page: number): number {
    const checksum = this.#checksums[page];
    assert(checksum !== undefined, `page of times ${page} is not closed`);
    return checksum;
  }
}
