/** The Prometheus API's questions, answered by the actors of this node and the nodes beside it. */
import { cpus, hostname } from 'node:os';
import type {
  LocalWorkers,
  LookupSpec,
  QueryLimits,
  QueryOrigin,
  QueryService,
  QuerySpec,
} from '../actors/index.ts';
import type {
  AdminBackend,
  Answer,
  ClusterView,
  LiveNotifications,
  MetadataFilter,
  PrometheusBackend,
  QueryOptions,
  RemoteBackend,
  RulesFilter,
  SelectorsRequest,
  TargetMetadataFilter,
  TargetsFilter,
} from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import { parseSelector } from '../promql/index.ts';
import type { RuleGroupView } from '../rules/index.ts';
import type { FeatureList } from './feature_list.ts';
import { globalUrl } from './global_url.ts';
import type { ConfigStatus } from './own_metrics.ts';
import type { Reports } from './reports.ts';
import { distinctGroups, missingGroups, rulesPage } from './rules_page.ts';
import { askedEntries, tsdbStatus, type WorkerCardinality } from './tsdb_status.ts';
import { buildInfo } from './version.ts';

const encoder = new TextEncoder();

/** What is there once the node has joined its cluster. */
export interface ClusterParts {
  readonly cluster: Pick<ClusterNode, 'nodeId' | 'leader' | 'member' | 'members' | 'table'>;
  readonly queries: QueryService;
  readonly reports: Pick<Reports, 'here' | 'everywhere'>;
  readonly admin: AdminBackend;
  readonly configText: () => string;
  readonly scrapePools: () => readonly string[];
  /** This node's, without a slash at its end. */
  readonly externalUrl: string;
  /** Keys of the configured rule groups. */
  readonly ruleGroups: () => readonly string[];
}

