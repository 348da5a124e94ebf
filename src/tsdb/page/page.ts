/**
 * Reads a page, docs/formats/page.md. Opening checks everything that can be checked without decoding a column, so that
 * damage anywhere is found before the first sample is given out.
 */
import type { FloatHistogram } from '../../model/index.ts';
import { PageFormatError } from '../codec/page_format_error.ts';
import { decodeTimestamps } from '../codec/timestamps.ts';
import { decodeValues } from '../codec/values.ts';
import { openFrame, type PageFrame } from './frame.ts';
import { decodeHistograms } from './histograms.ts';
import {
  Column,
  directoryColumns,
  pageSeriesMax,
  seriesSamplesMax,
  sharedFlag,
  sharedOffsetBits,
  sharedOffsetMax,
  timesPageBytes,
  timesPagesMax,
} from './layout.ts';
import type { TimesColumns } from './times_columns.ts';

/** A page of times that a page refers to. */
export interface TimesPageRef {
  readonly number: number;
  /** Of all its bytes. */
  readonly crc: number;
}

/** An opened page; memory is its body, uncompressed. */
export class Page {
  readonly #body: Uint8Array;
  readonly #directory: Uint32Array;
  readonly #columns: number;
  /** Series in the page. */
  readonly count: number;
  /** What must be in the `TimesColumns` that `times` is given. */
  readonly timesPages: readonly TimesPageRef[];

  constructor(
    { body, series, version }: PageFrame,
    directory: Uint32Array,
    timesPages: readonly TimesPageRef[],
  ) {
    this.#body = body;
    this.#directory = directory;
    this.#columns = directoryColumns[version] ?? 0;
    this.count = series;
    this.timesPages = timesPages;
  }

  /** Bytes that the page takes in memory. */
  get bytes(): number {
    return this.#body.length + this.#directory.byteLength + this.timesPages.length * 64;
  }

  #entry(column: Column, i: number): number {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`series ${i} of ${this.count} in a page`);
    return column < this.#columns ? (this.#directory[column * this.count + i] ?? 0) : 0;
  }

  /** The ordinal of series `i` in `[0, count)`; they ascend. */
  ordinal(i: number): number {
    return this.#entry(Column.Ordinal, i);
  }

  samples(i: number): number {
    return this.#entry(Column.Samples, i);
  }

  /** What is equal for series of this page with equal times. */
  timesKey(i: number): number {
    return this.#entry(Column.Times, i);
  }

  /**
   * The times of series `i`, in an array that other series may share, or in one of `take` where they don't. Throws
   * PageFormatError.
   */
  times(
    i: number,
    shared: TimesColumns,
    take: (samples: number) => Float64Array = (count) => new Float64Array(count),
  ): Float64Array {
    const samples = this.samples(i);
    const place = this.timesKey(i);
    if (place < sharedFlag) {
      const column = take(samples);
      decodeTimestamps(this.#body, place, samples, column, 0);
      return column;
    }
    const page = this.timesPages[(place - sharedFlag) >>> sharedOffsetBits];
    if (page === undefined) throw new PageFormatError(`series ${i} refers to no page of times`);
    return shared.column(page.number, place & sharedOffsetMax, samples);
  }

  /** Puts the values of series `i` at `out[at]` on; 0 where there is a histogram. Throws PageFormatError. */
  values(i: number, out: Float64Array, at: number): void {
    decodeValues(this.#body, this.#entry(Column.Values, i), this.samples(i), out, at);
  }

  /** One for each sample, null where it is a float; undefined when all are. Throws PageFormatError. */
  histograms(i: number): (FloatHistogram | null)[] | undefined {
    const at = this.#entry(Column.Histograms, i);
    return at === 0 ? undefined : decodeHistograms(this.#body, at, this.samples(i));
  }

  /** In ms, 0 where unknown; undefined when all are. Throws PageFormatError. */
  startTimes(i: number): Float64Array | undefined {
    const at = this.#entry(Column.StartTimes, i);
    if (at === 0) return undefined;
    const column = new Float64Array(this.samples(i));
    decodeTimestamps(this.#body, at, column.length, column, 0);
    return column;
  }
}

/**
 * Opens a page that `PageBuilder.finish` wrote; where it is not compressed its body stays a view of `bytes`, which must
 * not change after. Throws PageFormatError for anything else.
 */
export function openPage(bytes: Uint8Array): Page {
  const frame = openFrame(bytes);
  const { body, series, version, timesPages } = frame;
  const columns = directoryColumns[version] ?? 0;
  const tableAt = series * columns * 4;
  const blocksAt = tableAt + timesPages * timesPageBytes;
  if (series > pageSeriesMax || timesPages > timesPagesMax || blocksAt > body.length)
    throw new PageFormatError(`page of ${body.length} bytes has no directory of ${series} series`);
  // Copies, for the body need not be aligned.
  const directory = new Uint32Array(series * columns);
  new Uint8Array(directory.buffer).set(body.subarray(0, tableAt));
  const table = new Uint32Array(timesPages * 2);
  new Uint8Array(table.buffer).set(body.subarray(tableAt, blocksAt));
  checkDirectory(directory, { series, columns, timesPages, blocksAt, bodyBytes: body.length });
  const refs = Array.from({ length: timesPages }, (_, i): TimesPageRef => {
    return { number: table[i * 2] ?? 0, crc: table[i * 2 + 1] ?? 0 };
  });
  return new Page(frame, directory, refs);
}

function checkDirectory(
  directory: Uint32Array,
  page: {
    readonly series: number;
    readonly columns: number;
    readonly timesPages: number;
    readonly blocksAt: number;
    readonly bodyBytes: number;
  },
): void {
  const { series, columns, timesPages, blocksAt, bodyBytes } = page;
  let previous = -1;
  for (let i = 0; i < series; i++) {
    const ordinal = directory[i] ?? 0;
    const samples = directory[series + i] ?? 0;
    if (ordinal <= previous) throw new PageFormatError(`ordinal ${ordinal} follows ${previous}`);
    if (samples === 0 || samples > seriesSamplesMax)
      throw new PageFormatError(`series ${ordinal} has ${samples} samples`);
    previous = ordinal;
    for (let column: number = Column.Times; column < columns; column++) {
      const at = directory[column * series + i] ?? 0;
      if (at === 0 && column >= Column.Histograms) continue;
      const isShared = column === Column.Times && at >= sharedFlag;
      const isThere = isShared
        ? (at - sharedFlag) >>> sharedOffsetBits < timesPages
        : at >= blocksAt && at < bodyBytes;
      if (!isThere) throw new PageFormatError(`series ${ordinal} has a block at ${at} of ${bodyBytes}`);
    }
  }
}
