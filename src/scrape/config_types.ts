// What a `scrape_configs` entry says, with everything inherited from `global` already filled in. Plain data:
// it is read in the control thread and used in the shard workers, so it must survive a structured clone.
import type { HttpClientConfig, RelabelConfig } from '../model/index.ts';
import type { ScrapeFeatures } from './features.ts';

export type ScrapeProtocol =
  | 'PrometheusProto'
  | 'PrometheusText0.0.4'
  | 'PrometheusText1.0.0'
  | 'OpenMetricsText0.0.1'
  | 'OpenMetricsText1.0.0';

export type NameValidationScheme = 'utf8' | 'legacy';
export type NameEscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

/**
 * One scrape job. `Discovery` is the union of discovery sections, which another room defines.
 * A limit of 0 means no limit; an empty path means none.
 */
export interface ScrapeConfig<Discovery = unknown> {
  readonly jobName: string;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  readonly fallbackScrapeProtocol: ScrapeProtocol | undefined;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly scrapeNativeHistograms: boolean;
  readonly extraScrapeMetrics: boolean;
  /** What was turned on with --enable-feature. */
  readonly features: ScrapeFeatures;
  readonly scrapeFailureLogFile: string;
  readonly metricsPath: string;
  readonly scheme: string;
  readonly enableCompression: boolean;
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly nativeHistogramBucketLimit: number;
  readonly nativeHistogramMinBucketFactor: number;
  readonly keepDroppedTargets: number;
  readonly metricNameValidationScheme: NameValidationScheme;
  readonly metricNameEscapingScheme: NameEscapingScheme;
  readonly httpClientConfig: HttpClientConfig;
  readonly serviceDiscoveryConfigs: readonly Discovery[];
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly metricRelabelConfigs: readonly RelabelConfig[];
}

/** The `global` section, defaults filled in. */
export interface GlobalConfig {
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  readonly evaluationIntervalMs: number;
  readonly ruleQueryOffsetMs: number;
  readonly queryLogFile: string;
  readonly scrapeFailureLogFile: string;
  /** `$VAR` and `${VAR}` in values are already expanded. */
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly keepDroppedTargets: number;
  readonly metricNameValidationScheme: NameValidationScheme;
  readonly metricNameEscapingScheme: NameEscapingScheme;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly scrapeNativeHistograms: boolean;
  readonly extraScrapeMetrics: boolean;
}
