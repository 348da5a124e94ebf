/** The Prometheus API's questions, answered by the actors of this node and the nodes beside it. */
import { cpus, hostname } from 'node:os';
import type { LocalWorkers, LookupSpec, QueryLimits, QueryService, QuerySpec } from '../actors/index.ts';
import type {
  Answer,
  ClusterView,
  PrometheusBackend,
  QueryOptions,
  RemoteBackend,
  RulesFilter,
  SelectorsRequest,
  TargetsFilter,
} from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import type { RuleGroupView } from '../rules/index.ts';
import type { ConfigStatus } from './own_metrics.ts';
import type { Reports } from './reports.ts';
import { distinctGroups, missingGroups, rulesPage } from './rules_page.ts';
import { buildInfo } from './version.ts';

const encoder = new TextEncoder();

/** What is there once the node has joined its cluster. */
export interface ClusterParts {
  readonly cluster: Pick<ClusterNode, 'nodeId' | 'leader' | 'member' | 'members' | 'table'>;
  readonly queries: QueryService;
  readonly reports: Pick<Reports, 'here' | 'everywhere'>;
  readonly configText: () => string;
  readonly scrapePools: () => readonly string[];
  /** Keys of the configured rule groups. */
  readonly ruleGroups: () => readonly string[];
}

export interface BackendDeps {
  /** Undefined until then: what needs it is answered with "unavailable". */
  readonly parts: () => ClusterParts | undefined;
  readonly clusterName: string;
  readonly workers: LocalWorkers;
  readonly limits: QueryLimits;
  readonly flags: Readonly<Record<string, string>>;
  readonly retentionText: string;
  readonly startedAtMs: number;
  readonly configStatus: () => ConfigStatus;
  readonly isReady: () => boolean;
  readonly metrics: () => Promise<{ contentType: string; body: string }>;
  readonly reload: () => Promise<void>;
  readonly quit: () => void;
  readonly remote: RemoteBackend;
}

function answerOf(value: unknown, warnings: readonly string[] = []): Answer {
  return { data: encoder.encode(JSON.stringify(value)), warnings, infos: [] };
}

interface ActiveTarget {
  readonly scrapePool: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface MetadataItem {
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export class NodeBackend implements PrometheusBackend {
  readonly #deps: BackendDeps;

  constructor(deps: BackendDeps) {
    this.#deps = deps;
  }

  get remote(): RemoteBackend {
    return this.#deps.remote;
  }

  /** Throws CodedError `unavailable` while the node starts. */
  get #parts(): ClusterParts {
    const parts = this.#deps.parts();
    if (parts !== undefined) return parts;
    throw new CodedError('unavailable', 'this node is starting');
  }

  query(expr: string, timeMs: number, options: QueryOptions, signal: AbortSignal): Promise<Answer> {
    const range = { startMs: timeMs, endMs: timeMs, stepMs: 1, instant: true };
    return this.#parts.queries.query(this.#spec(expr, range, options), signal);
  }

  queryRange(
    expr: string,
    range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
    options: QueryOptions,
    signal: AbortSignal,
  ): Promise<Answer> {
    return this.#parts.queries.query(this.#spec(expr, { ...range, instant: false }, options), signal);
  }

  #spec(
    expr: string,
    range: Pick<QuerySpec, 'startMs' | 'endMs' | 'stepMs' | 'instant'>,
    { timeoutMs, lookbackMs, limit, partialResponse }: QueryOptions,
  ): QuerySpec {
    const { limits } = this.#deps;
    return {
      expr,
      ...range,
      limits: {
        samplesMax: limits.samplesMax,
        timeoutMs: Math.min(timeoutMs ?? limits.timeoutMs, limits.timeoutMs),
        lookbackMs: lookbackMs ?? limits.lookbackMs,
      },
      partialResponse,
      seriesMax: limit ?? 0,
    };
  }

  series(request: SelectorsRequest, signal: AbortSignal): Promise<Answer> {
    return this.#lookup('series', '', request, signal);
  }

  labelNames(request: SelectorsRequest, signal: AbortSignal): Promise<Answer> {
    return this.#lookup('labelNames', '', request, signal);
  }

  labelValues(name: string, request: SelectorsRequest, signal: AbortSignal): Promise<Answer> {
    return this.#lookup('labelValues', name, request, signal);
  }

