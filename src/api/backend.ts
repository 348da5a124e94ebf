/**
 * What the HTTP APIs ask of a node. `src/node` implements it over actors; the plugins here know nothing of threads,
 * shards or other nodes. Times are milliseconds since the epoch, label matchers travel as selector texts.
 */
import type { RemoteBackend } from './remote_backend.ts';

/** The JSON text of a result, made by a worker; `warnings` name what the answer lacks. */
export interface Answer {
  /** UTF-8 JSON of the API's `data` field. */
  readonly data: Uint8Array;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

export interface QueryOptions {
  readonly timeoutMs?: number;
  /** Result series at most; 0 or absent = all. */
  readonly limit?: number;
  readonly lookbackMs?: number;
  /** False turns an answer that lacks data into an error. */
  readonly partialResponse: boolean;
  /** Statistics in the answer: of the query, or of its steps, too. */
  readonly stats?: 'query' | 'all';
  /** The plan in the answer. Default false. */
  readonly explains?: boolean;
  /** For the query log. */
  readonly request?: { readonly clientIP: string; readonly method: string; readonly path: string };
}

export interface SelectorsRequest {
  /** Series selectors, e.g. `up{job="x"}`; none means every series (where the API allows it). */
  readonly selectors: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit?: number;
}

export interface TargetsFilter {
  readonly state: 'active' | 'dropped' | 'any';
  readonly scrapePool?: string;
}

export interface RulesFilter {
  readonly type?: 'alert' | 'record';
  readonly ruleNames: readonly string[];
  readonly ruleGroups: readonly string[];
  readonly files: readonly string[];
  readonly excludeAlerts: boolean;
  readonly match: readonly string[];
  /** Groups per page; absent = all at once. */
  readonly groupLimit?: number;
  /** Where the page before ended. */
  readonly groupNextToken?: string;
}

export interface MetadataFilter {
  readonly metric?: string;
  /** Metrics at most; 0 = none. */
  readonly limit?: number;
  readonly limitPerMetric?: number;
}

export interface TargetMetadataFilter {
  readonly metric?: string;
  /** Once so many entries are there, no further target is asked. */
  readonly limit?: number;
  /** A selector for the labels of targets. */
  readonly matchTarget?: string;
}

/** Something that users should know right now. */
export interface Notification {
  readonly text: string;
  /** RFC 3339. */
  readonly date: string;
  /** False as it ends. */
  readonly active: boolean;
}

export interface LiveNotifications {
  list(): readonly Notification[];
  /** Tells what holds now and every change, until the function that is returned is called; undefined when there are too many listeners. */
  subscribe(listener: (notification: Notification) => void): (() => void) | undefined;
}

/** Each over all nodes; each rejects with CodedError `unavailable`, naming nodes, when it was not done everywhere. */
export interface AdminBackend {
  deleteSeries(selectors: readonly string[], fromMs: number, toMs: number): Promise<void>;
  cleanTombstones(): Promise<void>;
  /** Resolves with the name of the snapshot. */
  snapshot(): Promise<string>;
}

export interface ClusterMemberView {
  readonly id: string;
  readonly address: string;
  readonly httpAddress: string;
  readonly state: string;
  readonly zone: string;
  readonly version: string;
  readonly shards: number;
}

export interface ClusterView {
  readonly name: string;
  readonly self: string;
  /** Null while nobody leads. */
  readonly leader: string | null;
  readonly members: readonly ClusterMemberView[];
  readonly table: {
    readonly version: number;
    readonly shards: readonly {
      readonly shard: number;
      readonly owner: string;
      readonly epoch: number;
      readonly holders: readonly string[];
    }[];
  };
}

export interface PrometheusBackend {
  /** Rejects with an error whose `errorType` is one of Prometheus' error kinds. */
  query(expr: string, timeMs: number, options: QueryOptions, signal: AbortSignal): Promise<Answer>;
  queryRange(
    expr: string,
    range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
    options: QueryOptions,
    signal: AbortSignal,
  ): Promise<Answer>;
  series(request: SelectorsRequest, signal: AbortSignal): Promise<Answer>;
  labelNames(request: SelectorsRequest, signal: AbortSignal): Promise<Answer>;
  labelValues(name: string, request: SelectorsRequest, signal: AbortSignal): Promise<Answer>;
  /** Of the series of all selectors in an expression; without `data` when it has none. */
  exemplars(expr: string, fromMs: number, toMs: number, signal: AbortSignal): Promise<Answer>;
  /** An expression laid out over lines, as a JSON string. */
  formatQuery(expr: string, signal: AbortSignal): Promise<Answer>;
  /** An expression's syntax tree. */
  parseQuery(expr: string, signal: AbortSignal): Promise<Answer>;
  /** The `data` of /api/v1/targets over all nodes. */
  targets(filter: TargetsFilter, signal: AbortSignal): Promise<Answer>;
  scrapePools(): readonly string[];
  /** The `data` of /api/v1/metadata: metric → [{type, help, unit}]. */
  metadata(filter: MetadataFilter, signal: AbortSignal): Promise<Answer>;
  /** The `data` of /api/v1/targets/metadata. */
  targetMetadata(filter: TargetMetadataFilter, signal: AbortSignal): Promise<Answer>;
  /** The `data` of /api/v1/status/tsdb, lists of so many entries at most. */
  tsdbStatus(limit: number, signal: AbortSignal): Promise<Answer>;
  /** How many of the shards' workers have replayed their logs. */
  walReplay(): { readonly min: number; readonly max: number; readonly current: number };
  features(): Readonly<Record<string, Readonly<Record<string, boolean>>>>;
  readonly notifications: LiveNotifications;
  readonly admin: AdminBackend;
  rules(filter: RulesFilter, signal: AbortSignal): Promise<Answer>;
  alerts(signal: AbortSignal): Promise<Answer>;
  /** The text of the running configuration. */
  configText(): string;
  flags(): Readonly<Record<string, string>>;
  runtimeInfo(): Promise<Readonly<Record<string, unknown>>>;
  buildInfo(): Readonly<Record<string, string>>;
  alertmanagers(): unknown;
  /** Other programs' samples. */
  readonly remote: RemoteBackend;
  cluster(): ClusterView;
  /** The exposition of this node's own metrics, all threads summed. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  healthy(): boolean;
  ready(): boolean;
  /** Rejects with the reason when the new configuration is bad; the old one goes on. */
  reload(): Promise<void>;
  quit(): void;
}

export interface AlertsQuery {
  /** Whether alerts that are ... are wanted too. */
  readonly active: boolean;
  readonly silenced: boolean;
  readonly inhibited: boolean;
  readonly unprocessed: boolean;
  /** Of groups: whether those that a time interval mutes are wanted too. */
  readonly muted: boolean;
  /** Matchers, one each, that all must hold for an alert's labels. */
  readonly filter: readonly string[];
  /** Matchers that all must hold for the labels of one of its receivers. */
  readonly receiverMatchers: readonly string[];
  /** A pattern that compiles, for the whole name of one of its receivers. */
  readonly receiver?: string;
}

/**
 * The built-in Alertmanager as seen from any node; calls are answered by, or forwarded to, the leader. Rejections are
 * CodedErrors: `not_supported` is answered with 501, `bad_matcher`, `bad_alert`, `bad_silence`, `bad_regex` and `bad_data`
 * with 400, `silence_not_found` with 404, codes that mean "not now" with 503, all others with 500.
 */
export interface AlertmanagerBackend {
  status(): Promise<unknown>;
  receivers(matchers: readonly string[]): Promise<unknown>;
  alerts(query: AlertsQuery): Promise<unknown>;
  alertGroups(query: AlertsQuery): Promise<unknown>;
  /** The list as posted, each an object with labels; the message says which alert is malformed. */
  postAlerts(alerts: readonly unknown[]): Promise<void>;
  silences(filter: readonly string[]): Promise<unknown>;
  silence(id: string): Promise<unknown>;
  /** The object as posted, with all required fields. */
  postSilence(silence: unknown): Promise<{ readonly silenceID: string }>;
  expireSilence(id: string): Promise<void>;
  reload(): Promise<void>;
}