export interface BackendDeps {
  /** Undefined until then: what needs it is answered with "unavailable". */
  readonly parts: () => ClusterParts | undefined;
  readonly clusterName: string;
  readonly workers: LocalWorkers;
  readonly limits: QueryLimits;
  /** Whether the samples of each step are counted for those who ask for all statistics. */
  readonly countsSteps: boolean;
  readonly flags: Readonly<Record<string, string>>;
  readonly retentionText: string;
  readonly startedAtMs: number;
  readonly features: FeatureList;
  readonly notifications: LiveNotifications;
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
  readonly scrapeUrl: string;
  readonly node: string;
  readonly scrapePool: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface MetadataItem {
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

function originOf({ request }: QueryOptions): QueryOrigin {
  return request === undefined ? {} : { httpRequest: { ...request } };
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
    return this.#parts.queries.query(this.#spec(expr, range, options), signal, originOf(options));
  }

  queryRange(
    expr: string,
    range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
    options: QueryOptions,
    signal: AbortSignal,
  ): Promise<Answer> {
    const spec = this.#spec(expr, { ...range, instant: false }, options);
    return this.#parts.queries.query(spec, signal, originOf(options));
  }

  #spec(
    expr: string,
    range: Pick<QuerySpec, 'startMs' | 'endMs' | 'stepMs' | 'instant'>,
    { timeoutMs, lookbackMs, limit, partialResponse, stats, explains = false }: QueryOptions,
  ): QuerySpec {
    const { limits, countsSteps } = this.#deps;
    const { samplesMax, memoryMax } = limits;
    return {
      expr,
      ...range,
      limits: {
        samplesMax,
        ...(memoryMax === undefined ? {} : { memoryMax }),
        timeoutMs: Math.min(timeoutMs ?? limits.timeoutMs, limits.timeoutMs),
        lookbackMs: lookbackMs ?? limits.lookbackMs,
      },
      partialResponse,
      seriesMax: limit ?? 0,
      explains,
      ...(stats === undefined ? {} : { stats: countsSteps && stats === 'all' ? 'steps' : 'samples' }),
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

  exemplars(expr: string, fromMs: number, toMs: number, signal: AbortSignal): Promise<Answer> {
    return this.#lookup('exemplars', '', { selectors: [expr], fromMs, toMs }, signal);
  }

  formatQuery(expr: string, signal: AbortSignal): Promise<Answer> {
    return this.#lookup('format', '', { selectors: [expr], fromMs: 0, toMs: 0 }, signal);
  }

  parseQuery(expr: string, signal: AbortSignal): Promise<Answer> {
    return this.#lookup('tree', '', { selectors: [expr], fromMs: 0, toMs: 0 }, signal);
  }

  async targets({ state, scrapePool }: TargetsFilter, signal: AbortSignal): Promise<Answer> {
    const { reports } = this.#parts;
    const inPool = (item: unknown): boolean =>
      scrapePool === undefined || (item as ActiveTarget).scrapePool === scrapePool;
    const active =
      state === 'dropped' ? { items: [], warnings: [] } : await reports.everywhere('targets', signal);
    const found = (active.items.filter(inPool) as ActiveTarget[]).sort(byPoolAndInstance);
    const activeTargets = found.map((target) => ({ ...target, globalUrl: this.#globalUrl(target) }));
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

  #globalUrl({ scrapeUrl, node }: ActiveTarget): string {
    const { cluster, externalUrl: own } = this.#parts;
    const address = cluster.member(node)?.meta.httpAddress ?? '';
    const externalUrl = node === cluster.nodeId ? own : `http://${address}`;
    return globalUrl(scrapeUrl, { externalUrl, port: address.slice(address.lastIndexOf(':') + 1) });
  }

  scrapePools(): readonly string[] {
    return [...this.#parts.scrapePools()].sort();
  }

  async metadata(filter: MetadataFilter, signal: AbortSignal): Promise<Answer> {
    const { items, warnings } = await this.#parts.reports.everywhere('metadata', signal, filter);
    return answerOf(joinedMetadata(items as MetadataItem[], filter), warnings);
  }

  async targetMetadata(filter: TargetMetadataFilter, signal: AbortSignal): Promise<Answer> {
    // Here, or every node would have to say that it can't be read.
    if (filter.matchTarget !== undefined) parseSelector(filter.matchTarget, { emptyAllowed: true });
    const { items, warnings } = await this.#parts.reports.everywhere('targetMetadata', signal, filter);
    return answerOf(items, warnings);
  }

  async tsdbStatus(limit: number, signal: AbortSignal): Promise<Answer> {
    const { reports, queries } = this.#parts;
    const filter = { limit: askedEntries(limit) };
    const { items, warnings } = await reports.everywhere('cardinality', signal, filter);
    const lookup = (spec: LookupSpec): Promise<Answer> => queries.lookup(spec, signal);
    const status = await tsdbStatus(items as WorkerCardinality[], limit, lookup);
    return {
      data: encoder.encode(status.data),
      warnings: [...new Set([...warnings, ...status.warnings])],
      infos: [],
    };
  }

  walReplay(): { readonly min: number; readonly max: number; readonly current: number } {
    const { workers } = this.#deps;
    if (workers.isComplete) return { min: 0, max: 0, current: 0 };
    return { min: 0, max: workers.layout.workers, current: workers.running.length };
  }

  features(): FeatureList {
    return this.#deps.features;
  }

  get notifications(): LiveNotifications {
    return this.#deps.notifications;
  }

  get admin(): AdminBackend {
    return this.#parts.admin;
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

/** Entries of all nodes: by metric, each different one once, of so many metrics and so many for each. */
function joinedMetadata(
  items: readonly MetadataItem[],
  { limit, limitPerMetric = 0 }: MetadataFilter,
): Record<string, Omit<MetadataItem, 'metric'>[]> {
  const byMetric = new Map<string, Map<string, Omit<MetadataItem, 'metric'>>>();
  for (const { metric, type, help, unit } of items) {
    const known = byMetric.get(metric) ?? new Map<string, Omit<MetadataItem, 'metric'>>();
    byMetric.set(metric, known);
    if (limitPerMetric > 0 && known.size >= limitPerMetric) continue;
    known.set(`${type}\n${unit}\n${help}`, { type, unit, help });
  }
  const metrics = [...byMetric.keys()].sort().slice(0, limit ?? byMetric.size);
  return Object.fromEntries(metrics.map((metric) => [metric, [...(byMetric.get(metric)?.values() ?? [])]]));
}

function byPoolAndInstance(a: ActiveTarget, b: ActiveTarget): number {
  const key = ({ scrapePool, labels }: ActiveTarget): string => `${scrapePool}\n${labels['instance'] ?? ''}`;
  return key(a) < key(b) ? -1 : 1;
}
