// The whole of prometheus.yml as a value: each room's sections side by side. Only this room knows them all.
import type { DiscoveryConfig } from '../discovery/index.ts';
import type { HttpClientConfig, RelabelConfig, SigV4Config, TlsConfig } from '../model/index.ts';
import type { RemoteReadConfig, RemoteWriteConfig } from '../remote/index.ts';
import type { GlobalConfig, ScrapeConfig } from '../scrape/index.ts';

/** One `alerting.alertmanagers` entry. */
export interface AlertmanagerEndpointConfig {
  readonly scheme: string;
  readonly pathPrefix: string;
  readonly timeoutMs: number;
  readonly apiVersion: 'v2';
  readonly httpClientConfig: HttpClientConfig;
  readonly sigv4: SigV4Config | undefined;
  readonly serviceDiscoveryConfigs: readonly DiscoveryConfig[];
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly alertRelabelConfigs: readonly RelabelConfig[];
}

export interface AlertingConfig {
  readonly alertRelabelConfigs: readonly RelabelConfig[];
  readonly alertmanagers: readonly AlertmanagerEndpointConfig[];
}

export interface StorageConfig {
  /** 0: out-of-order samples are refused. */
  readonly outOfOrderTimeWindowMs: number;
  readonly maxExemplars: number;
  /** What `storage.tsdb.retention` says; 0 where it says nothing and the flags count. */
  readonly retention: {
    readonly timeMs: number;
    readonly sizeBytes: number;
    readonly percentage: number;
  };
  /** Share of stale series in the head that starts an early compaction; 0: never. */
  readonly staleSeriesCompactionThreshold: number;
  readonly floatChunkEncoding: '' | 'xor' | 'xor2';
}

export interface TracingConfig {
  readonly clientType: 'grpc' | 'http';
  readonly endpoint: string;
  readonly samplingFraction: number;
  readonly insecure: boolean;
  readonly tlsConfig: TlsConfig;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: '' | 'gzip';
  readonly timeoutMs: number;
}

export interface OtlpConfig {
  readonly promoteAllResourceAttributes: boolean;
  readonly promoteResourceAttributes: readonly string[];
  readonly ignoreResourceAttributes: readonly string[];
  readonly translationStrategy:
    | 'UnderscoreEscapingWithSuffixes'
    | 'UnderscoreEscapingWithoutSuffixes'
    | 'NoUTF8EscapingWithSuffixes'
    | 'NoTranslation';
  readonly keepIdentifyingResourceAttributes: boolean;
  readonly convertHistogramsToNhcb: boolean;
  readonly promoteScopeMetadata: boolean;
  readonly labelNameUnderscoreSanitization: boolean;
  readonly labelNamePreserveMultipleUnderscores: boolean;
}

export interface JobPlace {
  readonly file: string;
  readonly index: number;
}

export interface PrometheusConfig {
  readonly global: GlobalConfig;
  /** Percentage; kept because it is accepted, has no effect on this runtime. */
  readonly runtimeGogc: number;
  readonly alerting: AlertingConfig;
  /** Globs, joined with the configuration file's directory. */
  readonly ruleFiles: readonly string[];
  readonly scrapeConfigFiles: readonly string[];
  /** Jobs of the main file; `loadPrometheusConfig` adds those of scrape_config_files. */
  readonly scrapeConfigs: readonly ScrapeConfig<DiscoveryConfig>[];
  /** The file in which each job is written, by its name, and its number there. */
  readonly jobPlaces: ReadonlyMap<string, JobPlace>;
  readonly storage: StorageConfig;
  readonly tracing: TracingConfig | undefined;
  readonly remoteWrite: readonly RemoteWriteConfig[];
  readonly remoteRead: readonly RemoteReadConfig[];
  readonly otlp: OtlpConfig;
  /** The file's text with every secret replaced by `<secret>`, for showing. */
  readonly shownYaml: string;
}
