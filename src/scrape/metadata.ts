/**
 * What a target says about its metric families (HELP, TYPE, UNIT). Kept as the bytes that were exposed and
 * decoded only when somebody asks, because every scrape repeats all of it and almost nobody asks.
 */
import { ByteTable } from '../model/index.ts';
import { unescapeHelp, unescapeValue } from './exposition/ascii.ts';
import type { MetadataKind } from './exposition/sink.ts';

export interface MetricMetadata {
  readonly family: string;
  /** `unknown` when no TYPE was exposed. */
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** Families a target may describe; what goes beyond is not remembered. */
const familiesMax = 100_000;
/** A family is forgotten when so many scrapes in a row didn't mention it. */
const scrapesRemembered = 10;

interface Entry {
  readonly texts: Record<MetadataKind, Uint8Array>;
  lastScrape: number;
}

const nothing = new Uint8Array(0);
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class MetadataStore {
  #families: ByteTable;
  #entries: Entry[] = [];
  #scrape = 0;

  constructor(seed: number) {
    this.#families = new ByteTable(seed);
  }

  get size(): number {
    return this.#families.size;
  }

  /** Remembers a metadata line; see ExpositionSink.metadata. */
  set(
    kind: MetadataKind,
    body: Uint8Array,
    nameStart: number,
    nameEnd: number,
    textStart: number,
    textEnd: number,
  ): void {
    let id = this.#families.find(body, nameStart, nameEnd);
    if (id < 0) {
      if (this.#families.size >= familiesMax) return;
      id = this.#families.add(body, nameStart, nameEnd);
      this.#entries.push({ texts: { help: nothing, type: nothing, unit: nothing }, lastScrape: 0 });
    }
    const entry = this.#entries[id] as Entry;
    entry.lastScrape = this.#scrape;
    if (!sameBytes(entry.texts[kind], body, textStart, textEnd)) {
      // A Buffer's own slice would keep all of the body.
      entry.texts[kind] = Uint8Array.from(body.subarray(textStart, textEnd));
    }
  }

  /** Ends a successful scrape: forgets what has not been mentioned for long. */
  scrapeDone(): void {
    const oldest = this.#scrape - scrapesRemembered;
    this.#scrape++;
    if (!this.#entries.some((entry) => entry.lastScrape < oldest)) return;
    this.#families = this.#families.retain((id) => (this.#entries[id] as Entry).lastScrape >= oldest);
    this.#entries = this.#entries.filter((entry) => entry.lastScrape >= oldest);
  }

  /** All families, in the order in which they were first exposed. `limit` 0: no limit. */
  list(limit = 0): MetricMetadata[] {
    const count = limit > 0 ? Math.min(limit, this.#entries.length) : this.#entries.length;
    return Array.from({ length: count }, (_, id) => this.#describe(id));
  }

  get(family: string): MetricMetadata | undefined {
    const name = new TextEncoder().encode(family);
    const id = this.#families.find(name, 0, name.length);
    return id < 0 ? undefined : this.#describe(id);
  }

  #describe(id: number): MetricMetadata {
    const { help, type, unit } = (this.#entries[id] as Entry).texts;
    const typeText = decoder.decode(type);
    return {
      family: unescapeValue(decoder.decode(this.#families.key(id))),
      type: typeText === '' || typeText === 'untyped' ? 'unknown' : typeText,
      help: unescapeHelp(decoder.decode(help)),
      unit: decoder.decode(unit),
    };
  }
}

function sameBytes(known: Uint8Array, body: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== body[start + i]) return false;
  return true;
}
