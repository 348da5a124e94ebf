/**
 * Stands between a parser and the collector and makes native histograms with custom buckets of classic ones. As everything
 * on this way it recognises series by their bytes: what a series is to its histogram is found out once.
 */
import { assert } from '../../base/index.ts';
import { ByteTable, type FloatHistogram, HistogramError, parseFloatText } from '../../model/index.ts';
import { unescapeValue } from './ascii.ts';
import { ClassicHistogram } from './classic_histogram.ts';
import { type ExpositionSink, type HistogramSource, type MetadataKind, SampleNumber } from './sink.ts';

/** What a series is to its histogram. */
const Role = { other: 0, bucket: 1, count: 2, sum: 3, native: 4 } as const;
type Role = (typeof Role)[keyof typeof Role];

const suffixRole: readonly (readonly [string, Role])[] = [
  ['_bucket', Role.bucket],
  ['_count', Role.count],
  ['_sum', Role.sum],
];

interface Series {
  readonly role: Role;
  readonly bound: number;
  /** Its histogram; -1 for others. */
  readonly group: number;
  /** Of the family in which it was read. */
  readonly family: number;
  /** The collector's id; -1 when it is no series there. */
  readonly id: number;
}

interface Group {
  readonly key: Uint8Array;
  readonly pairs: readonly string[];
}

interface Exemplar {
  readonly pairs: readonly string[];
  readonly value: number;
  readonly timestampMs: number;
}

/** More spellings than this times the last scrape's, and so many besides, are forgotten. */
const growthFactorMax = 2;
const growthCountMax = 1000;
const none = -1;
const histogramType = new TextEncoder().encode('histogram');
/** Begins no text: keys of histograms are never equal to a series' own. */
const groupKeyStart = 0xf7;

export class CustomBucketsSink implements ExpositionSink {
  readonly #seed: number;
  readonly #keepClassic: boolean;
  #inner: ExpositionSink | undefined;
  #generation = none;
  #keys: ByteTable;
  #series: Series[] = [];
  #families: ByteTable;
  #groups: Group[] = [];
  #groupByKey = new Map<string, number>();
  /** The one that is guessed to come next. */
  #expected = 0;
  #seen = 0;
  #seenBefore = 0;
  /** The histogram family that is being read, none in one of another type. */
  #family = none;
  #familyName = '';
  readonly #collected = new ClassicHistogram();
  readonly #numbers = new Float64Array(SampleNumber.count);
  readonly #exemplars: Exemplar[] = [];
  /** Whose series are being collected. */
  #collecting = none;
  /** Whose classic series stay as they are, since a native histogram of theirs was there. */
  #inhibited = none;

  /** `keepClassic`: the classic series are stored as well. */
  constructor(seed: number, keepClassic: boolean) {
    this.#seed = seed;
    this.#keepClassic = keepClassic;
    this.#keys = new ByteTable(seed);
    this.#families = new ByteTable(seed);
  }

  /** Starts an exposition. `generation` changes whenever the ids of `inner` do. */
  begin(inner: ExpositionSink, generation: number): this {
    this.#inner = inner;
    const seenMax = this.#seenBefore * growthFactorMax + growthCountMax;
    if (generation !== this.#generation || this.#keys.size > seenMax) this.#forget();
    this.#generation = generation;
    this.#expected = 0;
    this.#seen = 0;
    this.#family = none;
    this.#inhibited = none;
    this.#drop();
    return this;
  }

  get #collector(): ExpositionSink {
    assert(this.#inner !== undefined, 'begin comes first');
    return this.#inner;
  }

  /** Ends a good one. */
  end(): void {
    this.#flush();
    this.#seenBefore = this.#seen;
  }

  #forget(): void {
    this.#keys = new ByteTable(this.#seed);
    this.#families = new ByteTable(this.#seed);
    this.#series = [];
    this.#groups = [];
    this.#groupByKey = new Map();
  }

