/** What a log counts: its size, which all tsdb metrics have, and what it found damaged. */
import type { Counter, Registry } from 'prom-client';
import type { TsdbMetrics } from '../metrics.ts';
import { reusedMetrics } from '../reused_metrics.ts';

export interface LogMetrics extends Pick<TsdbMetrics, 'logBytes' | 'logRecords' | 'logCorruptions'> {
  readonly damagedEntries: Counter;
  readonly skippedSamples: Counter;
}

export function logMetrics(registry: Registry, shared: TsdbMetrics): LogMetrics {
  const { counter } = reusedMetrics(registry);
  return {
    logBytes: shared.logBytes,
    logRecords: shared.logRecords,
    logCorruptions: shared.logCorruptions,
    damagedEntries: counter(
      'torchring_tsdb_log_damaged_entries_total',
      'Definitions of series, sealed states and metadata beside the logs that could not be read.',
    ),
    skippedSamples: counter(
      'torchring_tsdb_log_skipped_samples_total',
      'Samples in the logs whose series could not be told.',
    ),
  };
}
