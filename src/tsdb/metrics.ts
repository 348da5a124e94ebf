/** What the storage engine counts. All stores of a thread share one registry, so a metric is made once and reused. */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { reusedMetrics } from './reused_metrics.ts';

export interface TsdbMetrics {
  readonly headSeries: Gauge;
  readonly samplesAppended: Counter<'type'>;
  readonly outOfOrder: Counter<'type'>;
  readonly outOfBounds: Counter<'type'>;
  readonly tooOld: Counter<'type'>;
  readonly limited: Counter;
  readonly logBytes: Gauge;
  readonly logRecords: Counter;
  readonly logCorruptions: Counter;
  readonly failedWrites: Counter;
  readonly failingStores: Gauge;
  readonly replaySeconds: Counter;
  readonly commitSeconds: Histogram;
}

export function tsdbMetrics(registry: Registry): TsdbMetrics {
  const { gauge, counter, typed, histogram } = reusedMetrics(registry);
  return {
    headSeries: gauge('prometheus_tsdb_head_series', 'Series in memory.'),
    samplesAppended: typed('prometheus_tsdb_head_samples_appended_total', 'Samples accepted.'),
    outOfOrder: typed(
      'prometheus_tsdb_out_of_order_samples_total',
      "Samples refused because their series' newest sample is newer.",
    ),
    outOfBounds: typed(
      'prometheus_tsdb_out_of_bound_samples_total',
      'Samples refused because they lie too far in the future.',
    ),
    tooOld: typed(
      'prometheus_tsdb_too_old_samples_total',
      'Samples refused because they are past retention.',
    ),
    limited: counter(
      'torchring_tsdb_limited_samples_total',
      'Samples refused because the shard has too many series.',
    ),
    logBytes: gauge('torchring_tsdb_log_bytes', 'Bytes of keys and records in the logs, before compression.'),
    logRecords: counter('torchring_tsdb_log_records_total', 'Records appended to the logs.'),
    logCorruptions: counter(
      'torchring_tsdb_log_corruptions_total',
      'Logs that were cut at a damaged record.',
    ),
    failedWrites: counter(
      'torchring_tsdb_failed_writes_total',
      'Writes that the disk refused, attempts to repeat them included.',
    ),
    failingStores: gauge(
      'torchring_tsdb_failing_stores',
      'Stores that take no samples because their disk refuses writes.',
    ),
    replaySeconds: counter('torchring_tsdb_replay_seconds_total', 'Time spent replaying logs.'),
    commitSeconds: histogram(
      'torchring_tsdb_log_commit_seconds',
      'Time of one group commit.',
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    ),
  };
}
