/**
 * Receives one exposition and turns it into columns, applying what the job's configuration says about
 * timestamps and limits. Its result is taken only when the whole exposition was good: a scrape is atomic.
 */
import {
  type BatchExemplar,
  exemplarLabels,
  FloatHistogram,
  type Labels,
  setNormalNaN,
  setStaleNaN,
  type TextCache,
  type WriteBatch,
} from '../model/index.ts';
import type { ScrapeBatches } from './batches.ts';
import type { ScrapeConfig } from './config_types.ts';
import {
  type ExpositionSink,
  type HistogramSource,
  type MetadataKind,
  SampleNumber,
} from './exposition/sink.ts';
import { limitedHistogram, schemaOfFactor, zeroHistogram } from './histogram_limits.ts';
import type { MetadataStore } from './metadata.ts';
import type { SampleLabeler } from './sample_labels.ts';
import type { SeriesCache } from './series_cache.ts';

/** Samples with timestamps further ahead of now are refused. */
const aheadMsMax = 10 * 60_000;
/** A start time further back than the head of Prometheus reaches makes no sample. */
const startTimeAgeMsMax = 60 * 60_000;
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
  readonly #batches: ScrapeBatches;
  #exemplars: BatchExemplar[] = [];
  /** Where the batch has the series of the last sample, and when that was; -1 when the sample was not taken. */
  #lastPlace = -1;
  #lastTimestampMs = 0;
  /** Samples that sample_limit counts: no histograms. */
  #limited = 0;
  #isOverBucketLimit = false;
  /** Where in the batch the zeros at start times are. */
  readonly #zeros: number[] = [];
  /** Where in the batch what the target exposed ends; -1 while it goes on. */
  #exposedEnd = -1;

  constructor(deps: {
    cache: SeriesCache;
    batches: ScrapeBatches;
    config: ScrapeConfig;
    labeler: SampleLabeler;
    metadata: MetadataStore;
    texts: TextCache;
    timestampMs: number;
    nowMs: number;
  }) {
    this.#cache = deps.cache;
    this.#config = deps.config;
    this.#labeler = deps.labeler;
    this.#metadata = deps.metadata;
    this.#texts = deps.texts;
    this.#timestampMs = deps.timestampMs;
    this.#timestampMsMax = deps.nowMs + aheadMsMax;
    this.#batches = deps.batches;
    this.#batches.begin();
  }

  get isOverSampleLimit(): boolean {
    return this.#config.sampleLimit > 0 && this.#limited > this.#config.sampleLimit;
  }

  get isOverBucketLimit(): boolean {
    return this.#isOverBucketLimit;
  }

  /** Positions in the batch that hold zeros at start times. */
  get zeros(): readonly number[] {
    return this.#zeros;
  }

  /** How many positions of the batch hold what the target exposed: from there on markers and the report follow. */
  get exposedSamples(): number {
    return this.#exposedEnd < 0 ? this.#batches.sampleCount : this.#exposedEnd;
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

  sample(entry: number, numbers: Float64Array): void {
    this.counts.scraped++;
    this.#lastPlace = -1;
    const standing = this.#cache.touch(entry);
    const series = this.#cache.seriesOf(entry);
    if (series < 0) return;
    this.counts.kept++;
    const isExplicit = this.#isExplicit(numbers);
    if (standing === 'repeated' && !isExplicit) {
      this.counts.duplicates++;
      return;
    }
    this.#limited++;
    if (this.isOverSampleLimit) return;
    const timestampMs = isExplicit ? (numbers[SampleNumber.timestampMs] as number) : this.#timestampMs;
    if (timestampMs > this.#timestampMsMax || timestampMs < timestampMsMin) {
      this.counts.outOfBounds++;
      return;
    }
    const place = this.#take(series, standing === 'new', isExplicit, timestampMs);
    const batches = this.#batches;
    if ((numbers[SampleNumber.startTimeMs] as number) !== 0) {
      if (this.#isStart(series, numbers, timestampMs)) {
        batches.values[this.#addZero(place, numbers)] = 0;
      }
      this.#cache.setNewestMs(series, timestampMs);
    }
    this.#cache.setHistogram(series, false);
    const at = batches.add(place, timestampMs);
    const value = numbers[SampleNumber.value] as number;
    // biome-ignore lint/suspicious/noSelfCompare: the NaN test without a call
    if (value === value) batches.values[at] = value;
    else setNormalNaN(batches.values, at);
  }

  /** Throws HistogramError. Its samples are not those that sample_limit counts. */
  histogram(entry: number, source: HistogramSource, numbers: Float64Array): void {
    this.counts.scraped++;
    this.#lastPlace = -1;
    const standing = this.#cache.touch(entry);
    const series = this.#cache.seriesOf(entry);
    const { nativeHistogramBucketLimit, nativeHistogramMinBucketFactor } = this.#config;
    if (series < 0 || !this.#config.scrapeNativeHistograms) return;
    this.counts.kept++;
    const isExplicit = this.#isExplicit(numbers);
    if (standing === 'repeated' && !isExplicit) {
      this.counts.duplicates++;
      return;
    }
    const timestampMs = isExplicit ? (numbers[SampleNumber.timestampMs] as number) : this.#timestampMs;
    if (timestampMs > this.#timestampMsMax || timestampMs < timestampMsMin) {
      this.counts.outOfBounds++;
      return;
    }
    const schemaMax = schemaOfFactor(nativeHistogramMinBucketFactor);
    const histogram = limitedHistogram(source.build(), nativeHistogramBucketLimit, schemaMax);
    if (histogram === undefined) {
      this.#isOverBucketLimit = true;
      return;
    }
    const place = this.#take(series, standing === 'new', isExplicit, timestampMs);
    if (this.#isStart(series, numbers, timestampMs)) {
      this.#zeros.push(this.#batches.sampleCount);
      const startTimeMs = numbers[SampleNumber.startTimeMs] as number;
      this.#batches.addHistogram(place, startTimeMs, zeroHistogram(histogram));
    }
    if (this.#config.features.startTimeZeroSamples) this.#cache.setNewestMs(series, timestampMs);
    this.#cache.setHistogram(series, true);
    this.#batches.addHistogram(place, timestampMs, histogram);
  }

  #isExplicit(numbers: Float64Array): boolean {
    return this.#config.honorTimestamps && !Number.isNaN(numbers[SampleNumber.timestampMs] as number);
  }

  /** Notes that the series has a sample in this scrape; returns its place in the batch. */
  #take(series: number, isNew: boolean, isExplicit: boolean, timestampMs: number): number {
    // As with the sample limit, what comes after does not count.
    if (isNew && !this.#isOverBucketLimit) this.counts.seriesAdded++;
    if (!isExplicit || this.#config.trackTimestampsStaleness) this.#cache.track(series);
    this.#lastPlace = this.#batches.placeOf(series);
    this.#lastTimestampMs = timestampMs;
    return this.#lastPlace;
  }

  /** Whether the series began anew since its last sample: then it was zero at the start time. */
  #isStart(series: number, numbers: Float64Array, timestampMs: number): boolean {
    const startTimeMs = numbers[SampleNumber.startTimeMs] as number;
    if (!this.#config.features.startTimeZeroSamples || !(startTimeMs > 0)) return false;
    const isRecent = startTimeMs < timestampMs && startTimeMs >= timestampMs - startTimeAgeMsMax;
    return isRecent && startTimeMs > this.#cache.newestMs(series);
  }

  #addZero(place: number, numbers: Float64Array): number {
    this.#zeros.push(this.#batches.sampleCount);
    return this.#batches.add(place, numbers[SampleNumber.startTimeMs] as number);
  }

  /** Exemplars that can't be stored are left out; they never fail a scrape. */
  exemplar(pairs: readonly string[], value: number, exposedTimestampMs: number): void {
    const timestampMs = Number.isNaN(exposedTimestampMs) ? this.#lastTimestampMs : exposedTimestampMs;
    if (this.#lastPlace < 0 || !(timestampMs >= timestampMsMin && timestampMs <= this.#timestampMsMax))
      return;
    const labels = exemplarLabels(pairs);
    if (labels !== undefined) this.#exemplars.push({ ref: this.#lastPlace, labels, value, timestampMs });
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
    this.#batches.restart();
    this.#cache.replace();
    this.#exemplars = [];
    this.#zeros.length = 0;
  }

  /** The marker of a series of the cache. */
  addStale(series: number): void {
    this.#endExposed();
    if (this.#cache.isHistogram(series)) {
      this.#batches.addHistogram(this.#batches.placeOf(series), this.#timestampMs, FloatHistogram.stale);
      return;
    }
    const at = this.#batches.add(this.#batches.placeOf(series), this.#timestampMs);
    setStaleNaN(this.#batches.values, at);
  }

  /** The value of the report series `index`; undefined is the marker. */
  addReport(index: number, labels: Labels, value: number | undefined): void {
    this.#endExposed();
    const at = this.#batches.add(this.#batches.placeOfReport(index, labels), this.#timestampMs);
    if (value === undefined) setStaleNaN(this.#batches.values, at);
    else this.#batches.values[at] = value;
  }

  #endExposed(): void {
    if (this.#exposedEnd < 0) this.#exposedEnd = this.#batches.sampleCount;
  }

  batch(): WriteBatch {
    return this.#batches.finish(this.#exemplars);
  }
}
