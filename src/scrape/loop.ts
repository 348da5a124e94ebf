/**
 * One target's scraping, without timers: whoever drives it says when. A scrape is atomic: either all of the
 * exposition is in the batch, or nothing but staleness markers for what the last good scrape held; the report
 * series are in it either way.
 */
import { assert, type Clock, CodedError, errorText, systemRandom } from '../base/index.ts';
import { formatDuration, type Labels, TextCache, type WriteBatch } from '../model/index.ts';
import { ScrapeBatches } from './batches.ts';
import { ScrapeCollector, type ScrapeCounts } from './collector.ts';
import type { ScrapeConfig } from './config_types.ts';
import { ScrapeError } from './errors.ts';
import { acceptHeader, type ExpositionFormat, expositionFormat } from './exposition/content_type.ts';
import { CustomBucketsSink } from './exposition/custom_buckets.ts';
import { parseOpenMetrics } from './exposition/openmetrics.ts';
import { parseProtobuf } from './exposition/protobuf.ts';
import type { ExpositionOptions, ExpositionSink, ParseOutcome } from './exposition/sink.ts';
import { parseTextExposition } from './exposition/text.ts';
import type { HttpAnswer, HttpClient } from './http_client.ts';
import { MetadataStore } from './metadata.ts';
import type { ScrapeMetrics } from './metrics.ts';
import type { Relabeler } from './relabel.ts';
import { ReportSeries } from './report.ts';
import { SampleLabeler } from './sample_labels.ts';
import { SeriesCache } from './series_cache.ts';
import type { Target } from './target.ts';

export interface ScrapeLoopDeps {
  readonly target: Target;
  readonly config: ScrapeConfig;
  /** The job's `metricRelabelConfigs`, compiled. */
  readonly metricRelabeler: Relabeler;
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly metrics: ScrapeMetrics;
  /** For the User-Agent: `Torchring/<version>`. */
  readonly version: string;
  /** Of the tables keyed by what targets send; without it one from the operating system. */
  readonly hashSeed?: number;
  /** Strings shared with other loops of this thread; without it the loop has its own. */
  readonly texts?: TextCache;
  /** What a predecessor over the same target was tracking (another node, or an older configuration). */
  readonly inherited?: Iterable<Labels>;
  /** Told of each answer that did not come, or not as it should. */
  readonly logFailure?: (target: string, message: string) => void;
  /** Whether that predecessor has written report series, which end with the target as well. */
  readonly hasReported?: boolean;
}

type ParseExposition = (body: Uint8Array, sink: ExpositionSink, options: ExpositionOptions) => ParseOutcome;

const parsers: Readonly<Record<ExpositionFormat, ParseExposition>> = {
  text: parseTextExposition,
  openmetrics: parseOpenMetrics,
  protobuf: parseProtobuf,
};

/** One bit for each. */
const dialects: Readonly<Record<ExpositionFormat, number>> = { text: 1, openmetrics: 2, protobuf: 4 };
const dialectsEnd = 8;

/** What the store refused of a scrape. */
export interface RefusedSamples {
  readonly outOfOrder: number;
  /** Another value for a time that has one. */
  readonly duplicates: number;
  readonly outOfBounds: number;
}

export interface ScrapeResult {
  /** Samples, staleness markers and report series, all of one target. Its owner gives it back with `release`. */
  readonly batch: WriteBatch;
  readonly health: 'up' | 'down';
  /** Empty when up. */
  readonly lastError: string;
  readonly timestampMs: number;
  readonly durationMs: number;
  readonly counts: Readonly<ScrapeCounts>;
  /** Uncompressed; 0 when nothing was read, -1 when body_size_limit was exceeded. */
  readonly bodyBytes: number;
  /** How many of the batch's first samples the target exposed. */
  readonly exposedSamples: number;
  /** Which of these are zeros at start times, added by the scrape. */
  readonly zeros: readonly number[];
}

export class ScrapeLoop {
  readonly target: Target;
  readonly metadata: MetadataStore;
  readonly #deps: ScrapeLoopDeps;
  readonly #cache: SeriesCache;
  readonly #batches: ScrapeBatches;
  readonly #labeler: SampleLabeler;
  readonly #report: ReportSeries;
  readonly #texts: TextCache;
  readonly #options: ExpositionOptions;
  /** Makes native histograms of classic ones, where the job wants that. */
  readonly #customBuckets: CustomBucketsSink | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  #isScraping = false;
  #hasReported: boolean;
  #startedAtMs: number | undefined;
  #lastBodyBytes = 0;

