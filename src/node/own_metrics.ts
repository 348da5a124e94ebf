/** A node's own metrics: those of the control thread, and those of all its workers added up. */
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import type { LocalWorkers } from '../actors/index.ts';
import { errorText, type Logger } from '../base/index.ts';
import { buildInfo, version } from './version.ts';

const workerDeadlineMs = 2_000;

export interface ConfigStatus {
  readonly isLastReloadGood: boolean;
  readonly lastConfigMs: number;
}

/** The control thread's registry, with the metrics of the process in it. */
export function createRegistry(configStatus: () => ConfigStatus): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  new Gauge({
    name: 'torchring_build_info',
    help: 'A constant 1 with the version of this program.',
    labelNames: ['version', 'node_version'],
    registers,
  }).set({ version, node_version: process.version }, 1);
  new Gauge({
    name: 'prometheus_build_info',
    help: 'A constant 1 with the version of Prometheus whose APIs are served.',
    labelNames: ['version', 'revision', 'branch', 'goversion'],
    registers,
  }).set(
    {
      version: buildInfo['version'] ?? '',
      revision: buildInfo['revision'] ?? '',
      branch: buildInfo['branch'] ?? '',
      goversion: buildInfo['goVersion'] ?? '',
    },
    1,
  );
  new Gauge({
    name: 'prometheus_config_last_reload_successful',
    help: 'Whether the last configuration reload attempt was successful.',
    registers,
    collect() {
      this.set(configStatus().isLastReloadGood ? 1 : 0);
    },
  });
  new Gauge({
    name: 'prometheus_config_last_reload_success_timestamp_seconds',
    help: 'Timestamp of the last successful configuration reload.',
    registers,
    collect() {
      this.set(configStatus().lastConfigMs / 1000);
    },
  });
  return registry;
}

/**
 * The control thread's metrics. Those that prom-client leaves out of sums, since they mean nothing there (the start
 * of the process), stand for the whole process here and stay.
 */
async function ofProcess(registry: Registry): Promise<MetricObjectWithValues<MetricValue<string>>[]> {
  const own = await registry.getMetricsAsJSON();
  return own.map((metric) => (metric.aggregator === 'omit' ? { ...metric, aggregator: 'first' } : metric));
}

/** The exposition text. A worker that doesn't answer in time is left out. */
export async function ownMetrics(
  registry: Registry,
  workers: LocalWorkers,
  log: Logger,
): Promise<{ contentType: string; body: string }> {
  const ofWorkers = await Promise.all(
    workers.running.map(async (worker) => {
      try {
        return await worker.ask<readonly object[]>(
          (replyTo) => ({ type: 'metrics', replyTo }),
          workerDeadlineMs,
        );
      } catch (error) {
        log.warn({ err: errorText(error) }, 'a worker did not tell its metrics');
        return [];
      }
    }),
  );
  const own = await ofProcess(registry);
  const all = [own, ...(ofWorkers as MetricObjectWithValues<MetricValue<string>>[][])];
  const body = await AggregatorRegistry.aggregate(all).metrics();
  return { contentType: registry.contentType, body };
}
