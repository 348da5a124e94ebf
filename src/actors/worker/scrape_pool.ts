/** What the targets of one job share in a worker: the configuration, compiled, and the HTTP client. */
import type { Clock } from '../../base/index.ts';
import { type Labels, LabelsBuilder } from '../../model/index.ts';
import {
  createHttpClient,
  type FailureLog,
  type HttpClient,
  populateTarget,
  Relabeler,
  type ScrapeConfig,
  type Target,
  type TargetOrDropped,
} from '../../scrape/index.ts';
import { fromFlat } from '../flat_labels.ts';
import type { GroupMessage } from './messages.ts';

export interface DiscoveredTargets {
  readonly targets: readonly Target[];
  readonly others: readonly Exclude<TargetOrDropped, Target>[];
  /** Non-empty when the job has more targets than its target_limit: all of them then fail. */
  readonly refusal: string;
}

export type CreateClient = typeof createHttpClient;

export class ScrapePool {
  readonly config: ScrapeConfig;
  readonly client: HttpClient;
  readonly metricRelabeler: Relabeler;
  /** Opened anew with every configuration. */
  failureLog: FailureLog | undefined;
  readonly #relabeler: Relabeler;
  #groups: readonly GroupMessage[] = [];
  #discovered: DiscoveredTargets | undefined;

  private constructor(config: ScrapeConfig, client: HttpClient) {
    this.config = config;
    this.client = client;
    const scheme = config.metricNameValidationScheme;
    this.#relabeler = new Relabeler(config.relabelConfigs, scheme);
    this.metricRelabeler = new Relabeler(config.metricRelabelConfigs, scheme);
  }

  /** Rejects with ScrapeError when a TLS or credentials file can't be read. */
  static async create(
    config: ScrapeConfig,
    clock: Clock,
    createClient: CreateClient = createHttpClient,
  ): Promise<ScrapePool> {
    return new ScrapePool(config, await createClient(config.httpClientConfig, clock));
  }

  get groups(): readonly GroupMessage[] {
    return this.#groups;
  }

  setGroups(groups: readonly GroupMessage[]): void {
    this.#groups = groups;
    this.#discovered = undefined;
  }

  /** Every target of the job after relabeling, wherever it is scraped; equal targets once. */
  discovered(): DiscoveredTargets {
    this.#discovered ??= this.#populate();
    return this.#discovered;
  }

  #populate(): DiscoveredTargets {
    const byKey = new Map<string, Target>();
    const others: Exclude<TargetOrDropped, Target>[] = [];
    for (const group of this.#groups) {
      for (const own of group.targets) {
        const outcome = populateTarget(joined(group.labels, own), this.config, this.#relabeler);
        if (outcome.kind === 'target') byKey.set(outcome.labels.key(), outcome);
        else others.push(outcome);
      }
    }
    const limit = this.config.targetLimit;
    const isOver = limit > 0 && byKey.size > limit;
    const refusal = isOver ? `target_limit exceeded (number of targets: ${byKey.size}, limit: ${limit})` : '';
    return { targets: [...byKey.values()], others, refusal };
  }
}

/** A target's own labels over its group's. */
function joined(group: readonly string[], own: readonly string[]): Labels {
  if (group.length === 0) return fromFlat(own);
  const builder = new LabelsBuilder(fromFlat(group));
  for (const [name, value] of fromFlat(own)) builder.set(name, value);
  return builder.labels();
}
