/** What discovery counts about itself; names and texts are Prometheus'. */
import { Counter, Gauge, Histogram, type Registry, Summary } from 'prom-client';

export interface DiscoveryMetrics {
  readonly refreshFailures: Counter<'mechanism'>;
  readonly refreshDuration: Summary<'mechanism'>;
  readonly refreshDurations: Histogram<'mechanism'>;
  readonly httpFailures: Counter;
  readonly dnsLookups: Counter;
  readonly dnsLookupFailures: Counter;
  readonly fileReadErrors: Counter;
  readonly fileScanDuration: Summary;
  readonly fileMtime: Gauge<'filename'>;
  readonly fileWatcherErrors: Counter;
  readonly manager: ManagerMetrics;
}

/** Of what runs the mechanisms; `name` says for whom, as Prometheus has several. */
export interface ManagerMetrics {
  readonly failedConfigs: Gauge<'name'>;
  readonly discoveredTargets: Gauge<'name' | 'config'>;
  readonly receivedUpdates: Counter<'name'>;
  readonly delayedUpdates: Counter<'name'>;
  readonly sentUpdates: Counter<'name'>;
  readonly lastUpdate: Gauge<'name' | 'config'>;
}

/** Quantiles are those of the last minutes, as Prometheus' own. */
const summaryAgeSeconds = 600;
const summaryAgeBuckets = 5;

export function createDiscoveryMetrics(registry: Registry): DiscoveryMetrics {
  const registers = [registry];
  return {
    refreshFailures: new Counter({
      name: 'prometheus_sd_refresh_failures_total',
      help: 'Number of refresh failures for the given SD mechanism.',
      labelNames: ['mechanism'],
      registers,
    }),
    refreshDuration: new Summary({
      name: 'prometheus_sd_refresh_duration_seconds',
      help: 'The duration of a refresh in seconds for the given SD mechanism.',
      labelNames: ['mechanism'],
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: summaryAgeSeconds,
      ageBuckets: summaryAgeBuckets,
      registers,
    }),
    refreshDurations: new Histogram({
      name: 'prometheus_sd_refresh_duration_histogram_seconds',
      help: 'The duration of a refresh for the given SD mechanism.',
      labelNames: ['mechanism'],
      buckets: [0.01, 0.1, 1, 10],
      registers,
    }),
    httpFailures: new Counter({
      name: 'prometheus_sd_http_failures_total',
      help: 'Number of HTTP service discovery refresh failures.',
      registers,
    }),
    dnsLookups: new Counter({
      name: 'prometheus_sd_dns_lookups_total',
      help: 'The number of DNS-SD lookups.',
      registers,
    }),
    dnsLookupFailures: new Counter({
      name: 'prometheus_sd_dns_lookup_failures_total',
      help: 'The number of DNS-SD lookup failures.',
      registers,
    }),
    fileReadErrors: new Counter({
      name: 'prometheus_sd_file_read_errors_total',
      help: 'The number of File-SD read errors.',
      registers,
    }),
    fileScanDuration: new Summary({
      name: 'prometheus_sd_file_scan_duration_seconds',
      help: 'The duration of the File-SD scan in seconds.',
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: summaryAgeSeconds,
      ageBuckets: summaryAgeBuckets,
      registers,
    }),
    fileMtime: new Gauge({
      name: 'prometheus_sd_file_mtime_seconds',
      help: 'Timestamp (mtime) of files read by FileSD. Timestamp is set at read time.',
      labelNames: ['filename'],
      registers,
    }),
    fileWatcherErrors: new Counter({
      name: 'prometheus_sd_file_watcher_errors_total',
      help: 'The number of File-SD errors caused by filesystem watch failures.',
      registers,
    }),
    manager: createManagerMetrics(registers),
  };
}

function createManagerMetrics(registers: Registry[]): ManagerMetrics {
  const labelNames = ['name'] as const;
  return {
    failedConfigs: new Gauge({
      name: 'prometheus_sd_failed_configs',
      help: 'Current number of service discovery configurations that failed to load.',
      labelNames,
      registers,
    }),
    discoveredTargets: new Gauge({
      name: 'prometheus_sd_discovered_targets',
      help: 'Current number of discovered targets.',
      labelNames: ['name', 'config'],
      registers,
    }),
    receivedUpdates: new Counter({
      name: 'prometheus_sd_received_updates_total',
      help: 'Total number of update events received from the SD providers.',
      labelNames,
      registers,
    }),
    delayedUpdates: new Counter({
      name: 'prometheus_sd_updates_delayed_total',
      help: "Total number of update events that couldn't be sent immediately.",
      labelNames,
      registers,
    }),
    sentUpdates: new Counter({
      name: 'prometheus_sd_updates_total',
      help: 'Total number of update events sent to the SD consumers.',
      labelNames,
      registers,
    }),
    lastUpdate: new Gauge({
      name: 'prometheus_sd_last_update_timestamp_seconds',
      help: 'Timestamp of the last update sent to the SD consumers.',
      labelNames: ['name', 'config'],
      registers,
    }),
  };
}