  expectedEnd(body: Uint8Array, at: number): number {
    const expected = this.#series[this.#expected];
    if (expected === undefined || expected.family !== this.#family) return -1;
    return this.#keys.matchEnd(this.#expected, body, at);
  }

  get expectedId(): number {
    return this.#expected;
  }

  find(body: Uint8Array, start: number, end: number): number {
    const found = this.#keys.find(body, start, end);
    return found >= 0 && this.#series[found]?.family === this.#family ? found : -1;
  }

  define(body: Uint8Array, start: number, end: number, pairs: readonly string[]): number {
    const { role, bound } = this.#roleOf(pairs);
    const isStored = role === Role.other || role === Role.native || this.#keepClassic;
    const defined = isStored ? this.#collector.find(body, start, end) : none;
    const id = isStored && defined < 0 ? this.#collector.define(body, start, end, pairs) : defined;
    const group = role === Role.other ? none : this.#groupOf(pairs);
    const known = this.#keys.find(body, start, end);
    const index = known >= 0 ? known : this.#keys.add(body, start, end);
    this.#series[index] = { role, bound, group, family: this.#family, id };
    return index;
  }

  #roleOf(pairs: readonly string[]): { role: Role; bound: number } {
    const name = pairs[1] as string;
    if (this.#family < 0) return { role: Role.other, bound: 0 };
    if (name === this.#familyName) return { role: Role.native, bound: 0 };
    for (const [suffix, role] of suffixRole) {
      if (name !== this.#familyName + suffix) continue;
      if (role !== Role.bucket) return { role, bound: 0 };
      for (let i = 2; i < pairs.length; i += 2) {
        const bound = pairs[i] === 'le' ? parseFloatText(pairs[i + 1] as string) : undefined;
        if (bound !== undefined && !Number.isNaN(bound)) return { role, bound };
      }
    }
    return { role: Role.other, bound: 0 };
  }

  #groupOf(pairs: readonly string[]): number {
    const labels: [string, string][] = [];
    for (let i = 2; i < pairs.length; i += 2) {
      if (pairs[i] !== 'le') labels.push([pairs[i] as string, pairs[i + 1] as string]);
    }
    labels.sort(([a], [b]) => (a < b ? -1 : 1));
    const own = ['__name__', this.#familyName, ...labels.flat()];
    const text = JSON.stringify(own);
    const known = this.#groupByKey.get(text);
    if (known !== undefined) return known;
    const key = Buffer.concat([Uint8Array.of(groupKeyStart), Buffer.from(text)]);
    const group = this.#groups.push({ key, pairs: own }) - 1;
    this.#groupByKey.set(text, group);
    return group;
  }

  text(body: Uint8Array, start: number, end: number): string | undefined {
    return this.#collector.text(body, start, end);
  }

  sample(index: number, numbers: Float64Array): void {
    const { role, bound, group, id } = this.#advance(index);
    if (group !== this.#collecting) this.#flush();
    if (group !== this.#inhibited) this.#inhibited = none;
    const isClassic = role !== Role.other && role !== Role.native;
    if (isClassic && this.#inhibited < 0) this.#collect(role, bound, group, numbers);
    if (id >= 0) this.#collector.sample(id, numbers);
  }

  #collect(role: Role, bound: number, group: number, numbers: Float64Array): void {
    if (this.#collecting < 0) {
      this.#collecting = group;
      this.#numbers.set(numbers);
    }
    const value = numbers[SampleNumber.value] as number;
    if (role === Role.bucket) this.#collected.setBucket(bound, value);
    else if (role === Role.count) this.#collected.setCount(value);
    else this.#collected.setSum(value);
  }

  histogram(index: number, source: HistogramSource, numbers: Float64Array): void {
    this.#flush();
    const { group, id } = this.#advance(index);
    this.#inhibited = group;
    this.#collector.histogram(id, source, numbers);
  }

  exemplar(pairs: readonly string[], value: number, timestampMs: number): void {
    if (this.#collecting < 0) this.#collector.exemplar(pairs, value, timestampMs);
    else if (!Number.isNaN(timestampMs)) this.#exemplars.push({ pairs: pairs.slice(), value, timestampMs });
  }

  metadata(
    kind: MetadataKind,
    body: Uint8Array,
    nameStart: number,
    nameEnd: number,
    textStart: number,
    textEnd: number,
  ): void {
    this.#flush();
    if (kind === 'type') {
      const isHistogram =
        textEnd - textStart === histogramType.length &&
        histogramType.every((byte, i) => body[textStart + i] === byte);
      this.#family = isHistogram ? this.#familyId(body, nameStart, nameEnd) : none;
    }
    this.#collector.metadata(kind, body, nameStart, nameEnd, textStart, textEnd);
  }

  #familyId(body: Uint8Array, start: number, end: number): number {
    this.#familyName = unescapeValue(this.#collector.text(body, start, end) ?? '');
    const known = this.#families.find(body, start, end);
    return known >= 0 ? known : this.#families.add(body, start, end);
  }

  #advance(index: number): Series {
    this.#seen++;
    this.#expected = index + 1;
    return this.#series[index] as Series;
  }

  #drop(): void {
    this.#collecting = none;
    this.#collected.clear();
    this.#exemplars.length = 0;
  }

  /** The histogram that was being collected is complete. */
  #flush(): void {
    if (this.#collecting < 0) return;
    const { key, pairs } = this.#groups[this.#collecting] as Group;
    const histogram = soundHistogram(this.#collected);
    if (histogram !== undefined) {
      const known = this.#collector.find(key, 0, key.length);
      const id = known >= 0 ? known : this.#collector.define(key, 0, key.length, pairs);
      this.#collector.histogram(id, { build: () => histogram }, this.#numbers);
      this.#exemplars.sort((a, b) => a.timestampMs - b.timestampMs || a.value - b.value);
      for (const exemplar of this.#exemplars) {
        this.#collector.exemplar(exemplar.pairs, exemplar.value, exemplar.timestampMs);
      }
    }
    this.#drop();
  }
}

/** What contradicts itself is left out; it fails no scrape. */
function soundHistogram(collected: ClassicHistogram): FloatHistogram | undefined {
  const histogram = collected.native();
  try {
    histogram?.validate();
  } catch (error) {
    if (error instanceof HistogramError) return undefined;
    throw error;
  }
  return histogram;
}
