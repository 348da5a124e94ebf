/** Puts a shard worker together: its stores replayed, its actors up, its door open at `/worker`. */
import { Registry } from 'prom-client';
import type { Clock, Logger, Random } from '../../base/index.ts';
import { Engine, type EngineFeatures } from '../../promql/index.ts';
import { ActorSystem, connectThread, type LinkPort } from '../../runtime/index.ts';
import type { EngineName, FsyncPolicy, StoreSettings } from '../../tsdb/index.ts';
import type { StoreLayout } from '../store_layout.ts';
import { ClusterView } from './cluster_view.ts';
import { HandOver } from './hand_over.ts';
import { HostedShards } from './hosted_shards.ts';
import { Lookups } from './lookups.ts';
import type { ControlMessage, QueryLimits } from './messages.ts';
import { Queries } from './queries.ts';
import { RemoteDoor } from './remote_door.ts';
import { RemoteReplicas } from './remote_replicas.ts';
import { Router } from './router.ts';
import { ScrapeManager } from './scrape_manager.ts';
import { workerProps } from './worker_actor.ts';

/** Where the two ends of a link find each other. */
export const workerName = 'worker';
export const controlName = 'control';

/** What a worker has to know from its birth; survives a structured clone. */
export interface WorkerSettings {
  readonly nodeId: string;
  readonly clusterName: string;
  readonly version: string;
  readonly dataPath: string;
  readonly layout: StoreLayout;
  readonly storage: StoreSettings;
  readonly fsync: FsyncPolicy;
  /** The engine of the stores; LevelDB unless told otherwise. */
  readonly engine?: EngineName;
  readonly limits: QueryLimits;
  readonly features: EngineFeatures;
}

export interface WorkerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const shutdownDeadlineMs = 5_000;

/** Resolves, when every shard is replayed, with the function that stops the worker. Rejects with StoreError. */
export async function startWorker(
  index: number,
  settings: WorkerSettings,
  link: LinkPort,
  { clock, random, log }: WorkerDeps,
): Promise<() => Promise<void>> {
  const registry = new Registry();
  const system = new ActorSystem({ clock, random, registry, log, name: `worker-${index}` });
  const control = connectThread(system, link, 'control').remoteRef<ControlMessage>(`/${controlName}`);
  const { dataPath, layout, storage, fsync, nodeId, clusterName, version, limits, features } = settings;
  const { engine: storeEngine = 'level' } = settings;
  const hosted = await HostedShards.open(
    { dataPath, layout, workerIndex: index, storage, fsync, engine: storeEngine },
    { system, clock, log, registry },
  );
  const view = new ClusterView(nodeId, layout.shards, clock);
  const router = new Router(view, hosted, control, clock);
  const engine = new Engine({ limits, features, clock });
  const handOver = new HandOver(view, hosted, router, {
    clock,
    log,
    registry,
    control,
    queryTimeoutMs: limits.timeoutMs,
  });
  const parts = {
    view,
    hosted,
    router,
    engine,
    handOver,
    scrapes: new ScrapeManager(view, hosted, router, {
      system,
      clock,
      random,
      log,
      registry,
      version,
      clusterName,
    }),
    queries: new Queries(
      engine,
      (deadlineMs) => new RemoteReplicas(view, hosted, control, deadlineMs),
      clock,
    ),
    lookups: new Lookups((deadlineMs) => new RemoteReplicas(view, hosted, control, deadlineMs), clock),
    remote: new RemoteDoor({
      router,
      replicasFor: (deadlineMs) => new RemoteReplicas(view, hosted, control, deadlineMs),
      registry,
      clock,
      log,
    }),
    registry,
    clock,
    log,
  };
  system.spawn(workerProps(parts), workerName);
  return async () => {
    handOver.stop();
    router.stop();
    await system.shutdown(shutdownDeadlineMs);
    await hosted.close();
  };
}
