/**
 * What the control thread and the shard workers say to each other. Everything here survives a structured clone; bulk
 * travels as bytes whose buffers are transferred.
 */
import type { ShardTable } from '../../cluster/index.ts';
import type { HistogramFields, MatchType } from '../../model/index.ts';
import type { QueryStats } from '../../promql/index.ts';
import type { ReplyTo } from '../../runtime/index.ts';
import type { ScrapeConfig } from '../../scrape/index.ts';
import type { AppendOutcome, StoreSettings } from '../../tsdb/index.ts';
import type { LabelsFlat } from '../flat_labels.ts';
import type { RemoteMessage } from './remote_messages.ts';

/** Who owns what and who is there, as the control thread knows it. */
export interface ClusterState {
  readonly self: string;
  readonly table: ShardTable;
  readonly live: readonly string[];
}

/** What became of a batch that was routed to the owners of its series. */
export interface IngestOutcome extends AppendOutcome {
  /** Samples whose owner could not be reached in time: to be sent again. */
  unavailable: number;
  unavailableReason?: string;
  /** One SampleVerdict per sample of the batch, 255 for a sample whose shard gave none; absent when all are ok. */
  verdicts?: Uint8Array;
  /** An append that was not answered in time may still read the batch: its columns must stay as they are. */
  isHeld?: true;
}

export interface QueryLimits {
  readonly samplesMax: number;
  readonly timeoutMs: number;
  readonly lookbackMs: number;
  /** Bytes of data and results that a query may hold in one place. Default: any number. */
  readonly memoryMax?: number;
}

export interface QuerySpec {
  readonly expr: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly instant: boolean;
  readonly limits: QueryLimits;
  readonly partialResponse: boolean;
  /** Result series at most; 0 = all. */
  readonly seriesMax: number;
  /** Statistics in the answer; `steps`: with the samples of each step. */
  readonly stats?: 'samples' | 'steps';
  /** The plan, with what its operators did, in the answer. Default false. */
  readonly explains?: boolean;
  /** How long it waited for its turn. */
  readonly queueSeconds?: number;
}

/** A result ready for the HTTP API. */
export interface AnswerMessage {
  /** UTF-8 JSON of the `data` field. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  /** Of queries. */
  readonly stats?: QueryStats;
}

/** An instant vector as rules need it. */
export interface VectorMessage {
  readonly samples: readonly VectorSampleMessage[];
  readonly warnings: readonly string[];
  /** Data of the present may be missing. */
  readonly isUnsettled: boolean;
  readonly stats?: QueryStats;
}

export interface VectorSampleMessage {
  readonly labels: LabelsFlat;
  /** 0 beside a histogram. */
  readonly value: number;
  readonly histogram?: HistogramFields;
}

