/**
 * Hands a loaded configuration, and every change of the cluster, to those whom it concerns: scrape settings and the shard
 * table to each worker, targets to discovery, groups to the rules, routes to the alerting. A worker that starts late is
 * told everything at once.
 */
import type { DiscoveryManager, LocalWorkers, RuleManager, WorkerMessage } from '../actors/index.ts';
import { type Clock, errorText, type Logger, type Timer } from '../base/index.ts';
import { type ClusterNode, emptyTable } from '../cluster/index.ts';
import { type Labels, LabelsBuilder } from '../model/index.ts';
import type { RuleGroupOptions } from '../rules/index.ts';
import type { ActorRef } from '../runtime/index.ts';
import { Relabeler, withScrapeFeatures } from '../scrape/index.ts';
import type { AlertService } from './alert_service.ts';
import type { PrometheusConfig } from './config.ts';
import type { ParsedNodeFlags } from './flags.ts';
import type { LoadedConfig } from './load_config.ts';
import type { QueryLog } from './query_log.ts';
import { storageSettings } from './storage_settings.ts';

const configureDeadlineMs = 10_000;
/** Pause before a worker that did not take its configuration is told again. */
const configureRetryMs = 10_000;
/** A new owner has scraped every target and evaluated every rule once after two intervals of the slowest. */
const settleIntervals = 2;

interface Parts {
  readonly cluster: Pick<ClusterNode, 'nodeId' | 'table' | 'members' | 'subscribe'>;
  readonly workers: Pick<LocalWorkers, 'running'>;
  readonly rules: Pick<RuleManager, 'configure' | 'setTable'>;
  readonly alerts: Pick<AlertService, 'configure'>;
  readonly discovery: Pick<DiscoveryManager, 'configure' | 'replayTo'>;
  readonly queryLog: Pick<QueryLog, 'open' | 'use'>;
  readonly externalUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
}

type Flags = Pick<
  ParsedNodeFlags,
  | 'clusterShards'
  | 'enableFeatures'
  | 'rulesResendDelayMs'
  | 'rulesForOutageToleranceMs'
  | 'rulesForGracePeriodMs'
  | 'retentionTimeMs'
  | 'scrapeAdjustTimestamps'
  | 'scrapeTimestampToleranceMs'
  | 'retentionSizeBytes'
>;

export class ConfigApplier {
  readonly #parts: Parts;
  readonly #flags: Flags;
  #config: LoadedConfig | undefined;
  #applying: Promise<void> = Promise.resolve();
  /** What each worker runs with. */
  readonly #taken = new WeakMap<ActorRef<WorkerMessage>, LoadedConfig>();
  readonly #retries = new Set<Timer>();
  #unsubscribe: (() => void) | undefined;

  constructor(parts: Parts, flags: Flags) {
    this.#parts = parts;
    this.#flags = flags;
  }

  /** What was applied last. */
  get config(): LoadedConfig | undefined {
    return this.#config;
  }

  /**
   * One configuration after the other. Rejects when a worker refuses its part (a certificate that can't be read, say):
   * then the old one goes on everywhere.
   */
  apply(config: LoadedConfig): Promise<void> {
    const done = this.#applying.then(() => this.#apply(config));
    // A failure is the caller's; the next one is applied all the same.
    this.#applying = done.catch(() => undefined);
    return done;
  }

  async #apply(config: LoadedConfig): Promise<void> {
    const { workers, discovery, rules, alerts, queryLog } = this.#parts;
    const opened = await queryLog.open(config.prometheus.global.queryLogFile);
    const outcomes = await Promise.allSettled(
      workers.running.map((worker) => this.#configure(worker, config)),
    );
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) {
      this.#bringInLine();
      await opened?.close();
      throw failure.reason;
    }
    this.#config = config;
    queryLog.use(opened);
    discovery.configure(config.prometheus.scrapeConfigs);
    rules.configure(config.ruleGroups, this.#ruleOptions(config.prometheus));
    alerts.configure(config.alertmanager);
    this.#unsubscribe ??= this.#followCluster();
    this.#bringInLine();
  }

  /** Workers that run with another configuration: they started meanwhile, or took one that others refused. */
  #bringInLine(): void {
    for (const worker of this.#parts.workers.running) {
      if (this.#config !== undefined && this.#taken.get(worker) !== this.#config) this.tellAll(worker);
    }
  }

