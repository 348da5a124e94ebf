/**
 * What the control thread and the shard workers say to each other. Everything here survives a structured clone; bulk
 * travels as bytes whose buffers are transferred.
 */
import type { ShardTable } from '../../cluster/index.ts';
import type { MatchType } from '../../model/index.ts';
import type { ReplyTo } from '../../runtime/index.ts';
import type { ScrapeConfig } from '../../scrape/index.ts';
import type { AppendOutcome, StoreSettings } from '../../tsdb/index.ts';
import type { LabelsFlat } from '../flat_labels.ts';

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

export interface RemoteWriteRequest {
  /** As it came: a snappy block. */
  readonly body: Uint8Array;
  /** 1: `prometheus.WriteRequest`, 2: `io.prometheus.write.v2.Request`. */
  readonly protocol: 1 | 2;
  /** Whether a sample of value 0 is stored where a series says that it began to count. */
  readonly zeroSamples: boolean;
}

export interface RemoteWriteOutcome {
  readonly status: 204 | 400 | 503;
  readonly message?: string;
  /** Those that were there already count. */
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
  readonly exemplarsWritten: number;
  /** Samples and histograms that were refused for good. */
  readonly refused: number;
}

export interface QueryLimits {
  readonly samplesMax: number;
  readonly timeoutMs: number;
  readonly lookbackMs: number;
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
}

/** A result ready for the HTTP API. */
export interface AnswerMessage {
  /** UTF-8 JSON of the `data` field. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** An instant vector as rules need it. */
export interface VectorMessage {
  readonly samples: readonly { readonly labels: LabelsFlat; readonly value: number }[];
  readonly warnings: readonly string[];
  /** Data of the present may be missing. */
  readonly isUnsettled: boolean;
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
  readonly what: 'series' | 'labelNames' | 'labelValues' | 'exemplars' | 'format' | 'tree';
  /** For label values. */
  readonly label: string;
  /** Of exemplars, `format` and `tree`: one whole expression. */
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
  readonly storage: StoreSettings;
}

export type ReportKind = 'targets' | 'droppedTargets' | 'metadata';

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
  | {
      readonly type: 'remoteWrite';
      readonly request: RemoteWriteRequest;
      readonly replyTo: ReplyTo<RemoteWriteOutcome>;
    }
  | {
      readonly type: 'execute';
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
  | { readonly type: 'scrape'; readonly settings: ScrapeSettings; readonly replyTo: ReplyTo<void> }
  | { readonly type: 'groups'; readonly job: string; readonly groups: readonly GroupMessage[] }
  | { readonly type: 'report'; readonly kind: ReportKind; readonly replyTo: ReplyTo<Uint8Array> }
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
      readonly nodeId: string;
      readonly kind: string;
      readonly shards: readonly number[];
      readonly payload: Uint8Array;
      readonly deadlineMs: number;
      readonly replyTo: ReplyTo<readonly Uint8Array[]>;
    }
  /** All data of these shards is with those who own them in these epochs, one for each shard. */
  | {
      readonly type: 'handedOver';
      readonly shards: readonly number[];
      readonly epochs: readonly number[];
      readonly replyTo: ReplyTo<void>;
    };
