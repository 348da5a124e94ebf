/**
 * One sealed window: from matchers to columns, reading only the pages in which a series that matched has samples in the
 * range asked for.
 */
import type { Matcher } from '../../model/index.ts';
import { PageFormatError } from '../codec/page_format_error.ts';
import { openPage, type Page } from '../page/page.ts';
import { openTimesPage, TimesColumns } from '../page/times_columns.ts';
import type { Sized } from './byte_cache.ts';
import { ColumnArena } from './column_arena.ts';
import { damaged } from './errors.ts';
import type { PageEntry } from './index_builder.ts';
import { IndexReader, type SeriesInfo } from './index_reader.ts';
import { timesPagesFrom } from './keys.ts';
import { readsAtOnceMax } from './limits.ts';
import type { Ordinals } from './ordinals.ts';
import type { Pace } from './pace.ts';
import { concatParts, lowerBound, type SeriesPart, withOptional } from './series_part.ts';
import type { WindowHeader } from './window_header.ts';
import { type PageKey, type WindowDeps, WindowSource } from './window_source.ts';

const allTimes = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** A page, and which of the series asked for, `[from, end)`, are in it. */
interface WantedPage {
  readonly number: number;
  readonly entry: PageEntry;
  readonly from: number;
  readonly end: number;
}

export class SealedWindow {
  readonly header: WindowHeader;
  readonly index: IndexReader;
  readonly source: WindowSource;

  constructor(shard: number, header: WindowHeader, deps: WindowDeps) {
    this.header = header;
    this.source = new WindowSource(shard, header, deps);
    this.index = new IndexReader(this.source);
  }

  /** The first instant that is not the window's any more. */
  get endMs(): number {
    return this.header.startMs + this.header.lengthMs;
  }

  get bytes(): number {
    return this.header.pageBytes + this.header.indexBytes;
  }

  /** Whether a sample may lie in the range, both ends included. */
  overlaps(fromMs: number, toMs: number): boolean {
    return this.header.minTimeMs <= toMs && this.header.maxTimeMs >= fromMs;
  }

  /** Series in the window's order; series without a sample in the range are left out. */
  async select(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    pace: Pace,
  ): Promise<SeriesPart[]> {
    const ordinals = await this.index.find(matchers, pace);
    await pace.pause();
    return this.read(await this.index.describe(ordinals, fromMs, toMs, pace), fromMs, toMs, pace);
  }

  /** The whole window, a few pages in memory at a time, past the cache. */
  async *stream(pace: Pace): AsyncGenerator<SeriesPart> {
    const pages = await this.index.pages();
    const times = new TimesColumns();
    const arena = new ColumnArena();
    let held: SeriesPart | undefined;
    for (let from = 0; from < pages.length; from += readsAtOnceMax) {
      const some = pages.slice(from, from + readsAtOnceMax);
      const series = await this.index.describe(ordinalsOf(some), ...allTimes, pace);
      const wanted = wantedPages(some, from, series, ...allTimes);
      for (const [i, page] of (await this.#open(wanted, times, false)).entries()) {
        for (const part of this.#readPage(page, wanted[i] as WantedPage, series, times, allTimes)) {
          if (held === undefined) held = part;
          else if (held.labels.equals(part.labels)) held = concatParts([held, part], arena);
          else {
            yield held;
            held = part;
          }
        }
        await pace.pause();
      }
    }
    if (held !== undefined) yield held;
  }

  /** The samples of these series, whose ordinals ascend. */
  async read(series: readonly SeriesInfo[], fromMs: number, toMs: number, pace: Pace): Promise<SeriesPart[]> {
    const parts: SeriesPart[] = [];
    const times = new TimesColumns();
    const wanted = wantedPages(await this.index.pages(), 0, series, fromMs, toMs);
    let opening = this.#open(wanted.slice(0, readsAtOnceMax), times, true);
    for (let from = 0; from < wanted.length; from += readsAtOnceMax) {
      const pages = await opening;
      opening = this.#open(wanted.slice(from + readsAtOnceMax, from + 2 * readsAtOnceMax), times, true);
      // It is waited for in the next round, unless this one fails first.
      opening.catch(() => undefined);
      for (const [i, page] of pages.entries()) {
        const one = wanted[from + i] as WantedPage;
        append(parts, this.#readPage(page, one, series, times, [fromMs, toMs]));
        await pace.pause();
      }
    }
    return parts;
  }

  /** The pages, and in `times` what they refer to. */
  async #open(wanted: readonly WantedPage[], times: TimesColumns, isKept: boolean): Promise<Page[]> {
    if (wanted.length === 0) return [];
    const keys = wanted.map(({ number, entry }): PageKey => ({ number, crc: entry.crc }));
    const pages = await this.source.pages(keys, openPageSized, isKept);
    const refs = new Map<number, PageKey>();
    for (const [i, page] of pages.entries()) {
      const { number, entry } = wanted[i] as WantedPage;
      const isExpected =
        page.count === entry.lastOrdinal - entry.firstOrdinal + 1 &&
        page.ordinal(0) === entry.firstOrdinal &&
        page.ordinal(page.count - 1) === entry.lastOrdinal;
      if (!isExpected) {
        const name = this.source.name(`page ${number}`);
        throw damaged(name, 'its series are not those that the index knows');
      }
      for (const ref of page.timesPages)
        if (!times.has(ref.number))
          refs.set(ref.number, { number: timesPagesFrom + ref.number, crc: ref.crc });
    }
    if (refs.size === 0) return pages;
    const bodies = await this.source.pages([...refs.values()], openTimesPageSized, isKept);
    for (const [i, number] of [...refs.keys()].entries()) times.add(number, bodies[i] as Uint8Array);
    return pages;
  }

  #readPage(
    page: Page,
    { number, from, end }: WantedPage,
    series: readonly SeriesInfo[],
    times: TimesColumns,
    range: readonly [fromMs: number, toMs: number],
  ): SeriesPart[] {
    try {
      return readPage(page, series.slice(from, end), times, ...range);
    } catch (cause) {
      if (!(cause instanceof PageFormatError)) throw cause;
      throw damaged(this.source.name(`page ${number}`), 'it contradicts itself', cause);
    }
  }
}

