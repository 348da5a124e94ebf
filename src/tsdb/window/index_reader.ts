/**
 * Looks series up in a sealed window's index, reading the chunks that the matchers need. A matcher that an absent label
 * satisfies (`a!="x"`, `a=""`) is answered by taking away the series whose value it refuses.
 */
import type { Matcher } from '../../model/index.ts';
import { compareBytes, Labels, MatchType } from '../../model/index.ts';
import { Section } from './chunk_frame.ts';
import { damaged } from './errors.ts';
import type { PageEntry } from './index_builder.ts';
import {
  type NameEntry,
  PostingsChunk,
  parseNames,
  parsePages,
  parsePairs,
  SeriesChunk,
} from './index_chunks.ts';
import { readsAtOnceMax } from './limits.ts';
import { allOrdinals, intersect, type Ordinals, subtract, uniteDisjoint } from './ordinals.ts';
import type { Pace } from './pace.ts';
import { chunkOf, firstChunkOf } from './window_header.ts';
import { trusting, type WindowSource } from './window_source.ts';

/** What the index says of one series. */
export interface SeriesInfo {
  readonly ordinal: number;
  readonly labels: Labels;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** The label pairs of one name: numbers from `first` to `end` (exclusive). */
interface PairSpan {
  readonly first: number;
  readonly end: number;
}

/** Steps between two looks at the clock. */
const stepsAtOnce = 256;

const noOrdinals: Ordinals = new Uint32Array(0);

export class IndexReader {
  readonly #source: WindowSource;

  constructor(source: WindowSource) {
    this.#source = source;
  }

  get #header(): WindowSource['header'] {
    return this.#source.header;
  }

