/**
 * One string per distinct label name or value, found by its bytes. Targets of a job repeat the same names and
 * values in thousands of series: sharing the strings saves most of the memory of a scrape cache, and finding one
 * is cheaper than decoding it again.
 */
import { ByteTable } from './byte_table.ts';
import { decodeUtf8 } from './exposition/ascii.ts';
import { hashBytes } from './exposition/series.ts';

/** When so many are held the cache starts afresh; strings in use live on where they are used. */
const textsMax = 50_000;
/** Longer texts rarely repeat. */
const textBytesMax = 128;

export class TextCache {
  #keys = new ByteTable();
  #texts: string[] = [];

  get size(): number {
    return this.#texts.length;
  }

  /** The text of a byte range; undefined when it is not UTF-8. */
  text(body: Uint8Array, start: number, end: number): string | undefined {
    if (end - start > textBytesMax) return decodeUtf8(body, start, end);
    const hash = hashBytes(body, start, end);
    const known = this.#keys.find(body, start, end, hash);
    if (known >= 0) return this.#texts[known];
    const text = decodeUtf8(body, start, end);
    if (text === undefined) return undefined;
    if (this.#texts.length >= textsMax) {
      this.#keys = new ByteTable();
      this.#texts = [];
    }
    this.#keys.add(body, start, end, hash);
    this.#texts.push(text);
    return text;
  }
}
