/** The shard workers of a node as threads: started with their stores, linked to the control thread's actors, restarted when they crash. */
import type { Registry } from 'prom-client';
import {
  type LocalWorkers,
  type WorkerData,
  type WorkerMessage,
  type WorkerSettings,
  workerEntry,
  workerName,
} from '../actors/index.ts';
import type { Clock, LogFormat, Logger, LogLevel, Random } from '../base/index.ts';
import { type ActorRef, type ActorSystem, connectThread, ThreadGroup } from '../runtime/index.ts';

export interface WorkerThreadsOptions {
  readonly settings: WorkerSettings;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** A worker is there, for the first time or again: it has to be told everything. */
  readonly onStarted: (ref: ActorRef<WorkerMessage>) => void;
}

interface Deps {
  readonly system: ActorSystem;
  readonly workers: LocalWorkers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
}

export function workerThreads(
  { settings, log: logOptions, onStarted }: WorkerThreadsOptions,
  { system, workers, clock, random, log, registry }: Deps,
): ThreadGroup<WorkerData> {
  return new ThreadGroup<WorkerData>({
    entry: workerEntry,
    count: settings.layout.workers,
    data: () => ({ settings, logLevel: logOptions.level, logFormat: logOptions.format }),
    clock,
    random,
    log,
    registry,
    onStarted: (index, link, restarts) => {
      const ref = connectThread(system, link, `worker-${index}`).remoteRef<WorkerMessage>(`/${workerName}`);
      workers.set(index, ref);
      if (restarts > 0) log.warn({ worker: index, restarts }, 'a shard worker was started again');
      onStarted(ref);
    },
    onCrashed: (index, error, delayMs) => {
      workers.set(index, undefined);
      log.error({ worker: index, err: error.message, delayMs }, 'a shard worker crashed');
    },
  });
}