/** Raw series, stale markers included, as restoring rules needs them. */
export interface SelectSpec {
  readonly matchers: readonly { readonly type: MatchType; readonly name: string; readonly value: string }[];
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SelectMessage {
  readonly series: readonly {
    readonly labels: LabelsFlat;
    readonly timestamps: Float64Array;
    readonly values: Float64Array;
  }[];
  readonly isIncomplete: boolean;
}

export interface LookupSpec {
  /** `format` and `tree` read no data: they lay an expression out, or give its syntax tree. */
  readonly what: 'series' | 'labelNames' | 'labelValues' | 'valueCounts' | 'exemplars' | 'format' | 'tree';
  /** For label values. */
  readonly label: string;
  /** Of exemplars, `format` and `tree`: one whole expression. Of value counts: the names of labels. */
  readonly selectors: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
}

/** One source's targets of a job, as discovery found them. */
export interface GroupMessage {
  readonly source: string;
  readonly targets: readonly LabelsFlat[];
  readonly labels: LabelsFlat;
}

export interface ScrapeSettings {
  readonly configs: readonly ScrapeConfig[];
  /** How long a new owner of a shard needs until all of its targets have been scraped. */
  readonly settleMs: number;
  /** The global one; also the step of subqueries that name none. */
  readonly evaluationIntervalMs: number;
  /** How late a scrape may be and still have the timestamp of its schedule. */
  readonly timestampToleranceMs?: number;
  readonly storage: StoreSettings;
}

export type ReportKind = 'targets' | 'droppedTargets' | 'metadata' | 'targetMetadata' | 'cardinality';

/** What of a report is wanted; every kind looks at the fields that mean something to it. */
export interface ReportFilter {
  /** Of metadata: this metric family only. */
  readonly metric?: string;
  /** Metrics of metadata, entries of target metadata, entries of each list of cardinality, at most. */
  readonly limit?: number;
  readonly limitPerMetric?: number;
  /** A selector that the labels of targets must pass. */
  readonly matchTarget?: string;
}

/** What an operator has done to all data of a worker. */
export type StoreAction =
  | {
      readonly type: 'delete';
      readonly selectors: readonly string[];
      readonly fromMs: number;
      readonly toMs: number;
    }
  | { readonly type: 'cleanTombstones' }
  /** `path` is a new directory's: each store is copied to a folder in it. */
  | { readonly type: 'snapshot'; readonly path: string };

export type WorkerMessage =
  | { readonly type: 'cluster'; readonly state: ClusterState }
  | {
      readonly type: 'append';
      readonly shard: number;
      readonly epoch: number;
      readonly bypassOutOfOrder: boolean;
      readonly batch: Uint8Array;
      readonly replyTo: ReplyTo<AppendOutcome>;
    }
  | { readonly type: 'ingest'; readonly batch: Uint8Array; readonly replyTo: ReplyTo<IngestOutcome> }
  | RemoteMessage
  | {
      readonly type: 'execute';
      /** For `cancelExecute`. */
      readonly id: number;
      readonly shards: readonly number[];
      readonly payload: Uint8Array;
      readonly deadlineMs: number;
      readonly replyTo: ReplyTo<Uint8Array>;
    }
  | {
      readonly type: 'query';
      readonly id: number;
      readonly spec: QuerySpec;
      readonly replyTo: ReplyTo<AnswerMessage>;
    }
  | {
      readonly type: 'vector';
      readonly id: number;
      readonly spec: QuerySpec;
      readonly replyTo: ReplyTo<VectorMessage>;
    }
  | {
      readonly type: 'lookup';
      readonly id: number;
      readonly spec: LookupSpec;
      readonly replyTo: ReplyTo<AnswerMessage>;
    }
  | { readonly type: 'select'; readonly spec: SelectSpec; readonly replyTo: ReplyTo<SelectMessage> }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'cancelExecute'; readonly id: number }
  | { readonly type: 'scrape'; readonly settings: ScrapeSettings; readonly replyTo: ReplyTo<void> }
  | { readonly type: 'groups'; readonly job: string; readonly groups: readonly GroupMessage[] }
  | {
      readonly type: 'report';
      readonly kind: ReportKind;
      readonly filter: ReportFilter;
      readonly replyTo: ReplyTo<Uint8Array>;
    }
  | { readonly type: 'storeAction'; readonly action: StoreAction; readonly replyTo: ReplyTo<void> }
  | { readonly type: 'metrics'; readonly replyTo: ReplyTo<readonly object[]> };

export type ControlMessage =
  /** To the owner of the shard, wherever that is. */
  | {
      readonly type: 'route';
      readonly shard: number;
      readonly epoch: number;
      readonly bypassOutOfOrder: boolean;
      readonly batch: Uint8Array;
      readonly deadlineMs: number;
      readonly replyTo: ReplyTo<AppendOutcome>;
    }
  /** Has a node's workers execute a payload. */
  | {
      readonly type: 'fetch';
      /** For `cancelFetch`; no two of a node are the same. */
      readonly id: string;
      readonly nodeId: string;
      readonly kind: string;
      readonly shards: readonly number[];
      readonly payload: Uint8Array;
      readonly deadlineMs: number;
      readonly replyTo: ReplyTo<readonly Uint8Array[]>;
    }
  /** Nobody waits for the answers any more. */
  | { readonly type: 'cancelFetch'; readonly id: string }
  /** All data of these shards is with those who own them in these epochs, one for each shard. */
  | {
      readonly type: 'handedOver';
      readonly shards: readonly number[];
      readonly epochs: readonly number[];
      readonly replyTo: ReplyTo<void>;
    };
