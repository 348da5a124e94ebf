/** What the control thread asks of a worker for other programs: remote write, OTLP, remote read, federation. */

import type { FederateFormat, OtlpBody, OtlpRules } from '../../remote/index.ts';
import type { ReplyTo } from '../../runtime/index.ts';

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

export interface OtlpRequest {
  readonly body: OtlpBody;
  readonly rules: OtlpRules;
}

export type ExternalLabels = Readonly<Record<string, string>>;

export interface RemoteReadSpec {
  /** As it came: a snappy block. */
  readonly body: Uint8Array;
  readonly externalLabels: ExternalLabels;
  /** Samples of one query of an answer in one piece; 0: no limit. */
  readonly samplesMax: number;
  /** About so many bytes of a series in one frame of a streamed answer. */
  readonly frameBytesMax: number;
}

/** A streamed answer is fetched part by part, by the number that its request had. */
export type RemoteReadStart =
  | { readonly type: 'samples'; readonly body: Uint8Array }
  | { readonly type: 'chunks' }
  | { readonly type: 'refused'; readonly status: 400 | 500 | 503; readonly message: string };

export interface RemoteReadPart {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

export interface FederateSpec {
  readonly selectors: readonly string[];
  readonly format: FederateFormat;
  readonly externalLabels: ExternalLabels;
  readonly nowMs: number;
  readonly lookbackMs: number;
}

export type FederateOutcome =
  | { readonly status: 200; readonly body: Uint8Array; readonly warnings: number }
  | { readonly status: 400 | 500; readonly message: string };

export type RemoteMessage =
  | {
      readonly type: 'remoteWrite';
      readonly request: RemoteWriteRequest;
      readonly replyTo: ReplyTo<RemoteWriteOutcome>;
    }
  | { readonly type: 'otlp'; readonly request: OtlpRequest; readonly replyTo: ReplyTo<RemoteWriteOutcome> }
  | {
      readonly type: 'remoteRead';
      readonly id: number;
      readonly spec: RemoteReadSpec;
      readonly replyTo: ReplyTo<RemoteReadStart>;
    }
  | { readonly type: 'remoteReadNext'; readonly id: number; readonly replyTo: ReplyTo<RemoteReadPart> }
  /** Nobody wants the rest. */
  | { readonly type: 'remoteReadEnd'; readonly id: number }
  | { readonly type: 'federate'; readonly spec: FederateSpec; readonly replyTo: ReplyTo<FederateOutcome> };
