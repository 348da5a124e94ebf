/** What a node counts of the queries that it is asked, under the names of Prometheus' engine. */
import { Counter, Gauge, type Registry, Summary } from 'prom-client';
import type { StatsJson } from '../query_stats.ts';

const percentiles = [0.5, 0.9, 0.99];

export class QueryMetrics {
  readonly running: Gauge;
  readonly samples: Counter;
  readonly logEnabled: Gauge;
  readonly logFailures: Counter;
  readonly #durations: Summary<'slice'>;

  constructor(registry: Registry, concurrencyMax: number) {
    const registers = [registry];
    this.running = new Gauge({
      name: 'prometheus_engine_queries',
      help: 'The current number of queries being executed or waiting.',
      registers,
    });
    new Gauge({
      name: 'prometheus_engine_queries_concurrent_max',
      help: 'The max number of concurrent queries.',
      registers,
    }).set(concurrencyMax);
    this.samples = new Counter({
      name: 'prometheus_engine_query_samples_total',
      help: 'The total number of samples loaded by all queries.',
      registers,
    });
    this.logEnabled = new Gauge({
      name: 'prometheus_engine_query_log_enabled',
      help: 'State of the query log.',
      registers,
    });
    this.logFailures = new Counter({
      name: 'prometheus_engine_query_log_failures_total',
      help: 'The number of query log failures.',
      registers,
    });
    this.#durations = new Summary({
      name: 'prometheus_engine_query_duration_seconds',
      help: 'Query timings: queue_time, prepare_time until all data is there, inner_eval, result_sort.',
      labelNames: ['slice'],
      percentiles,
      registers,
    });
  }

  /** A query that was evaluated. */
  evaluated({ timings, samples }: StatsJson): void {
    this.samples.inc(samples.totalQueryableSamples);
    this.#durations.observe({ slice: 'queue_time' }, timings.execQueueTime);
    this.#durations.observe({ slice: 'prepare_time' }, timings.queryPreparationTime);
    this.#durations.observe({ slice: 'inner_eval' }, timings.innerEvalTime);
    this.#durations.observe({ slice: 'result_sort' }, timings.resultSortTime);
  }
}
