/** What a group of worker threads counts. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface ThreadMetrics {
  readonly restarts: Counter<'thread'>;
  readonly missed: Counter<'thread'>;
  readonly delay: Gauge<'thread'>;
  readonly up: Gauge<'thread'>;
}

export function threadMetrics(registry: Registry): ThreadMetrics {
  const labelNames = ['thread'] as const;
  const registers = [registry];
  return {
    restarts: new Counter({
      name: 'torchring_thread_restarts_total',
      help: 'Worker threads started again after they ended by themselves.',
      labelNames,
      registers,
    }),
    missed: new Counter({
      name: 'torchring_thread_probes_missed_total',
      help: 'Health probes that a worker thread did not answer in time.',
      labelNames,
      registers,
    }),
    delay: new Gauge({
      name: 'torchring_thread_probe_delay_seconds',
      help: 'How long the last answered health probe of a worker thread took.',
      labelNames,
      registers,
    }),
    up: new Gauge({
      name: 'torchring_thread_up',
      help: 'Whether the worker thread is running.',
      labelNames,
      registers,
    }),
  };
}