function openPageSized(bytes: Uint8Array): Sized<Page> {
  const value = openPage(bytes);
  return { value, bytes: value.bytes };
}

function openTimesPageSized(bytes: Uint8Array): Sized<Uint8Array> {
  const value = openTimesPage(bytes);
  return { value, bytes: value.length };
}

/** The ordinals of all series of consecutive pages. */
function ordinalsOf(pages: readonly PageEntry[]): Ordinals {
  const first = pages[0]?.firstOrdinal ?? 0;
  const count = (pages.at(-1)?.lastOrdinal ?? -1) - first + 1;
  const ordinals = new Uint32Array(count);
  for (let i = 0; i < count; i++) ordinals[i] = first + i;
  return ordinals;
}

/** The pages, numbered from `firstNumber`, that hold samples in range of any of the series, whose ordinals ascend. */
function wantedPages(
  pages: readonly PageEntry[],
  firstNumber: number,
  series: readonly SeriesInfo[],
  fromMs: number,
  toMs: number,
): WantedPage[] {
  const wanted: WantedPage[] = [];
  let from = 0;
  for (const [i, entry] of pages.entries()) {
    while (from < series.length && (series[from] as SeriesInfo).ordinal < entry.firstOrdinal) from++;
    let end = from;
    while (end < series.length && (series[end] as SeriesInfo).ordinal <= entry.lastOrdinal) end++;
    if (end === from || entry.minTimeMs > toMs || entry.maxTimeMs < fromMs) continue;
    wanted.push({ number: firstNumber + i, entry, from, end });
  }
  return wanted;
}

/** A long series has its next block at the beginning of the next page. */
function append(parts: SeriesPart[], read: readonly SeriesPart[]): void {
  const [first] = read;
  const last = parts.at(-1);
  const continues = first !== undefined && last !== undefined && first.labels === last.labels;
  if (continues) parts[parts.length - 1] = concatParts([last, first], new ColumnArena());
  for (const part of continues ? read.slice(1) : read) parts.push(part);
}

/** The samples in range of series that are all in this page; values are views of one column. */
function readPage(
  page: Page,
  series: readonly SeriesInfo[],
  shared: TimesColumns,
  fromMs: number,
  toMs: number,
): SeriesPart[] {
  const firstOrdinal = page.ordinal(0);
  let samples = 0;
  for (const { ordinal } of series) samples += page.samples(ordinal - firstOrdinal);
  const values = new Float64Array(samples);
  const timesByKey = new Map<number, Float64Array>();
  const arena = new ColumnArena();
  const parts: SeriesPart[] = [];
  let used = 0;
  let at = 0;
  for (const { ordinal, labels, minTimeMs, maxTimeMs } of series) {
    const i = ordinal - firstOrdinal;
    const key = page.timesKey(i);
    let times = timesByKey.get(key);
    if (times === undefined || times.length !== page.samples(i)) {
      times = page.times(i, shared, (count) => arena.take(count));
      timesByKey.set(key, times);
    }
    page.values(i, values, at);
    const count = times.length;
    const begin = minTimeMs < fromMs ? lowerBound(times, 0, count, fromMs) : 0;
    const stop = maxTimeMs > toMs ? lowerBound(times, begin, count, toMs + 1) : count;
    if (begin < stop) {
      const isWhole = begin === 0 && stop === count;
      const part = {
        labels,
        times: isWhole ? times : times.subarray(begin, stop),
        values: values.subarray(at + begin, at + stop),
      };
      const histograms = page.histograms(i)?.slice(begin, stop);
      parts.push(withOptional(part, histograms, page.startTimes(i)?.subarray(begin, stop)));
      used += stop - begin;
    }
    at += count;
  }
  // A few samples must not keep the columns of all alive.
  if (used * 2 >= samples) return parts;
  const own = new ColumnArena();
  return parts.map((part) => copied(part, own));
}

function copied(part: SeriesPart, arena: ColumnArena): SeriesPart {
  const times = arena.take(part.times.length);
  const values = arena.take(part.times.length);
  times.set(part.times);
  values.set(part.values);
  return { ...part, times, values };
}
