/**
 * One string per distinct label name or value, found by its bytes. What is scraped or received repeats the same names
 * and values in thousands of series: sharing the strings saves most of the memory of a cache of label sets, and finding
 * one is cheaper than decoding it again.
 */
import { ByteTable } from './byte_table.ts';

/** When so many are held the cache starts afresh; strings in use live on where they are used. */
const textsMax = 50_000;
/** Longer texts rarely repeat. */
const textBytesMax = 128;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a byte range; undefined when it is not UTF-8. */
export function decodeUtf8(body: Uint8Array, start: number, end: number): string | undefined {
  try {
    return strictUtf8.decode(body.subarray(start, end));
  } catch {
    return undefined;
  }
}

export class TextCache {
  readonly #seed: number;
  #keys: ByteTable;
  #texts: string[] = [];

  /** `seed`: any number that senders can't guess. */
  constructor(seed: number) {
    this.#seed = seed;
    this.#keys = new ByteTable(seed);
  }

  get size(): number {
    return this.#texts.length;
  }

  /** The text of a byte range; undefined when it is not UTF-8. */
  text(body: Uint8Array, start: number, end: number): string | undefined {
    if (end - start > textBytesMax) return decodeUtf8(body, start, end);
    const known = this.#keys.find(body, start, end);
    if (known >= 0) return this.#texts[known];
    const text = decodeUtf8(body, start, end);
    if (text === undefined) return undefined;
    if (this.#texts.length >= textsMax) {
      this.#keys = new ByteTable(this.#seed);
      this.#texts = [];
    }
    this.#keys.add(body, start, end);
    this.#texts.push(text);
    return text;
  }
}
