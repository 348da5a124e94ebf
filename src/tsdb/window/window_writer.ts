/**
 * Seals series into one window: pages as they fill, the index behind them, the header last and synced, so that a
 * crash leaves either a whole window or keys without a header, which the next opening sweeps away.
 */
import { crc32 } from 'node:zlib';
import { AssertionError, assert } from '../../base/index.ts';
import type { FloatHistogram, Labels } from '../../model/index.ts';
import type { KeyOperation, StoreEngine } from '../engine.ts';
import { PageBuilder } from '../page/page_builder.ts';
import { SharedTimes } from '../page/shared_times.ts';
import { frameChunk, Section } from './chunk_frame.ts';
import { IndexBuilder } from './index_builder.ts';
import { KeyKind, timesPagesFrom, windowKey } from './keys.ts';
import { blockSamplesMax, pageBytesTarget } from './limits.ts';
import { compareMetricFirst } from './order.ts';
import type { Pace } from './pace.ts';
import { type ChunkSection, chunkSections, encodeHeader, type WindowHeader } from './window_header.ts';

/** One series to be sealed: the first `count` samples of the columns, ascending in time. */
export interface SealSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly count: number;
  readonly histograms?: readonly (FloatHistogram | null)[] | undefined;
  /** In ms, 0 where unknown. */
  readonly startTimes?: Float64Array | undefined;
}

/** Undefined where whoever makes the series may pause. */
export type SeriesSource = Iterable<SealSeries | undefined> | AsyncIterable<SealSeries | undefined>;

export interface SealPlan {
  readonly shard: number;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly generation: number;
  readonly sequence: number;
  readonly epoch: number;
}

/** Values handed to the engine at once. */
const batchBytesMax: number = 1024 * 1024;

export class WindowWriter {
  readonly #plan: SealPlan;
  readonly #engine: StoreEngine;
  readonly #pace: Pace;
  readonly #index: IndexBuilder;
  readonly #sharedTimes = new SharedTimes();
  readonly #page = new PageBuilder(this.#sharedTimes);
  #pending: KeyOperation[] = [];
  #pendingBytes = 0;
  #previous: Labels | undefined;
  #firstOrdinal = 0;
  #pageMinMs = Number.POSITIVE_INFINITY;
  #pageMaxMs = Number.NEGATIVE_INFINITY;
  #minTimeMs = Number.POSITIVE_INFINITY;
  #maxTimeMs = Number.NEGATIVE_INFINITY;
  #samples = 0;
  #pageBytes = 0;
  #indexBytes = 0;

  constructor(plan: SealPlan, engine: StoreEngine, pace: Pace) {
    this.#plan = plan;
    this.#engine = engine;
    this.#pace = pace;
    this.#index = new IndexBuilder(plan.startMs);
  }