  #lookup(
    what: LookupSpec['what'],
    label: string,
    { selectors, fromMs, toMs, limit = 0 }: SelectorsRequest,
    signal: AbortSignal,
  ): Promise<Answer> {
    return this.#parts.queries.lookup({ what, label, selectors, fromMs, toMs, limit }, signal);
  }

  async targets({ state, scrapePool }: TargetsFilter, signal: AbortSignal): Promise<Answer> {
    const { reports } = this.#parts;
    const inPool = (item: unknown): boolean =>
      scrapePool === undefined || (item as ActiveTarget).scrapePool === scrapePool;
    const active =
      state === 'dropped' ? { items: [], warnings: [] } : await reports.everywhere('targets', signal);
    const activeTargets = (active.items.filter(inPool) as ActiveTarget[]).sort(byPoolAndInstance);
    if (state === 'active') {
      return answerOf({ activeTargets, droppedTargets: [], droppedTargetCounts: null }, active.warnings);
    }
    const dropped = await reports.here('droppedTargets');
    const droppedTargetCounts = Object.fromEntries(this.scrapePools().map((pool) => [pool, 0]));
    for (const item of dropped) {
      const pool = (item as ActiveTarget).scrapePool;
      droppedTargetCounts[pool] = (droppedTargetCounts[pool] ?? 0) + 1;
    }
    const droppedTargets = dropped.filter(inPool);
    return answerOf({ activeTargets, droppedTargets, droppedTargetCounts }, active.warnings);
  }

  scrapePools(): readonly string[] {
    return [...this.#parts.scrapePools()].sort();
  }

  async metadata(
    filter: { readonly metric?: string; readonly limit?: number; readonly limitPerMetric?: number },
    signal: AbortSignal,
  ): Promise<Answer> {
    const { items, warnings } = await this.#parts.reports.everywhere('metadata', signal);
    const byMetric = new Map<string, Map<string, Omit<MetadataItem, 'metric'>>>();
    for (const { metric, type, help, unit } of items as MetadataItem[]) {
      if (filter.metric !== undefined && metric !== filter.metric) continue;
      const known = byMetric.get(metric) ?? new Map<string, Omit<MetadataItem, 'metric'>>();
      if (!byMetric.has(metric)) {
        if (filter.limit !== undefined && byMetric.size >= filter.limit) continue;
        byMetric.set(metric, known);
      }
      const perMetricMax = filter.limitPerMetric ?? 0;
      if (perMetricMax > 0 && known.size >= perMetricMax) continue;
      known.set(`${type}\n${unit}\n${help}`, { type, help, unit });
    }
    const data = Object.fromEntries(
      [...byMetric].map(([metric, entries]) => [metric, [...entries.values()]]),
    );
    return answerOf(data, warnings);
  }

  async rules(filter: RulesFilter, signal: AbortSignal): Promise<Answer> {
    const { items, warnings } = await this.#parts.reports.everywhere('rules', signal);
    const groups = items as RuleGroupView[];
    return answerOf(rulesPage(groups, filter), [...warnings, ...this.#missing(groups)]);
  }

  #missing(groups: readonly RuleGroupView[]): string[] {
    return missingGroups(this.#parts.ruleGroups(), groups);
  }

  async alerts(signal: AbortSignal): Promise<Answer> {
    const { items, warnings } = await this.#parts.reports.everywhere('rules', signal);
    const alerts = distinctGroups(items as RuleGroupView[])
      .flatMap((group) => group.rules)
      .flatMap((rule) => (rule.type === 'alerting' ? (rule.alerts ?? []) : []));
    return answerOf({ alerts }, [...warnings, ...this.#missing(items as RuleGroupView[])]);
  }

  configText(): string {
    return this.#parts.configText();
  }

  flags(): Readonly<Record<string, string>> {
    return this.#deps.flags;
  }

  buildInfo(): Readonly<Record<string, string>> {
    return buildInfo;
  }

  runtimeInfo(): Promise<Readonly<Record<string, unknown>>> {
    const { startedAtMs, configStatus, retentionText } = this.#deps;
    const { isLastReloadGood, lastConfigMs } = configStatus();
    return Promise.resolve({
      startTime: new Date(startedAtMs).toISOString(),
      CWD: process.cwd(),
      hostname: hostname(),
      serverTime: new Date().toISOString(),
      reloadConfigSuccess: isLastReloadGood,
      lastConfigTime: new Date(lastConfigMs).toISOString(),
      corruptionCount: 0,
      goroutineCount: 0,
      GOMAXPROCS: cpus().length,
      GOMEMLIMIT: 0,
      GOGC: '',
      GODEBUG: '',
      storageRetention: retentionText,
    });
  }

  alertmanagers(): unknown {
    const leader = this.#parts.cluster.leader();
    const address =
      leader === undefined ? undefined : this.#parts.cluster.member(leader)?.meta.alertmanagerAddress;
    const active = address === undefined ? [] : [{ url: `http://${address}/api/v2/alerts` }];
    return { activeAlertmanagers: active, droppedAlertmanagers: [] };
  }

  cluster(): ClusterView {
    const { cluster } = this.#parts;
    const { clusterName } = this.#deps;
    const table = cluster.table();
    const shards = table?.shards ?? [];
    const members = cluster.members().map(({ meta, state }) => ({
      id: meta.id,
      address: meta.advertiseAddress,
      httpAddress: meta.httpAddress,
      state,
      zone: meta.zone,
      version: meta.version,
      shards: shards.filter(({ owner }) => owner === meta.id).length,
    }));
    return {
      name: clusterName,
      self: cluster.nodeId,
      leader: cluster.leader() ?? null,
      members: members.sort((a, b) => (a.id < b.id ? -1 : 1)),
      table: {
        version: table?.version ?? 0,
        shards: shards.map(({ owner, epoch, holders }, shard) => ({ shard, owner, epoch, holders })),
      },
    };
  }

  metrics(): Promise<{ readonly contentType: string; readonly body: string }> {
    return this.#deps.metrics();
  }

  healthy(): boolean {
    return true;
  }

  ready(): boolean {
    return this.#deps.isReady();
  }

  reload(): Promise<void> {
    return this.#deps.reload();
  }

  quit(): void {
    this.#deps.quit();
  }
}

function byPoolAndInstance(a: ActiveTarget, b: ActiveTarget): number {
  const key = ({ scrapePool, labels }: ActiveTarget): string => `${scrapePool}\n${labels['instance'] ?? ''}`;
  return key(a) < key(b) ? -1 : 1;
}
