/**
 * Columns of times as one reader decodes them: each block once, however many series have it, so that the columns of a
 * target's series are one array. Holds the pages of times that the reader has opened.
 */
import { PageFormatError } from '../codec/page_format_error.ts';
import { decodeTimestamps } from '../codec/timestamps.ts';
import { openFrame } from './frame.ts';
import { sharedOffsetBits } from './layout.ts';

/** Decoded columns that are held for series to come. */
const heldBytesMax: number = 16 * 2 ** 20;

/** The body of a page of times. Throws PageFormatError. */
export function openTimesPage(bytes: Uint8Array): Uint8Array {
  const { body, series } = openFrame(bytes);
  if (series !== 0) throw new PageFormatError(`a page of ${series} series is none of times`);
  return body;
}

export class TimesColumns {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #columns = new Map<number, Float64Array>();
  #heldBytes = 0;

  /** Whether the page of times is here. */
  has(page: number): boolean {
    return this.#pages.has(page);
  }

  add(page: number, body: Uint8Array): void {
    this.#pages.set(page, body);
  }

  /** The column at that offset of an added page, not to be changed. Throws PageFormatError. */
  column(page: number, offset: number, samples: number): Float64Array {
    const key = page * 2 ** sharedOffsetBits + offset;
    const held = this.#columns.get(key);
    // The bytes of a steady interval are the same for any number of samples.
    if (held !== undefined && held.length === samples) return held;
    const body = this.#pages.get(page);
    if (body === undefined) throw new PageFormatError(`page of times ${page} is not there`);
    const column = new Float64Array(samples);
    decodeTimestamps(body, offset, samples, column, 0);
    this.#heldBytes += column.byteLength;
    if (this.#heldBytes > heldBytesMax) {
      this.#columns.clear();
      this.#heldBytes = column.byteLength;
    }
    this.#columns.set(key, column);
    return column;
  }
}