  /** Everything, for a worker that has started again. */
  tellAll(worker: ActorRef<WorkerMessage>): void {
    const config = this.#config;
    if (config === undefined) return;
    // First what makes it take samples and answer queries, whatever becomes of the scrape jobs.
    this.#tellCluster(worker);
    this.#configure(worker, config)
      .then(() => this.#parts.discovery.replayTo(worker))
      .catch((error: unknown) => {
        this.#parts.log.error({ err: errorText(error) }, 'a worker did not take its configuration');
        this.#tellAgainLater(worker);
      });
  }

  #tellAgainLater(worker: ActorRef<WorkerMessage>): void {
    const timer = this.#parts.clock.after(configureRetryMs, () => {
      this.#retries.delete(timer);
      const isBehind = this.#taken.get(worker) !== this.#config;
      if (isBehind && this.#parts.workers.running.includes(worker)) this.tellAll(worker);
    });
    this.#retries.add(timer);
  }

  /** Follows the cluster no more. */
  stop(): void {
    this.#unsubscribe?.();
    for (const timer of this.#retries) timer.cancel();
    this.#retries.clear();
  }

  async #configure(worker: ActorRef<WorkerMessage>, config: LoadedConfig): Promise<void> {
    const { prometheus } = config;
    const intervals = prometheus.scrapeConfigs.map(({ scrapeIntervalMs }) => scrapeIntervalMs);
    const slowestMs = Math.max(prometheus.global.evaluationIntervalMs, ...intervals);
    const { scrapeAdjustTimestamps, scrapeTimestampToleranceMs } = this.#flags;
    const settings = {
      configs: withScrapeFeatures(prometheus.scrapeConfigs, this.#flags.enableFeatures),
      settleMs: settleIntervals * slowestMs,
      evaluationIntervalMs: prometheus.global.evaluationIntervalMs,
      timestampToleranceMs: scrapeAdjustTimestamps ? scrapeTimestampToleranceMs : 0,
      storage: storageSettings(prometheus.storage, this.#flags),
    };
    await worker.ask<void>((replyTo) => ({ type: 'scrape', settings, replyTo }), configureDeadlineMs);
    this.#taken.set(worker, config);
  }

  #ruleOptions({ global, alerting }: PrometheusConfig): RuleGroupOptions {
    const relabeler = new Relabeler(alerting.alertRelabelConfigs, global.metricNameValidationScheme);
    const externalLabels = new LabelsBuilder();
    for (const [name, value] of Object.entries(global.externalLabels)) externalLabels.set(name, value);
    return {
      defaultIntervalMs: global.evaluationIntervalMs,
      defaultQueryOffsetMs: global.ruleQueryOffsetMs,
      resendDelayMs: this.#flags.rulesResendDelayMs,
      partialData: 'hold',
      outgoing: {
        externalLabels: externalLabels.labels(),
        externalUrl: this.#parts.externalUrl,
        relabel: (labels) => relabeled(relabeler, labels),
      },
      restore: {
        outageToleranceMs: this.#flags.rulesForOutageToleranceMs,
        gracePeriodMs: this.#flags.rulesForGracePeriodMs,
      },
    };
  }

  #followCluster(): () => void {
    const { cluster, rules } = this.#parts;
    return cluster.subscribe({
      onTable: (table) => {
        rules.setTable(table);
        this.#tellWorkers();
      },
      onMembers: () => this.#tellWorkers(),
    });
  }

  #tellWorkers(): void {
    for (const worker of this.#parts.workers.running) this.#tellCluster(worker);
  }

  #tellCluster(worker: ActorRef<WorkerMessage>): void {
    const { cluster, log } = this.#parts;
    const table = cluster.table() ?? emptyTable(this.#flags.clusterShards);
    const live = cluster
      .members()
      .filter(({ state }) => state === 'alive' || state === 'suspect')
      .map(({ meta }) => meta.id);
    const state = { self: cluster.nodeId, table, live };
    worker
      .tellWhenRoom({ type: 'cluster', state })
      .catch((error: unknown) =>
        log.error({ err: errorText(error) }, 'a worker did not take the shard table'),
      );
  }
}

function relabeled(relabeler: Relabeler, labels: Labels): Labels | undefined {
  const builder = new LabelsBuilder(labels);
  return relabeler.apply(builder) ? builder.labels() : undefined;
}