  /** The ordinals of the series that pass all matchers, ascending. */
  async find(matchers: readonly Matcher[], pace: Pace): Promise<Ordinals> {
    let found: Ordinals | undefined;
    const needing = matchers.filter((matcher) => !matcher.matches(''));
    for (const matcher of needing) {
      const ordinals = await this.#withPairs(await this.#accepted(matcher, pace), pace);
      found = found === undefined ? ordinals : intersect(found, ordinals);
      if (found.length === 0) return noOrdinals;
    }
    found ??= allOrdinals(this.#header.series);
    for (const matcher of matchers) {
      if (!matcher.matches('')) continue;
      found = subtract(found, await this.#withPairs(await this.#refused(matcher, pace), pace));
    }
    return found;
  }

  /** Labels and time ranges of these series, in their order, without those outside the time range. */
  async describe(ordinals: Ordinals, fromMs: number, toMs: number, pace: Pace): Promise<SeriesInfo[]> {
    const kept: { ordinal: number; minTimeMs: number; maxTimeMs: number; pairs: number[] }[] = [];
    const { firstItems } = this.#header.sections[Section.Series];
    let chunk: SeriesChunk | undefined;
    let at = -1;
    const neededChunks = new Set<number>();
    for (const ordinal of ordinals) {
      const index = chunkOf(firstItems, ordinal);
      if (chunk === undefined || index !== at) {
        chunk = await this.#seriesChunk(index);
        at = index;
        await pace.pause();
      }
      const pairs: number[] = [];
      const position = ordinal - (firstItems[index] as number);
      const current = chunk;
      const range = trusting('series table', () => current.read(position, pairs));
      if (range.minTimeMs > toMs || range.maxTimeMs < fromMs) continue;
      kept.push({ ordinal, ...range, pairs });
      for (const pair of pairs) neededChunks.add(this.#pairChunkOf(pair));
    }
    const names = await this.#names();
    const texts: (readonly string[] | undefined)[] = [];
    const needed = [...neededChunks];
    for (let from = 0; from < needed.length; from += readsAtOnceMax) {
      const indexes = needed.slice(from, from + readsAtOnceMax);
      const chunks = await this.#source.chunks(Section.Pairs, indexes, parsePairs);
      for (const [i, index] of indexes.entries()) texts[index] = chunks[i];
      await pace.pause();
    }
    const described: SeriesInfo[] = [];
    for (const { ordinal, minTimeMs, maxTimeMs, pairs } of kept) {
      const labels = Labels.fromSortedFlat(this.#flat(pairs, names, texts));
      described.push({ ordinal, labels, minTimeMs, maxTimeMs });
      if (described.length % stepsAtOnce === 0) await pace.pause();
    }
    return described;
  }

  /** All label names of the window, sorted. */
  async labelNames(): Promise<string[]> {
    return (await this.#names()).map(({ name }) => name);
  }

  /** All values of a label, sorted. */
  async labelValues(name: string, pace: Pace): Promise<string[]> {
    const span = await this.#span(name);
    if (span === undefined) return [];
    const values: string[] = [];
    for (let pair = span.first; pair < span.end; ) {
      const index = this.#pairChunkOf(pair);
      const first = this.#header.sections[Section.Pairs].firstItems[index] ?? 0;
      const some = (await this.#pairChunk(index)).slice(pair - first, span.end - first);
      if (some.length === 0) throw damaged('label pairs', `there is no pair ${pair}`);
      for (const value of some) values.push(value);
      pair += some.length;
      await pace.pause();
    }
    return values;
  }

  /** The directory of the window's pages. */
  async pages(): Promise<readonly PageEntry[]> {
    const { firstItems } = this.#header.sections[Section.Pages];
    const parts: (readonly PageEntry[])[] = [];
    for (const index of firstItems.keys()) {
      parts.push(
        await this.#source.chunk(Section.Pages, index, (payload) => parsePages(payload, this.#header)),
      );
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : parts.flat();
  }

  /** Every label pair with the number of its series, names and values sorted. */
  async *pairCounts(): AsyncGenerator<{ name: string; value: string; series: number }> {
    for (const { name } of await this.#names()) {
      const span = await this.#span(name);
      if (span === undefined) continue;
      for (let pair = span.first; pair < span.end; pair++) {
        const series = (await this.#postings(pair)).length;
        yield { name, value: await this.#value(pair), series };
      }
    }
  }

  #flat(
    pairs: readonly number[],
    names: readonly NameEntry[],
    texts: readonly (readonly string[] | undefined)[],
  ): string[] {
    const { firstItems } = this.#header.sections[Section.Pairs];
    const flat = new Array<string>(pairs.length * 2);
    let name = 0;
    let at = 0;
    for (const pair of pairs) {
      while (name + 1 < names.length && (names[name + 1] as NameEntry).firstPair <= pair) name++;
      const chunk = this.#pairChunkOf(pair);
      const value = texts[chunk]?.[pair - (firstItems[chunk] as number)];
      const entry = names[name];
      if (value === undefined || entry === undefined)
        throw damaged('series table', `there is no pair ${pair}`);
      flat[at++] = entry.name;
      flat[at++] = value;
    }
    return flat;
  }

  /** Pairs whose value the matcher accepts; for matchers that need the label. */
  async #accepted(matcher: Matcher, pace: Pace): Promise<number[]> {
    const isSet = matcher.type === MatchType.Equal || matcher.type === MatchType.Regexp;
    if (!isSet || matcher.setMatches === undefined) {
      return this.#pairsWhere(matcher.name, (value) => matcher.matches(value), pace);
    }
    const pairs: number[] = [];
    for (const value of new Set(matcher.setMatches)) {
      const pair = await this.#pairOf(matcher.name, value);
      if (pair !== undefined) pairs.push(pair);
    }
    return pairs;
  }

  /** Pairs whose value the matcher refuses; for matchers that an absent label satisfies. */
  async #refused(matcher: Matcher, pace: Pace): Promise<number[]> {
    if (matcher.type === MatchType.NotEqual) {
      const pair = await this.#pairOf(matcher.name, matcher.value);
      return pair === undefined ? [] : [pair];
    }
    return this.#pairsWhere(matcher.name, (value) => !matcher.matches(value), pace);
  }

  async #pairsWhere(name: string, accepts: (value: string) => boolean, pace: Pace): Promise<number[]> {
    const span = await this.#span(name);
    if (span === undefined) return [];
    const pairs: number[] = [];
    const { firstItems } = this.#header.sections[Section.Pairs];
    for (let pair = span.first; pair < span.end; ) {
      const index = this.#pairChunkOf(pair);
      const values = await this.#pairChunk(index);
      const first = firstItems[index] as number;
      if (pair >= first + values.length) throw damaged('label pairs', `there is no pair ${pair}`);
      for (; pair < span.end && pair < first + values.length; pair++) {
        if (accepts(values[pair - first] as string)) pairs.push(pair);
        if (pair % stepsAtOnce === 0) await pace.pause();
      }
    }
    return pairs;
  }

  /** The pair's number by binary search, which reads a chunk or two. */
  async #pairOf(name: string, value: string): Promise<number | undefined> {
    const span = await this.#span(name);
    if (span === undefined) return undefined;
    let low = span.first;
    let high = span.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(await this.#value(middle), value) < 0) low = middle + 1;
      else high = middle;
    }
    return low < span.end && (await this.#value(low)) === value ? low : undefined;
  }

  async #span(name: string): Promise<PairSpan | undefined> {
    const names = await this.#names();
    const at = names.findIndex((entry) => entry.name === name);
    const entry = names[at];
    if (entry === undefined) return undefined;
    return { first: entry.firstPair, end: names[at + 1]?.firstPair ?? this.#header.pairs };
  }

  async #value(pair: number): Promise<string> {
    const index = this.#pairChunkOf(pair);
    const first = this.#header.sections[Section.Pairs].firstItems[index] ?? 0;
    const value = (await this.#pairChunk(index))[pair - first];
    if (value === undefined) throw damaged('label pairs', `there is no pair ${pair}`);
    return value;
  }

  async #withPairs(pairs: readonly number[], pace: Pace): Promise<Ordinals> {
    const lists: Ordinals[] = [];
    for (const pair of pairs) {
      lists.push(await this.#postings(pair));
      await pace.pause();
    }
    return uniteDisjoint(lists);
  }

  async #postings(pair: number): Promise<Ordinals> {
    const { firstItems } = this.#header.sections[Section.Postings];
    const pieces: Ordinals[] = [];
    for (let index = firstChunkOf(firstItems, pair); index < firstItems.length; index++) {
      if ((firstItems[index] as number) > pair) break;
      const chunk = await this.#source.chunk(Section.Postings, index, (payload) => {
        const value = new PostingsChunk(payload);
        return { value, bytes: value.bytes };
      });
      trusting('posting lists', () => chunk.collect(pair, this.#header.series, pieces));
    }
    if (pieces.length === 0) throw damaged('posting lists', `pair ${pair} has none`);
    return uniteDisjoint(pieces);
  }

  async #names(): Promise<readonly NameEntry[]> {
    const { firstItems } = this.#header.sections[Section.Names];
    const parts: (readonly NameEntry[])[] = [];
    for (const index of firstItems.keys())
      parts.push(await this.#source.chunk(Section.Names, index, parseNames));
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : parts.flat();
  }

  #pairChunkOf(pair: number): number {
    return chunkOf(this.#header.sections[Section.Pairs].firstItems, pair);
  }

  #pairChunk(index: number): Promise<readonly string[]> {
    return this.#source.chunk(Section.Pairs, index, parsePairs);
  }

  #seriesChunk(index: number): Promise<SeriesChunk> {
    return this.#source.chunk(Section.Series, index, (payload) => {
      const value = new SeriesChunk(payload, this.#header.startMs);
      return { value, bytes: value.bytes };
    });
  }
}
