/**
 * Receives one exposition and turns it into columns, applying what the job's configuration says about
 * timestamps and limits. Its result is taken only when the whole exposition was good: a scrape is atomic.
 */
import { type Labels, setNormalNaN, setStaleNaN, type TextCache, type WriteBatch } from '../model/index.ts';
import type { ScrapeConfig } from './config_types.ts';
import type { ExpositionSink, MetadataKind } from './exposition/sink.ts';
import type { MetadataStore } from './metadata.ts';
import type { SampleLabeler } from './sample_labels.ts';
import type { SeriesCache } from './series_cache.ts';

/** Samples with timestamps further ahead of now are refused. */
const aheadMsMax = 10 * 60_000;
/** OpenMetrics' times are floats of seconds: what is older than this is no number of milliseconds. */
const timestampMsMin = Number.MIN_SAFE_INTEGER;

export interface ScrapeCounts {
  /** Samples in the exposition. */
  scraped: number;
  /** Samples left after metric relabeling, over the limit or not. */
  kept: number;
  /** Series that the last good scrape did not hold. */
  seriesAdded: number;
  /** Samples that repeat a series of the same exposition. */
  duplicates: number;
  /** Samples too far in the future, or before all time. */
  outOfBounds: number;
}

export class ScrapeCollector implements ExpositionSink {
  readonly counts: ScrapeCounts = { scraped: 0, kept: 0, seriesAdded: 0, duplicates: 0, outOfBounds: 0 };
  readonly #cache: SeriesCache;
  readonly #config: ScrapeConfig;
  readonly #labeler: SampleLabeler;
  readonly #metadata: MetadataStore;
  readonly #texts: TextCache;
  readonly #timestampMs: number;
  readonly #timestampMsMax: number;
  #series: Labels[] = [];
  #refs: Uint32Array<ArrayBuffer>;
  #timestamps: Float64Array<ArrayBuffer>;
  #values: Float64Array<ArrayBuffer>;
  #count = 0;
  /** Samples that sample_limit counts. */
  #limited = 0;

  constructor(deps: {
    cache: SeriesCache;
    config: ScrapeConfig;
    labeler: SampleLabeler;
    metadata: MetadataStore;
    texts: TextCache;
    timestampMs: number;
    nowMs: number;
    /** How many samples are likely; 0 when unknown. */
    samplesExpected: number;
  }) {
    this.#cache = deps.cache;
    this.#config = deps.config;
    this.#labeler = deps.labeler;
    this.#metadata = deps.metadata;
    this.#texts = deps.texts;
    this.#timestampMs = deps.timestampMs;
    this.#timestampMsMax = deps.nowMs + aheadMsMax;
    const size = Math.max(64, deps.samplesExpected);
    this.#refs = new Uint32Array(size);
    this.#timestamps = new Float64Array(size);
    this.#values = new Float64Array(size);
    this.#cache.begin();
  }

  get isOverSampleLimit(): boolean {
    return this.#config.sampleLimit > 0 && this.#limited > this.#config.sampleLimit;
  }

  expectedEnd(body: Uint8Array, at: number): number {
    return this.#cache.expectedEnd(body, at);
  }

  get expectedId(): number {
    return this.#cache.expectedEntry;
  }

  find(body: Uint8Array, start: number, end: number): number {
    return this.#cache.find(body, start, end);
  }

  define(body: Uint8Array, start: number, end: number, pairs: readonly string[]): number {
    try {
      return this.#cache.add(body, start, end, this.#labeler.resolve(pairs));
    } catch (error) {
      // The sample whose labels end the scrape counts as scraped.
      this.counts.scraped++;
      throw error;
    }
  }

  text(body: Uint8Array, start: number, end: number): string | undefined {
    return this.#texts.text(body, start, end);
  }

  sample(entry: number, value: number, exposedTimestampMs: number): void {
    this.counts.scraped++;
    const standing = this.#cache.touch(entry);
    const series = this.#cache.seriesOf(entry);
    if (series < 0) return;
    this.counts.kept++;
    const isExplicit = this.#config.honorTimestamps && !Number.isNaN(exposedTimestampMs);
    if (standing === 'repeated' && !isExplicit) {
      this.counts.duplicates++;
      return;
    }
    const timestampMs = isExplicit ? exposedTimestampMs : this.#timestampMs;
    if (timestampMs > this.#timestampMsMax || timestampMs < timestampMsMin) {
      this.counts.outOfBounds++;
      return;
    }
    this.#limited++;
    if (this.isOverSampleLimit) return;
    if (standing === 'new') this.counts.seriesAdded++;
    if (!isExplicit || this.#config.trackTimestampsStaleness) this.#cache.track(series);
    const place = this.#cache.placeIn(series, this.#series.length);
    if (place === this.#series.length) this.#series.push(this.#cache.labels(series));
    const at = this.#append(place, timestampMs);
    // biome-ignore lint/suspicious/noSelfCompare: the NaN test without a call
    if (value === value) this.#values[at] = value;
    else setNormalNaN(this.#values, at);
  }

  metadata(
    kind: MetadataKind,
    body: Uint8Array,
    nameStart: number,
    nameEnd: number,
    textStart: number,
    textEnd: number,
  ): void {
    this.#metadata.set(kind, body, nameStart, nameEnd, textStart, textEnd);
  }

  /** Forgets the samples (not the counts) of an exposition that turned out bad. */
  discard(): void {
    this.#series = [];
    this.#count = 0;
  }

  addStale(labels: Labels): void {
    const at = this.#append(this.#series.push(labels) - 1, this.#timestampMs);
    setStaleNaN(this.#values, at);
  }

  addReport(labels: Labels, value: number): void {
    const at = this.#append(this.#series.push(labels) - 1, this.#timestampMs);
    this.#values[at] = value;
  }

  batch(): WriteBatch {
    const count = this.#count;
    return {
      series: this.#series,
      refs: this.#refs.subarray(0, count),
      timestamps: this.#timestamps.subarray(0, count),
      values: this.#values.subarray(0, count),
    };
  }

  /** Adds a sample without its value; returns where the value belongs. May replace the columns. */
  #append(ref: number, timestampMs: number): number {
    const at = this.#count++;
    if (at === this.#refs.length) this.#grow();
    this.#refs[at] = ref;
    this.#timestamps[at] = timestampMs;
    return at;
  }

  #grow(): void {
    const size = this.#refs.length * 2;
    const refs = new Uint32Array(size);
    refs.set(this.#refs);
    this.#refs = refs;
    const timestamps = new Float64Array(size);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
    const values = new Float64Array(size);
    values.set(this.#values);
    this.#values = values;
  }
}
