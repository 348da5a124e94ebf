/** All stores of a thread share one registry: a metric is made once and used by all. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface MetricMaker {
  gauge(name: string, help: string): Gauge;
  counter(name: string, help: string): Counter;
  /** A counter by the type of sample. */
  typed(name: string, help: string): Counter<'type'>;
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
}

export function reusedMetrics(registry: Registry): MetricMaker {
  const registers = [registry];
  const reuse = <M>(name: string, make: () => M): M =>
    (registry.getSingleMetric(name) as M | undefined) ?? make();
  return {
    gauge: (name, help) => reuse(name, () => new Gauge({ name, help, registers })),
    counter: (name, help) => reuse(name, () => new Counter({ name, help, registers })),
    typed: (name, help) => reuse(name, () => new Counter({ name, help, labelNames: ['type'], registers })),
    histogram: (name, help, buckets) =>
      reuse(name, () => new Histogram({ name, help, buckets: [...buckets], registers })),
  };
}