  /**
   * Writes all series, which must come in the order of `compareMetricFirst` and lie within the window. `alongside` is
   * written in one with the header: what the window replaces disappears as it appears. Gives undefined, and writes
   * only `alongside`, when there is no sample.
   */
  async write(
    series: SeriesSource,
    alongside: readonly KeyOperation[] = [],
  ): Promise<WindowHeader | undefined> {
    for await (const one of series) {
      if (one !== undefined && one.count > 0) await this.#add(one);
      await this.#pace.pause();
    }
    await this.#closePage();
    if (this.#samples === 0) {
      if (alongside.length > 0) await this.#engine.write(alongside, true);
      return undefined;
    }
    const header = await this.#writeIndex();
    await this.#flush();
    const key = windowKey(this.#plan.shard, KeyKind.Index, this.#plan, 0);
    const value = frameChunk(key, Section.Header, encodeHeader(header));
    await this.#engine.write([...alongside, { type: 'put', key, value }], true);
    return header;
  }

  async #add(series: SealSeries): Promise<void> {
    const { labels, times, count } = series;
    const firstMs = times[0] as number;
    const lastMs = times[count - 1] as number;
    const { startMs, lengthMs } = this.#plan;
    const isInside = firstMs >= startMs && lastMs < startMs + lengthMs;
    assert(isInside, `samples from ${firstMs} to ${lastMs} do not lie in the window at ${startMs}`);
    if (this.#previous !== undefined && compareMetricFirst(this.#previous, labels) >= 0)
      throw new AssertionError(`series ${labels} comes behind ${this.#previous}`);
    this.#previous = labels;
    const ordinal = this.#index.seriesCount;
    this.#index.addSeries(labels, firstMs, lastMs);
    this.#samples += count;
    this.#minTimeMs = Math.min(this.#minTimeMs, firstMs);
    this.#maxTimeMs = Math.max(this.#maxTimeMs, lastMs);
    for (let from = 0; from < count; from += blockSamplesMax) {
      const to = Math.min(from + blockSamplesMax, count);
      // A page holds a series once; its next block begins the next page.
      if (from > 0) {
        await this.#closePage();
        await this.#pace.pause();
      }
      if (this.#page.count === 0) this.#firstOrdinal = ordinal;
      this.#page.add(ordinal, series, from, to);
      this.#pageMinMs = Math.min(this.#pageMinMs, times[from] as number);
      this.#pageMaxMs = Math.max(this.#pageMaxMs, times[to - 1] as number);
    }
    if (this.#page.size >= pageBytesTarget) await this.#closePage();
  }

  async #closePage(): Promise<void> {
    if (this.#page.count === 0) return;
    const times = this.#sharedTimes.close();
    if (times !== undefined) await this.#putPage(timesPagesFrom + times.number, times.bytes);
    const bytes = this.#page.finish();
    this.#index.addPage({
      firstOrdinal: this.#firstOrdinal,
      lastOrdinal: this.#index.seriesCount - 1,
      minTimeMs: this.#pageMinMs,
      maxTimeMs: this.#pageMaxMs,
      bytes: bytes.length,
      crc: crc32(bytes),
    });
    this.#pageMinMs = Number.POSITIVE_INFINITY;
    this.#pageMaxMs = Number.NEGATIVE_INFINITY;
    await this.#putPage(this.#index.pageCount - 1, bytes);
  }

  #putPage(number: number, bytes: Uint8Array): Promise<void> {
    this.#pageBytes += bytes.length;
    return this.#put(windowKey(this.#plan.shard, KeyKind.Page, this.#plan, number), bytes);
  }

  async #writeIndex(): Promise<WindowHeader> {
    const firstItems = new Map<ChunkSection, number[]>(chunkSections.map((section) => [section, []]));
    let number = 1;
    for (const chunk of this.#index.chunks()) {
      if (chunk !== undefined) {
        firstItems.get(chunk.section)?.push(chunk.firstItem);
        const key = windowKey(this.#plan.shard, KeyKind.Index, this.#plan, number++);
        const value = frameChunk(key, chunk.section, chunk.payload);
        this.#indexBytes += value.length;
        await this.#put(key, value);
      }
      await this.#pace.pause();
    }
    return this.#header(firstItems);
  }

  #header(items: ReadonlyMap<ChunkSection, readonly number[]>): WindowHeader {
    const { startMs, lengthMs, generation, sequence, epoch } = this.#plan;
    let firstChunk = 1;
    const next = (section: ChunkSection): { firstChunk: number; firstItems: readonly number[] } => {
      const directory = { firstChunk, firstItems: items.get(section) ?? [] };
      firstChunk += directory.firstItems.length;
      return directory;
    };
    return {
      ...{ startMs, lengthMs, generation, sequence, epoch },
      minTimeMs: this.#minTimeMs,
      maxTimeMs: this.#maxTimeMs,
      series: this.#index.seriesCount,
      samples: this.#samples,
      names: this.#index.nameCount,
      pairs: this.#index.pairCount,
      pages: this.#index.pageCount,
      pageBytes: this.#pageBytes,
      indexBytes: this.#indexBytes,
      sections: {
        [Section.Names]: next(Section.Names),
        [Section.Pairs]: next(Section.Pairs),
        [Section.Postings]: next(Section.Postings),
        [Section.Series]: next(Section.Series),
        [Section.Pages]: next(Section.Pages),
      },
    };
  }

  async #put(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#pending.push({ type: 'put', key, value });
    this.#pendingBytes += value.length;
    if (this.#pendingBytes >= batchBytesMax) await this.#flush();
  }

  async #flush(): Promise<void> {
    const operations = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (operations.length > 0) await this.#engine.write(operations, false);
  }
}
