/**
 * Keeps one TargetActor running for every discovered target whose shard this node owns and this worker holds, and none
 * else. Reconciles whenever the configuration, the discovered targets or the shard table change; what stays the same is
 * not touched, so a reload or a move of other shards drops no scrape.
 */
import type { Registry } from 'prom-client';
import { type Clock, errorText, type Logger, type Random } from '../../base/index.ts';
import { formatDuration, type Labels, TextCache, xxHash64 } from '../../model/index.ts';
import type { ActorRef, ActorSystem } from '../../runtime/index.ts';
import {
  createScrapeMetrics,
  FailureLog,
  type MetricMetadata,
  type ScrapeConfig,
  ScrapeLoop,
  type ScrapeMetrics,
  type Target,
  targetOffsetMs,
  timestampToleranceMsDefault,
} from '../../scrape/index.ts';
import type { ClusterView } from './cluster_view.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { GroupMessage, ScrapeSettings } from './messages.ts';
import type { Router } from './router.ts';
import { type CreateClient, ScrapePool } from './scrape_pool.ts';
import { type TargetMessage, type TargetStatus, targetProps } from './target_actor.ts';

interface Deps {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
  readonly version: string;
  /** One text per cluster: two clusters that scrape the same targets don't do it together. */
  readonly clusterName: string;
  /** In place of real connections. */
  readonly createClient?: CreateClient;
}

/** Go's zero time, as Prometheus shows it. */
const neverScraped = '0001-01-01T00:00:00Z';

/** Hash seeds are 32-bit. */
const textSeedMax = 2 ** 32;

interface RunningTarget {
  readonly job: string;
  target: Target;
  readonly loop: ScrapeLoop;
  readonly status: TargetStatus;
  readonly refusal: string;
  readonly pool: ScrapePool;
  readonly actor: ActorRef<TargetMessage>;
}

export class ScrapeManager {
  readonly #deps: Deps;
  readonly #view: ClusterView;
  readonly #hosted: HostedShards;
  readonly #router: Router;
  readonly #metrics: ScrapeMetrics;
  readonly #seed: bigint;
  /** Label texts that many targets share. */
  readonly #texts: TextCache;
  readonly #pools = new Map<string, ScrapePool>();
  readonly #running = new Map<string, RunningTarget>();
  /** Gone from discovery, waiting to write their staleness markers. */
  readonly #ending = new Map<string, RunningTarget>();
  /** Actors alive per pool: a pool that was replaced keeps its client until the last of them has stopped. */
  readonly #users = new Map<ScrapePool, number>();
  /** Logs of failed scrapes, by path. */
  #logs: ReadonlyMap<string, FailureLog> = new Map();
  #configuring: Promise<void> = Promise.resolve();
  #actorsStarted = 0;
  #timestampToleranceMs = timestampToleranceMsDefault;

  constructor(view: ClusterView, hosted: HostedShards, router: Router, deps: Deps) {
    this.#deps = deps;
    this.#view = view;
    this.#hosted = hosted;
    this.#router = router;
    this.#metrics = createScrapeMetrics(deps.registry);
    this.#seed = xxHash64([deps.clusterName]);
    this.#texts = new TextCache(deps.random.below(textSeedMax));
  }

  /**
   * Takes a new set of jobs, one set after the other; unchanged jobs go on as they are. Rejects when a job's client can't
   * be made: nothing changes then.
   */
  configure(settings: Omit<ScrapeSettings, 'storage'>): Promise<void> {
    const { configs, timestampToleranceMs = timestampToleranceMsDefault } = settings;
    // The flags of a process: the same every time.
    this.#timestampToleranceMs = timestampToleranceMs;
    const done = this.#configuring.then(() => this.#configure(configs));
    // A failure is the caller's; the next set is taken all the same.
    this.#configuring = done.catch(() => undefined);
    return done;
  }

  async #configure(configs: readonly ScrapeConfig[]): Promise<void> {
    const created = new Map<string, ScrapePool>();
    let logs: ReadonlyMap<string, FailureLog>;
    try {
      for (const config of configs) {
        const known = this.#pools.get(config.jobName);
        if (known !== undefined && sameConfig(known.config, config)) continue;
        created.set(config.jobName, await this.#createPool(config, known !== undefined));
      }
      logs = await this.#openLogs(configs);
    } catch (error) {
      for (const pool of created.values()) this.#closeClient(pool);
      throw error;
    }
    this.#replacePools(configs, created);
    this.#useLogs(logs);
    this.reconcile();
  }

