/**
 * What sealed windows count. A set of windows adds its part to the gauges and takes it out again.
 */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { reusedMetrics } from '../reused_metrics.ts';

export interface WindowMetrics {
  readonly windows: Gauge;
  readonly blocksLoaded: Gauge;
  readonly series: Gauge;
  readonly samples: Gauge;
  readonly bytes: Gauge;
  readonly blocksBytes: Gauge;
  readonly tombstones: Gauge;
  readonly damagedWindows: Gauge;
  readonly damagedReads: Counter;
  readonly sealSeconds: Histogram;
  readonly compactionSeconds: Histogram;
  readonly retentionSeconds: Histogram;
  readonly tombstoneCleanupSeconds: Histogram;
  readonly compactions: Counter;
  readonly compactionsFailed: Counter;
  readonly timeRetentions: Counter;
  readonly sizeRetentions: Counter;
  readonly cacheBytes: Gauge;
  readonly cacheHits: Counter;
  readonly cacheMisses: Counter;
}

const buckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300];

export function windowMetrics(registry: Registry): WindowMetrics {
  const { gauge, counter, histogram } = reusedMetrics(registry);
  const seconds = (name: string, help: string): Histogram => histogram(name, help, buckets);
  return {
    windows: gauge('torchring_tsdb_sealed_windows', 'Sealed windows that are served.'),
    blocksLoaded: gauge('prometheus_tsdb_blocks_loaded', 'Sealed windows that are served.'),
    series: gauge('torchring_tsdb_sealed_series', 'Series of all sealed windows, counted once for each.'),
    samples: gauge('torchring_tsdb_sealed_samples', 'Samples in sealed windows.'),
    bytes: gauge('torchring_tsdb_sealed_bytes', 'Bytes of the pages and indexes of sealed windows.'),
    blocksBytes: gauge(
      'prometheus_tsdb_storage_blocks_bytes',
      'Bytes of the pages and indexes of sealed windows.',
    ),
    tombstones: gauge('torchring_tsdb_tombstones', 'Deletions that wait for compaction.'),
    damagedWindows: gauge('torchring_tsdb_damaged_windows', 'Sealed windows that can not be read at all.'),
    damagedReads: counter(
      'torchring_tsdb_damaged_reads_total',
      'Queries and compactions that failed because a page or a part of an index could not be read.',
    ),
    sealSeconds: seconds('torchring_tsdb_seal_seconds', 'Time it took to seal a window.'),
    compactionSeconds: seconds('prometheus_tsdb_compaction_duration_seconds', 'Time of one compaction.'),
    retentionSeconds: seconds('torchring_tsdb_retention_seconds', 'Time it took to drop windows.'),
    tombstoneCleanupSeconds: seconds(
      'prometheus_tsdb_tombstone_cleanup_seconds',
      'Time of compactions that removed what was deleted.',
    ),
    compactions: counter('prometheus_tsdb_compactions_total', 'Windows sealed or made of others.'),
    compactionsFailed: counter(
      'prometheus_tsdb_compactions_failed_total',
      'Sealings and compactions that failed.',
    ),
    timeRetentions: counter(
      'prometheus_tsdb_time_retentions_total',
      'Times that windows were dropped because they were too old.',
    ),
    sizeRetentions: counter(
      'prometheus_tsdb_size_retentions_total',
      'Times that windows were dropped because all together were too large.',
    ),
    cacheBytes: gauge('torchring_tsdb_page_cache_bytes', 'Memory of cached pages and index chunks.'),
    cacheHits: counter('torchring_tsdb_page_cache_hits_total', 'Pages and index chunks found in the cache.'),
    cacheMisses: counter(
      'torchring_tsdb_page_cache_misses_total',
      'Pages and index chunks that had to be read from the disk.',
    ),
  };
}

/** One set's part of the gauges. */
export interface SetFigures {
  readonly windows: number;
  readonly series: number;
  readonly samples: number;
  readonly bytes: number;
  readonly tombstones: number;
  readonly damaged: number;
}

const noFigures: SetFigures = { windows: 0, series: 0, samples: 0, bytes: 0, tombstones: 0, damaged: 0 };

export class SetGauges {
  readonly #metrics: WindowMetrics | undefined;
  #told = noFigures;

  constructor(metrics: WindowMetrics | undefined) {
    this.#metrics = metrics;
  }

  tell(now: SetFigures): void {
    const metrics = this.#metrics;
    if (metrics === undefined) return;
    const was = this.#told;
    this.#told = now;
    metrics.windows.inc(now.windows - was.windows);
    metrics.blocksLoaded.inc(now.windows - was.windows);
    metrics.series.inc(now.series - was.series);
    metrics.samples.inc(now.samples - was.samples);
    metrics.bytes.inc(now.bytes - was.bytes);
    metrics.blocksBytes.inc(now.bytes - was.bytes);
    metrics.tombstones.inc(now.tombstones - was.tombstones);
    metrics.damagedWindows.inc(now.damaged - was.damaged);
  }

  /** The set is gone. */
  withdraw(): void {
    this.tell(noFigures);
  }
}
