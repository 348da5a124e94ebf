/**
 * Hands a loaded configuration, and every change of the cluster, to those whom it concerns: scrape settings and the shard
 * table to each worker, targets to discovery, groups to the rules, routes to the alerting. A worker that starts late is
 * told everything at once.
 */
import type { DiscoveryManager, LocalWorkers, RuleManager, WorkerMessage } from '../actors/index.ts';
import { errorText, type Logger } from '../base/index.ts';
import { type ClusterNode, emptyTable } from '../cluster/index.ts';
import { type Labels, LabelsBuilder } from '../model/index.ts';
import type { RuleGroupOptions } from '../rules/index.ts';
import type { ActorRef } from '../runtime/index.ts';
import { Relabeler } from '../scrape/index.ts';
import type { AlertService } from './alert_service.ts';
import type { PrometheusConfig } from './config.ts';
import type { ParsedNodeFlags } from './flags.ts';
import type { LoadedConfig } from './load_config.ts';

const configureDeadlineMs = 10_000;
/** A new owner has scraped every target and evaluated every rule once after two intervals of the slowest. */
const settleIntervals = 2;

interface Parts {
  readonly cluster: ClusterNode;
  readonly workers: LocalWorkers;
  readonly rules: RuleManager;
  readonly alerts: AlertService;
  readonly discovery: DiscoveryManager;
  readonly externalUrl: string;
  readonly log: Logger;
}

export class ConfigApplier {
  readonly #parts: Parts;
  readonly #flags: ParsedNodeFlags;
  #config: LoadedConfig | undefined;

  constructor(parts: Parts, flags: ParsedNodeFlags) {
    this.#parts = parts;
    this.#flags = flags;
  }

  /** What was applied last. */
  get config(): LoadedConfig | undefined {
    return this.#config;
  }

  /** Rejects when a worker refuses its part (a certificate that can't be read, say): then nothing is changed. */
  async apply(config: LoadedConfig): Promise<void> {
    const isFirst = this.#config === undefined;
    await Promise.all(this.#parts.workers.running.map((worker) => this.#configure(worker, config)));
    this.#config = config;
    this.#parts.discovery.configure(config.prometheus.scrapeConfigs);
    this.#parts.rules.configure(config.ruleGroups, this.#ruleOptions(config.prometheus));
    this.#parts.alerts.configure(config.alertmanager);
    if (isFirst) this.#followCluster();
  }

  /** Everything, for a worker that has started again. */
  tellAll(worker: ActorRef<WorkerMessage>): void {
    const config = this.#config;
    if (config === undefined) return;
    this.#configure(worker, config)
      .then(() => {
        this.#parts.discovery.replayTo(worker);
        this.#tellCluster(worker);
      })
      .catch((error: unknown) =>
        this.#parts.log.error({ err: errorText(error) }, 'a worker did not take its configuration'),
      );
  }

  #configure(worker: ActorRef<WorkerMessage>, { prometheus }: LoadedConfig): Promise<void> {
    const intervals = prometheus.scrapeConfigs.map(({ scrapeIntervalMs }) => scrapeIntervalMs);
    const slowestMs = Math.max(prometheus.global.evaluationIntervalMs, ...intervals);
    const settings = { configs: prometheus.scrapeConfigs, settleMs: settleIntervals * slowestMs };
    return worker.ask<void>((replyTo) => ({ type: 'scrape', settings, replyTo }), configureDeadlineMs);
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

  #followCluster(): void {
    const { cluster, rules } = this.#parts;
    cluster.subscribe({
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
