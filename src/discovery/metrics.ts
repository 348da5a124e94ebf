/** What discovery counts about itself; names and texts are Prometheus'. */
import { Counter, Gauge, Histogram, type Registry, Summary } from 'prom-client';

export interface DiscoveryMetrics {
  readonly refreshFailures: Counter<'mechanism'>;
  readonly refreshDuration: Histogram<'mechanism'>;
  readonly fileReadErrors: Counter;
  readonly fileScanDuration: Summary;
  readonly fileMtime: Gauge<'filename'>;
  readonly fileWatcherErrors: Counter;
}

export function createDiscoveryMetrics(registry: Registry): DiscoveryMetrics {
  const registers = [registry];
  return {
    refreshFailures: new Counter({
      name: 'prometheus_sd_refresh_failures_total',
      help: 'Number of refresh failures for the given SD mechanism.',
      labelNames: ['mechanism'],
      registers,
    }),
    refreshDuration: new Histogram({
      name: 'prometheus_sd_refresh_duration_histogram_seconds',
      help: 'The duration of a refresh for the given SD mechanism.',
      labelNames: ['mechanism'],
      buckets: [0.01, 0.1, 1, 10],
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
  };
}