  /** `isReload`: the job is there already, with another configuration. */
  async #createPool(config: ScrapeConfig, isReload: boolean): Promise<ScrapePool> {
    const { clock, createClient } = this.#deps;
    const { pools, poolsFailed, poolReloads, poolReloadsFailed } = this.#metrics;
    (isReload ? poolReloads : pools).inc();
    try {
      return await ScrapePool.create(config, clock, createClient);
    } catch (error) {
      (isReload ? poolReloadsFailed : poolsFailed).inc();
      throw error;
    }
  }

  /** The logs of failed scrapes that the jobs name, each once. Rejects when one can't be opened. */
  async #openLogs(configs: readonly ScrapeConfig[]): Promise<ReadonlyMap<string, FailureLog>> {
    const { clock, log } = this.#deps;
    const logs = new Map<string, FailureLog>();
    try {
      for (const { scrapeFailureLogFile: path } of configs) {
        if (path !== '' && !logs.has(path)) logs.set(path, await FailureLog.open(path, clock, log));
      }
    } catch (error) {
      this.#closeLogs(logs);
      throw error;
    }
    return logs;
  }

  #useLogs(logs: ReadonlyMap<string, FailureLog>): void {
    for (const pool of this.#pools.values()) {
      pool.failureLog = logs.get(pool.config.scrapeFailureLogFile);
    }
    this.#closeLogs(this.#logs);
    this.#logs = logs;
  }

  #closeLogs(logs: ReadonlyMap<string, FailureLog>): void {
    for (const [path, log] of logs) {
      log
        .close()
        .catch((error: unknown) =>
          this.#deps.log.warn({ path, err: errorText(error) }, 'closing a log of failed scrapes failed'),
        );
    }
  }

  #replacePools(configs: readonly ScrapeConfig[], created: ReadonlyMap<string, ScrapePool>): void {
    const before = new Map(this.#pools);
    this.#pools.clear();
    for (const { jobName } of configs) {
      const known = before.get(jobName);
      const pool = created.get(jobName) ?? known;
      if (pool === undefined) continue;
      // What is known of the targets now, not when the client was begun to be made.
      if (pool !== known) pool.setGroups(known?.groups ?? []);
      else before.delete(jobName);
      this.#pools.set(jobName, pool);
    }
    for (const [job, pool] of before) {
      if (!this.#users.has(pool)) this.#closeClient(pool);
      if (this.#pools.has(job)) continue;
      this.#metrics.poolTargets.remove({ scrape_job: job });
      this.#metrics.poolSyncs.remove({ scrape_job: job });
    }
  }

  setGroups(job: string, groups: readonly GroupMessage[]): void {
    const pool = this.#pools.get(job);
    if (pool !== undefined) this.#metrics.poolSyncs.inc({ scrape_job: job });
    pool?.setGroups(groups);
    const others = pool?.discovered().others ?? [];
    const invalid = others.flatMap((other) => (other.kind === 'invalid' ? [other.error.message] : []));
    if (invalid.length > 0)
      this.#deps.log.warn({ job, count: invalid.length, first: invalid[0] }, 'some targets are invalid');
    this.reconcile();
  }

  /** Starts and stops target actors so that they match what is discovered and owned. */
  reconcile(): void {
    const discovered = new Set<string>();
    const wanted = new Set<string>();
    for (const [job, pool] of this.#pools) {
      const { targets, refusal } = pool.discovered();
      let own = 0;
      for (const target of targets) {
        const key = `${job}\uffff${target.labels.key()}`;
        discovered.add(key);
        if (!this.#isMine(target)) continue;
        wanted.add(key);
        own++;
        this.#keepRunning(key, job, pool, target, refusal);
      }
      this.#metrics.poolTargets.set({ scrape_job: job }, own);
      if (refusal !== '') this.#metrics.exceededTargetLimit.inc();
    }
    for (const [key, running] of [...this.#running]) {
      if (!wanted.has(key)) this.#end(key, running, discovered.has(key));
    }
  }

  #isMine(target: Target): boolean {
    const shard = this.#router.shardOf(target.publicLabels);
    return this.#view.owns(shard) && this.#hosted.isMine(shard);
  }

  #keepRunning(key: string, job: string, pool: ScrapePool, target: Target, refusal: string): void {
    const known = this.#running.get(key);
    if (known !== undefined && known.pool === pool && known.refusal === refusal) {
      // What was discovered of it may have changed without a change of what it is.
      known.target = target;
      return;
    }
    const predecessor = known ?? this.#ending.get(key);
    if (predecessor !== undefined) this.#kill(predecessor);
    this.#ending.delete(key);
    const running = this.#start(job, pool, target, refusal, predecessor?.loop);
    this.#running.set(key, running);
    this.#users.set(pool, (this.#users.get(pool) ?? 0) + 1);
    running.actor.onStopped(() => this.#stopped(key, running));
  }

  #start(
    job: string,
    pool: ScrapePool,
    target: Target,
    refusal: string,
    predecessor: ScrapeLoop | undefined,
  ): RunningTarget {
    const { clock, version, system } = this.#deps;
    const loop = new ScrapeLoop({
      target,
      config: pool.config,
      metricRelabeler: pool.metricRelabeler,
      client: pool.client,
      clock,
      metrics: this.#metrics,
      version,
      inherited: predecessor?.trackedSeries() ?? [],
      hasReported: predecessor?.hasReported === true,
      texts: this.#texts,
      logFailure: (url, message) => pool.failureLog?.write(job, url, message),
    });
    const status: TargetStatus = { health: 'unknown', lastError: '', lastScrapeMs: 0, lastDurationMs: 0 };
    const offsetMs = targetOffsetMs(target.labels.hash(), target.intervalMs, this.#seed);
    const ingest = this.#router.ingest.bind(this.#router);
    const timestampToleranceMs = this.#timestampToleranceMs;
    const props = targetProps({ loop, offsetMs, status, refusal, timestampToleranceMs, ingest });
    const actor = system.spawn(props, `target-${++this.#actorsStarted}`);
    return { job, target, loop, status, refusal, pool, actor };
  }

  #end(key: string, running: RunningTarget, isElsewhere: boolean): void {
    this.#running.delete(key);
    if (isElsewhere) {
      this.#kill(running);
      return;
    }
    this.#ending.set(key, running);
    running.actor.tell({ type: 'gone' });
  }

  #stopped(key: string, running: RunningTarget): void {
    if (this.#ending.get(key) === running) this.#ending.delete(key);
    // It failed too often: the next reconciliation starts it anew.
    if (this.#running.get(key) === running) this.#running.delete(key);
    const { pool } = running;
    const users = (this.#users.get(pool) ?? 1) - 1;
    if (users > 0) this.#users.set(pool, users);
    else {
      this.#users.delete(pool);
      if (this.#pools.get(pool.config.jobName) !== pool) this.#closeClient(pool);
    }
  }

  #kill({ actor, target }: RunningTarget): void {
    this.#deps.system
      .kill(actor)
      .catch((error: unknown) =>
        this.#deps.log.error({ target: target.url, err: errorText(error) }, 'a target did not stop'),
      );
  }

  #closeClient(pool: ScrapePool): void {
    pool.client
      .close()
      .catch((error: unknown) =>
        this.#deps.log.warn(
          { job: pool.config.jobName, err: errorText(error) },
          'closing a scrape client failed',
        ),
      );
  }

  /** This worker's targets in the shape of /api/v1/targets. */
  activeTargets(): object[] {
    return [...this.#running.values()].map(({ job, target, status, refusal }) => ({
      discoveredLabels: target.discoveredLabels.toRecord(),
      labels: target.publicLabels.toRecord(),
      scrapePool: job,
      scrapeUrl: target.url,
      lastError: refusal === '' ? status.lastError : refusal,
      lastScrape: status.lastScrapeMs === 0 ? neverScraped : new Date(status.lastScrapeMs).toISOString(),
      lastScrapeDuration: status.lastDurationMs / 1000,
      health: status.health,
      scrapeInterval: formatDuration(target.intervalMs),
      scrapeTimeout: formatDuration(target.timeoutMs),
      node: this.#view.self,
    }));
  }

  /** Targets that relabeling dropped, the same on every worker of every node. */
  droppedTargets(): object[] {
    const dropped: object[] = [];
    for (const [job, pool] of this.#pools) {
      const limit = pool.config.keepDroppedTargets;
      // One that is invalid was not dropped by a rule; the log names it.
      const others = pool.discovered().others.filter(({ kind }) => kind === 'dropped');
      for (const other of limit > 0 ? others.slice(0, limit) : others) {
        dropped.push({ discoveredLabels: other.discoveredLabels.toRecord(), scrapePool: job });
      }
    }
    return dropped;
  }

  /** What this worker's targets say of their metric families. */
  *metadata(): Generator<{ readonly target: Labels; readonly families: readonly MetricMetadata[] }> {
    for (const { target, loop } of this.#running.values()) {
      yield { target: target.publicLabels, families: loop.metadata.list() };
    }
  }
}

/** Configurations are plain data; equal text means nothing to do. How targets are found is no matter of the pool. */
function sameConfig(a: ScrapeConfig, b: ScrapeConfig): boolean {
  const text = (config: ScrapeConfig): string => JSON.stringify({ ...config, serviceDiscoveryConfigs: [] });
  return text(a) === text(b);
}
