/**
 * One sealed window: from matchers to columns, reading only the pages in which a series that matched has samples in the
 * range asked for.
 */
import type { Matcher } from '../../model/index.ts';
import { ColumnBuffer } from '../page/column_buffer.ts';
import { openPage, type Page } from '../page/page.ts';
import { damaged } from './errors.ts';
import type { PageEntry } from './index_builder.ts';
import { IndexReader, type SeriesInfo } from './index_reader.ts';
import { allOrdinals } from './ordinals.ts';
import type { Pace } from './pace.ts';
import { concatParts, lowerBound, type SeriesPart } from './series_part.ts';
import type { WindowHeader } from './window_header.ts';
import { trusting, type WindowDeps, WindowSource } from './window_source.ts';

/** Series that a stream over a whole window holds at once. */
const streamSeriesMax = 256;

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
    const ordinals = await this.index.find(matchers);
    await pace.pause();
    return this.read(await this.index.describe(ordinals, fromMs, toMs), fromMs, toMs, pace);
  }

  /** The whole window, a few series in memory at a time. */
  async *stream(pace: Pace): AsyncGenerator<SeriesPart> {
    const all = allOrdinals(this.header.series);
    for (let from = 0; from < all.length; from += streamSeriesMax) {
      const some = all.subarray(from, from + streamSeriesMax);
      const infos = await this.index.describe(some, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      yield* await this.read(infos, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, pace);
    }
  }

  /** The samples of these series, whose ordinals ascend. */
  async read(series: readonly SeriesInfo[], fromMs: number, toMs: number, pace: Pace): Promise<SeriesPart[]> {
    const parts: SeriesPart[] = [];
    let at = 0;
    for (const [number, entry] of (await this.index.pages()).entries()) {
      while (at < series.length && (series[at] as SeriesInfo).ordinal < entry.firstOrdinal) at++;
      const end = firstBehind(series, at, entry.lastOrdinal);
      if (end === at || entry.minTimeMs > toMs || entry.maxTimeMs < fromMs) continue;
      const page = await this.#page(number, entry);
      const read = trusting(`page ${number}`, () => readPage(page, series, at, end, fromMs, toMs));
      append(parts, read);
      await pace.pause();
    }
    return parts;
  }

  #page(number: number, entry: PageEntry): Promise<Page> {
    return this.source.page(number, entry.crc, (bytes) => {
      const value = openPage(bytes);
      const isExpected =
        value.count === entry.lastOrdinal - entry.firstOrdinal + 1 &&
        value.ordinal(0) === entry.firstOrdinal &&
        value.ordinal(value.count - 1) === entry.lastOrdinal;
      if (!isExpected) throw damaged(`page ${number}`, 'its series are not those that the index knows');
      return { value, bytes: value.bytes };
    });
  }
}

/** A long series has its next block at the beginning of the next page. */
function append(parts: SeriesPart[], read: readonly SeriesPart[]): void {
  const [first] = read;
  const last = parts.at(-1);
  const continues = first !== undefined && last !== undefined && first.labels === last.labels;
  if (continues) parts[parts.length - 1] = concatParts([last, first]);
  for (const part of continues ? read.slice(1) : read) parts.push(part);
}

/** The position behind the last series up to `lastOrdinal`. */
function firstBehind(series: readonly SeriesInfo[], from: number, lastOrdinal: number): number {
  let end = from;
  while (end < series.length && (series[end] as SeriesInfo).ordinal <= lastOrdinal) end++;
  return end;
}

/** The samples in range of `series[from, end)`, all in this page, as views of columns that they share. */
function readPage(
  page: Page,
  series: readonly SeriesInfo[],
  from: number,
  end: number,
  fromMs: number,
  toMs: number,
): SeriesPart[] {
  const first = page.ordinal(0);
  let samples = 0;
  for (let i = from; i < end; i++) samples += page.samples((series[i] as SeriesInfo).ordinal - first);
  const columns = new ColumnBuffer(samples);
  const parts: SeriesPart[] = [];
  let used = 0;
  for (let i = from; i < end; i++) {
    const { ordinal, labels, minTimeMs, maxTimeMs } = series[i] as SeriesInfo;
    let begin = columns.length;
    page.read(ordinal - first, columns);
    let stop = columns.length;
    const { times } = columns;
    if (minTimeMs < fromMs) begin = lowerBound(times, begin, stop, fromMs);
    if (maxTimeMs > toMs) stop = lowerBound(times, begin, stop, toMs + 1);
    if (begin === stop) continue;
    const histograms = columns.histograms?.slice(begin, stop);
    const part = {
      labels,
      times: columns.times.subarray(begin, stop),
      values: columns.values.subarray(begin, stop),
    };
    used += stop - begin;
    parts.push(histograms?.some((one) => one !== null) ? { ...part, histograms } : part);
  }
  // A few samples must not keep the columns of all alive.
  return used * 2 < samples ? parts.map(copied) : parts;
}

function copied(part: SeriesPart): SeriesPart {
  return { ...part, times: part.times.slice(), values: part.values.slice() };
}
