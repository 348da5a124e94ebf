export type { ScrapeCounts } from './collector.ts';
export * from './config.ts';
export { ExpositionError, ScrapeError, type ScrapeErrorCode } from './errors.ts';
export { parseOpenMetrics } from './exposition/openmetrics.ts';
export type { ExpositionSink, MetadataKind, ParseOutcome } from './exposition/sink.ts';
export { parseTextExposition } from './exposition/text.ts';
export { FailureLog } from './failure_log.ts';
export { scrapeFeatureNames, withScrapeFeatures } from './features.ts';
export { createHttpClient, type HttpAnswer, type HttpClient, type HttpGet } from './http_client.ts';
export { type RefusedSamples, ScrapeLoop, type ScrapeLoopDeps, type ScrapeResult } from './loop.ts';
export { MetadataStore, type MetricMetadata } from './metadata.ts';
export { createScrapeMetrics, type ScrapeMetrics } from './metrics.ts';
export { Relabeler } from './relabel.ts';
export { nextScrapeMs, scrapeTimestampMs, targetOffsetMs, timestampToleranceMsDefault } from './schedule.ts';
export {
  type DroppedTarget,
  type InvalidTarget,
  populateTarget,
  type Target,
  type TargetOrDropped,
} from './target.ts';
