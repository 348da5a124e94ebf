/**
 * What the engine counts, under the names of Prometheus' engine.
 */
import { Gauge, type Registry, Summary } from 'prom-client';

const percentiles = [0.5, 0.9, 0.99];

/** Durations of a query's phases and the number of queries that are running. */
export class EngineMetrics {
  readonly #running: Gauge;
  readonly #durations: Summary<'slice'>;

  constructor(registry: Registry) {
    this.#running = new Gauge({
      name: 'prometheus_engine_queries',
      help: 'The current number of queries being executed or waiting.',
      registers: [registry],
    });
    this.#durations = new Summary({
      name: 'prometheus_engine_query_duration_seconds',
      help: 'Query timings: prepare_time until all data is there, inner_eval for the whole query.',
      labelNames: ['slice'],
      percentiles,
      registers: [registry],
    });
  }

  started(): void {
    this.#running.inc();
  }

  fetched(elapsedMs: number): void {
    this.#durations.observe({ slice: 'prepare_time' }, elapsedMs / 1000);
  }

  ended(elapsedMs: number): void {
    this.#running.dec();
    this.#durations.observe({ slice: 'inner_eval' }, elapsedMs / 1000);
  }
}
