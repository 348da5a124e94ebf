/** What scraping counts about itself; names and texts of those that Prometheus has too are its own. */
import { Counter, Gauge, Histogram, type Registry, Summary } from 'prom-client';

interface PoolMetrics {
  readonly poolTargets: Gauge<'scrape_job'>;
  readonly poolSyncs: Counter<'scrape_job'>;
  readonly pools: Counter;
  readonly poolsFailed: Counter;
  readonly poolReloads: Counter;
  readonly poolReloadsFailed: Counter;
}

export interface ScrapeMetrics extends PoolMetrics {
  readonly intervalLength: Summary<'interval'>;
  readonly exceededBodySize: Counter;
  readonly exceededSampleLimit: Counter;
  readonly exceededBucketLimit: Counter;
  readonly exceededLabelLimits: Counter;
  readonly exceededTargetLimit: Counter;
  readonly duplicates: Counter;
  readonly outOfOrder: Counter;
  readonly outOfBounds: Counter;
  readonly scrapes: Counter<'result'>;
  readonly samples: Counter;
  readonly bodyBytes: Counter;
  readonly duration: Histogram;
}

function createPoolMetrics(registry: Registry): PoolMetrics {
  const registers = [registry];
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
  return {
    poolTargets: new Gauge({
      name: 'prometheus_target_scrape_pool_targets',
      help: 'Current number of targets in this scrape pool.',
      labelNames: ['scrape_job'],
      registers,
    }),
    poolSyncs: new Counter({
      name: 'prometheus_target_scrape_pool_sync_total',
      help: 'Total number of syncs that were executed on a scrape pool.',
      labelNames: ['scrape_job'],
      registers,
    }),
    pools: counter('prometheus_target_scrape_pools_total', 'Total number of scrape pool creation attempts.'),
    poolsFailed: counter(
      'prometheus_target_scrape_pools_failed_total',
      'Total number of scrape pool creations that failed.',
    ),
    poolReloads: counter(
      'prometheus_target_scrape_pool_reloads_total',
      'Total number of scrape pool reloads.',
    ),
    poolReloadsFailed: counter(
      'prometheus_target_scrape_pool_reloads_failed_total',
      'Total number of failed scrape pool reloads.',
    ),
  };
}

export function createScrapeMetrics(registry: Registry): ScrapeMetrics {
  const registers = [registry];
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
  return {
    intervalLength: new Summary({
      name: 'prometheus_target_interval_length_seconds',
      help: 'Actual intervals between scrapes.',
      labelNames: ['interval'],
      percentiles: [0.01, 0.05, 0.5, 0.9, 0.99],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers,
    }),
    ...createPoolMetrics(registry),
    exceededBodySize: counter(
      'prometheus_target_scrapes_exceeded_body_size_limit_total',
      'Total number of scrapes that hit the body size limit',
    ),
    exceededSampleLimit: counter(
      'prometheus_target_scrapes_exceeded_sample_limit_total',
      'Total number of scrapes that hit the sample limit and were rejected.',
    ),
    exceededBucketLimit: counter(
      'prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total',
      'Total number of scrapes that hit the native histogram bucket limit and were rejected.',
    ),
    exceededLabelLimits: counter(
      'prometheus_target_scrape_pool_exceeded_label_limits_total',
      'Total number of times scrape pools hit the label limits, during sync or config reload.',
    ),
    exceededTargetLimit: counter(
      'prometheus_target_scrape_pool_exceeded_target_limit_total',
      'Total number of times scrape pools hit the target limit, during sync or config reload.',
    ),
    duplicates: counter(
      'prometheus_target_scrapes_sample_duplicate_timestamp_total',
      'Total number of samples rejected due to duplicate timestamps but different values.',
    ),
    outOfOrder: counter(
      'prometheus_target_scrapes_sample_out_of_order_total',
      'Total number of samples rejected due to not being out of the expected order.',
    ),
    outOfBounds: counter(
      'prometheus_target_scrapes_sample_out_of_bounds_total',
      'Total number of samples rejected due to timestamp falling outside of the time bounds.',
    ),
    scrapes: new Counter({
      name: 'torchring_scrapes_total',
      help: 'Scrapes by result: ok, or the code of the error.',
      labelNames: ['result'],
      registers,
    }),
    samples: counter('torchring_scrape_samples_total', 'Samples read from targets and kept.'),
    bodyBytes: counter('torchring_scrape_body_bytes_total', 'Uncompressed bytes of expositions read.'),
    duration: new Histogram({
      name: 'torchring_scrape_duration_seconds',
      help: 'From the request to the parsed batch.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
  };
}