  constructor(deps: ScrapeLoopDeps) {
    const { target, config } = deps;
    this.#hasReported = deps.hasReported === true;
    this.target = target;
    this.#deps = deps;
    this.#labeler = new SampleLabeler(config, target.publicLabels, deps.metricRelabeler);
    this.#report = new ReportSeries(
      target.publicLabels,
      { timeoutMs: target.timeoutMs, sampleLimit: config.sampleLimit },
      config.extraScrapeMetrics,
    );
    const hashSeed = deps.hashSeed ?? systemRandom().below(2 ** 32);
    this.metadata = new MetadataStore(hashSeed);
    this.#cache = new SeriesCache(hashSeed);
    this.#batches = new ScrapeBatches(this.#cache);
    this.#texts = deps.texts ?? new TextCache(hashSeed);
    this.#options = {
      typeAndUnitLabels: config.features.typeAndUnitLabels,
      startTimes: config.features.startTimeZeroSamples,
      classicHistograms: config.alwaysScrapeClassicHistograms,
    };
    if (config.convertClassicHistogramsToNhcb) {
      this.#customBuckets = new CustomBucketsSink(hashSeed, config.alwaysScrapeClassicHistograms);
    }
    this.#headers = {
      accept: acceptHeader(config.scrapeProtocols, config.metricNameEscapingScheme),
      'accept-encoding': config.enableCompression ? 'gzip, zstd;q=0.5' : 'identity',
      'user-agent': `Torchring/${deps.version}`,
      'x-prometheus-scrape-timeout-seconds': String(target.timeoutMs / 1000),
    };
    for (const labels of deps.inherited ?? []) this.#cache.inherit(labels);
  }

  /**
   * Scrapes once and stamps the samples with `timestampMs` (the scheduled time). Never rejects on account of the
   * target. Not to be called while a scrape runs.
   */
  async scrape(timestampMs: number, signal?: AbortSignal): Promise<ScrapeResult> {
    assert(!this.#isScraping, 'one scrape of a target at a time');
    this.#isScraping = true;
    const startedAtMs = this.#deps.clock.monotonicMs();
    this.#observeInterval(startedAtMs);
    try {
      const answer = await this.#get(signal);
      if (!(answer instanceof ScrapeError)) {
        const result = this.#take(answer.body, answer.contentType, timestampMs, startedAtMs);
        answer.release?.();
        return result;
      }
      const bodyBytes = answer.code === 'body_size_limit' ? -1 : 0;
      this.#deps.logFailure?.(this.target.url, answer.message);
      return this.#failed(this.#collector(timestampMs), timestampMs, startedAtMs, bodyBytes, answer);
    } finally {
      this.#isScraping = false;
    }
  }

  async #get(signal: AbortSignal | undefined): Promise<HttpAnswer | ScrapeError> {
    try {
      return await this.#deps.client.get({
        url: this.target.url,
        headers: this.#headers,
        timeoutMs: this.target.timeoutMs,
        bodyBytesMax: this.#deps.config.bodySizeLimitBytes,
        bodyBytesExpected: this.#lastBodyBytes,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (error instanceof ScrapeError) return error;
      throw error;
    }
  }

  /** A scrape that fails without being tried, such as when the job's target_limit is exceeded. */
  fail(timestampMs: number, reason: string): ScrapeResult {
    const startedAtMs = this.#deps.clock.monotonicMs();
    const error = new ScrapeError('target', reason);
    return this.#failed(this.#collector(timestampMs), timestampMs, startedAtMs, 0, error);
  }

  /** The target is gone: markers for all its series, the report's too. The loop is not used afterwards. */
  endOfLife(timestampMs: number): WriteBatch {
    const collector = this.#collector(timestampMs);
    this.#cache.abandon((series) => collector.addStale(series));
    if (this.#hasReported) {
      this.#report.writeStale((index, labels) => collector.addReport(index, labels, undefined));
    }
    return collector.batch();
  }

  /**
   * Nobody reads this batch any more: its columns serve a later scrape. A batch that somebody may still hold (an append
   * that was not answered in time) is not given back; it stays as it is.
   */
  release(batch: WriteBatch): void {
    this.#batches.release(batch);
  }

  /** Counts what the store refused of a scrape's batch. */
  noteRefused({ outOfOrder, duplicates, outOfBounds }: RefusedSamples): void {
    const { metrics } = this.#deps;
    if (outOfOrder > 0) metrics.outOfOrder.inc(outOfOrder);
    if (duplicates > 0) metrics.duplicates.inc(duplicates);
    if (outOfBounds > 0) metrics.outOfBounds.inc(outOfBounds);
  }

  /** How many spellings of series are remembered; bounded by what a good scrape holds. */
  get cachedSpellings(): number {
    return this.#cache.entryCount;
  }

  /** Whether there are report series, by this loop or one before it. */
  get hasReported(): boolean {
    return this.#hasReported;
  }

  /** What a successor over the same target has to inherit. */
  trackedSeries(): Labels[] {
    return [...this.#cache.trackedSeries()];
  }

  #take(body: Uint8Array, contentType: string, timestampMs: number, startedAtMs: number): ScrapeResult {
    this.#lastBodyBytes = body.length;
    const collector = this.#collector(timestampMs);
    try {
      // An empty answer counts as good but says nothing about its format.
      if (body.length > 0) this.#parse(body, contentType, collector);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return this.#failed(collector, timestampMs, startedAtMs, body.length, error);
    }
    const addStale = (series: number): void => collector.addStale(series);
    if (body.length > 0) {
      this.#cache.commit(addStale);
      this.metadata.scrapeDone();
    } else this.#cache.abandon(addStale);
    return this.#finish(collector, timestampMs, startedAtMs, body.length, undefined);
  }

  /** Throws ExpositionError, ScrapeError, HistogramError. */
  #parse(body: Uint8Array, contentType: string, collector: ScrapeCollector): void {
    const format = expositionFormat(contentType, this.#deps.config.fallbackScrapeProtocol);
    const dialect = dialects[format];
    this.#cache.speak(dialect);
    const numbering = this.#batches.numbering * dialectsEnd + dialect;
    const sink = this.#customBuckets?.begin(collector, numbering) ?? collector;
    try {
      parsers[format](body, sink, this.#options);
      this.#customBuckets?.end();
    } finally {
      this.#countExceeded(collector);
    }
    if (collector.isOverSampleLimit) throw new ScrapeError('sample_limit', 'sample limit exceeded');
    if (collector.isOverBucketLimit) {
      throw new ScrapeError('bucket_limit', 'histogram bucket limit exceeded');
    }
  }

  /** Limits count also where the scrape then fails for another reason. */
  #countExceeded(collector: ScrapeCollector): void {
    const { metrics } = this.#deps;
    if (collector.isOverSampleLimit) metrics.exceededSampleLimit.inc();
    if (collector.isOverBucketLimit) metrics.exceededBucketLimit.inc();
  }

  #failed(
    collector: ScrapeCollector,
    timestampMs: number,
    startedAtMs: number,
    bodyBytes: number,
    error: unknown,
  ): ScrapeResult {
    collector.discard();
    this.#cache.abandon((series) => collector.addStale(series));
    return this.#finish(collector, timestampMs, startedAtMs, bodyBytes, error);
  }

  #finish(
    collector: ScrapeCollector,
    timestampMs: number,
    startedAtMs: number,
    bodyBytes: number,
    error: unknown,
  ): ScrapeResult {
    const { counts } = collector;
    const durationMs = this.#deps.clock.monotonicMs() - startedAtMs;
    const isUp = error === undefined;
    this.#report.write({ isUp, durationMs, ...counts, bodyBytes }, (index, labels, value) =>
      collector.addReport(index, labels, value),
    );
    this.#hasReported = true;
    this.#count(counts, durationMs, bodyBytes, error);
    return {
      batch: collector.batch(),
      health: isUp ? 'up' : 'down',
      lastError: isUp ? '' : errorText(error),
      timestampMs,
      durationMs,
      counts,
      bodyBytes,
      exposedSamples: collector.exposedSamples,
      zeros: collector.zeros,
    };
  }

  #collector(timestampMs: number): ScrapeCollector {
    return new ScrapeCollector({
      cache: this.#cache,
      batches: this.#batches,
      config: this.#deps.config,
      labeler: this.#labeler,
      metadata: this.metadata,
      texts: this.#texts,
      timestampMs,
      nowMs: this.#deps.clock.nowMs(),
    });
  }

  #observeInterval(startedAtMs: number): void {
    if (this.#startedAtMs !== undefined) {
      const seconds = (startedAtMs - this.#startedAtMs) / 1000;
      this.#deps.metrics.intervalLength.observe(
        { interval: formatDuration(this.target.intervalMs) },
        seconds,
      );
    }
    this.#startedAtMs = startedAtMs;
  }

  #count(counts: ScrapeCounts, durationMs: number, bodyBytes: number, error: unknown): void {
    const { metrics } = this.#deps;
    const result = error === undefined ? 'ok' : error instanceof CodedError ? error.code : 'unknown';
    metrics.scrapes.inc({ result });
    metrics.duration.observe(durationMs / 1000);
    if (bodyBytes > 0) metrics.bodyBytes.inc(bodyBytes);
    if (error === undefined) metrics.samples.inc(counts.kept);
    if (counts.duplicates > 0) metrics.duplicates.inc(counts.duplicates);
    if (counts.outOfBounds > 0) metrics.outOfBounds.inc(counts.outOfBounds);
    if (result === 'body_size_limit') metrics.exceededBodySize.inc();
    if (result === 'label_limit') metrics.exceededLabelLimits.inc();
  }
}
