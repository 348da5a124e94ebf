/**
 * Label sets: sorted by name in UTF-8 byte order, names unique, no empty values (an empty value means the
 * label is absent). Immutable, so that one object can be shared by head, scrape cache and query.
 */
import { CodedError } from '../base/index.ts';
import { isValidLabelName, isValidMetricName } from './names.ts';
import { quoteGo } from './quote.ts';
import { type Hash64, hashMod, hashToBigInt, xxHash64Words } from './xxhash64.ts';

export const metricNameLabel = '__name__';

/** What says of a series what it measures, and is lost where something else is computed of it. */
export const metadataLabels: ReadonlySet<string> = new Set([metricNameLabel, '__type__', '__unit__']);

export class DuplicateLabelError extends CodedError {
  override readonly name = 'DuplicateLabelError';
  constructor(label: string) {
    super('duplicate_label', `label name "${label}" is not unique`);
  }
}

/**
 * Orders strings by their UTF-8 bytes. UTF-16 code units sort alike except where a surrogate meets
 * U+E000..U+FFFF, which is the only case treated specially.
 */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) {
      // Moves surrogates (code points above U+FFFF) behind U+E000..U+FFFF.
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x < y ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/**
 * All texts, then their lengths and number. Read from the end this has one meaning only, whatever the texts hold,
 * which a separator could not promise; and it leaves ASCII labels at one byte a character in memory.
 */
function keyOf(flat: readonly string[]): string {
  let lengths = '';
  for (const text of flat) lengths += lengthMark(text.length);
  return flat.join('') + lengths + lengthMark(flat.length);
}

/** One character up to 239, otherwise digits between two of U+00FF. */
function lengthMark(length: number): string {
  return length < 0xf0 ? String.fromCharCode(length) : `\xff${length}\xff`;
}

function labelNameText(name: string): string {
  return isValidLabelName(name, 'legacy') ? name : quoteGo(name);
}

export class Labels {
  static readonly empty: Labels = new Labels([]);

  /** `[name0, value0, name1, value1, ...]` in canonical order. */
  readonly flat: readonly string[];
  #hash: Hash64 | undefined;
  #key: string | undefined;

  private constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /**
   * Trusts that `flat` is in canonical form. It is kept as it is: one that was filled by `push` has room for more, up to twice
   * its size, and a `slice` of it has not.
   */
  static fromSortedFlat(flat: readonly string[]): Labels {
    return flat.length === 0 ? Labels.empty : new Labels(flat);
  }

  /** Sorts and drops empty values. Throws DuplicateLabelError when a name occurs twice. */
  static fromPairs(pairs: Iterable<readonly [string, string]>): Labels {
    const kept: (readonly [string, string])[] = [];
    for (const pair of pairs) if (pair[1] !== '') kept.push(pair);
    kept.sort((a, b) => compareBytes(a[0], b[0]));
    const flat: string[] = [];
    let previous: string | undefined;
    for (const [name, value] of kept) {
      if (name === previous) throw new DuplicateLabelError(name);
      previous = name;
      flat.push(name, value);
    }
    return Labels.fromSortedFlat(flat.slice());
  }

  static fromRecord(record: Readonly<Record<string, string>>): Labels {
    return Labels.fromPairs(Object.entries(record));
  }

  /** The number of labels. */
  get size(): number {
    return this.flat.length / 2;
  }

  /** The value of `name`, '' when absent. */
  get(name: string): string {
    const flat = this.flat;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1] as string;
    return '';
  }

  has(name: string): boolean {
    return this.get(name) !== '';
  }

  get metricName(): string {
    return this.get(metricNameLabel);
  }

  *[Symbol.iterator](): IterableIterator<[string, string]> {
    const flat = this.flat;
    for (let i = 0; i < flat.length; i += 2) yield [flat[i] as string, flat[i + 1] as string];
  }

  /** xxHash64 (seed 0) of name 0xff value 0xff ..., as Prometheus' stable hash. */
  hash(): bigint {
    return hashToBigInt(this.hashWords());
  }

  /** The same hash as two 32-bit words, for callers that must not pay for a bigint. */
  hashWords(): Hash64 {
    this.#hash ??= xxHash64Words(this.flat);
    return this.#hash;
  }

  /** The hash modulo a positive integer up to hashModulusMax: for placement. */
  hashMod(modulus: number): number {
    return hashMod(this.hashWords(), modulus);
  }

  /** A canonical string, equal exactly for equal label sets: for Map keys. */
  key(): string {
    this.#key ??= keyOf(this.flat);
    return this.#key;
  }

  equals(other: Labels): boolean {
    return this === other || this.key() === other.key();
  }

  /** Orders as Prometheus does: pair by pair, then the shorter set first. */
  compare(other: Labels): number {
    const a = this.flat;
    const b = other.flat;
    const shared = Math.min(a.length, b.length);
    for (let i = 0; i < shared; i++) {
      const order = compareBytes(a[i] as string, b[i] as string);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }

  #filter(keep: (name: string) => boolean): Labels {
    const flat: string[] = [];
    for (let i = 0; i < this.flat.length; i += 2) {
      const name = this.flat[i] as string;
      if (keep(name)) flat.push(name, this.flat[i + 1] as string);
    }
    return flat.length === this.flat.length ? this : Labels.fromSortedFlat(flat);
  }

  without(names: ReadonlySet<string>): Labels {
    return this.#filter((name) => !names.has(name));
  }

  keeping(names: ReadonlySet<string>): Labels {
    return this.#filter((name) => names.has(name));
  }

  withoutMetricName(): Labels {
    return this.#filter((name) => name !== metricNameLabel);
  }

  toRecord(): Record<string, string> {
    return Object.fromEntries(this);
  }

  /** `{__name__="up", a="b"}`: every label alike, as Prometheus shows label sets in errors. */
  toBracedString(): string {
    return `{${Array.from(this, ([name, value]) => `${labelNameText(name)}=${quoteGo(value)}`).join(', ')}}`;
  }

  /** `name{a="b"}` as Prometheus shows a series; names that are not classic are quoted inside the braces. */
  toString(): string {
    const metric = this.metricName;
    const classicMetric = isValidMetricName(metric, 'legacy');
    const parts: string[] = [];
    if (metric !== '' && !classicMetric) parts.push(quoteGo(metric));
    for (const [name, value] of this) {
      if (name === metricNameLabel) continue;
      parts.push(`${labelNameText(name)}=${quoteGo(value)}`);
    }
    const head = classicMetric ? metric : '';
    return parts.length === 0 && head !== '' ? head : `${head}{${parts.join(', ')}}`;
  }
}

/** Edits a label set; setting '' deletes. */
export class LabelsBuilder {
  readonly #values: Map<string, string>;

  constructor(base: Labels = Labels.empty) {
    this.#values = new Map(base);
  }

  get(name: string): string {
    return this.#values.get(name) ?? '';
  }

  set(name: string, value: string): this {
    if (value === '') this.#values.delete(name);
    else this.#values.set(name, value);
    return this;
  }

  delete(name: string): this {
    this.#values.delete(name);
    return this;
  }

  entries(): IterableIterator<[string, string]> {
    return this.#values.entries();
  }

  labels(): Labels {
    return Labels.fromPairs(this.#values);
  }
}
