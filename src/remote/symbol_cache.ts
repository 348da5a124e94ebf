/**
 * The symbols of a remote write 2.0 request as numbers that stay the same over all requests, so that a series can be
 * recognised by the numbers of its labels whatever places its symbols have this time. A symbol that was seen before costs
 * a comparison, or a hash and a comparison, and no text.
 */
import { ByteTable } from '../model/index.ts';
import { RemoteRequestError, remoteErrorCodes } from './errors.ts';
import type { ProtoReader } from './proto_reader.ts';

/** Of one request; each takes four bytes here and at least two on the wire. */
const requestSymbolsMax = 2_000_000;
/** Symbols that are remembered; beyond that it starts afresh. */
const symbolsMax = 1_000_000;
const symbolBytesMax = 128 * 1024 * 1024;
const symbolCountMin = 256;

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class SymbolCache {
  readonly #keys: ByteTable;
  /** By number: the text, null when it is not UTF-8, undefined until somebody asks. */
  readonly #texts: (string | null | undefined)[] = [];
  /** By place in the running request: the number. */
  #numbers = new Int32Array(symbolCountMin);
  #count = 0;
  /** The symbol found last; senders keep their order. */
  #last = -1;

  constructor(seed: number) {
    this.#keys = new ByteTable(seed);
  }

  get isFull(): boolean {
    return this.#keys.size > symbolsMax || this.#keys.keyBytes > symbolBytesMax;
  }

  beginRequest(): void {
    this.#count = 0;
  }

  /** Takes the bytes up to `end` as the request's next symbol. Throws RemoteRequestError: `request_too_large`. */
  read(reader: ProtoReader, end: number): void {
    if (this.#count >= requestSymbolsMax) {
      const message = `the request has more than ${requestSymbolsMax} symbols`;
      throw new RemoteRequestError(remoteErrorCodes.tooLarge, message);
    }
    if (this.#count === this.#numbers.length) {
      const longer = new Int32Array(this.#count * 2);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    this.#numbers[this.#count++] = this.#numberOf(reader, end);
    reader.seek(end);
  }

  #numberOf(reader: ProtoReader, end: number): number {
    const keys = this.#keys;
    const next = this.#last + 1 < keys.size ? this.#last + 1 : 0;
    if (keys.size > 0 && keys.matchEndIn(next, reader.view, reader.at) === end) {
      this.#last = next;
      return next;
    }
    const known = keys.find(reader.bytes, reader.at, end);
    this.#last = known >= 0 ? known : keys.add(reader.bytes, reader.at, end);
    return this.#last;
  }

  /** The number of the symbol at a place of the request; -1 when there is none. */
  number(place: number): number {
    return place < this.#count ? (this.#numbers[place] as number) : -1;
  }

  /** Undefined when it is not UTF-8. */
  text(number: number): string | undefined {
    let text = this.#texts[number];
    if (text === undefined) {
      text = decoded(this.#keys.key(number));
      this.#texts[number] = text;
    }
    return text ?? undefined;
  }
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return fatalUtf8.decode(bytes);
  } catch {
    return null;
  }
}
