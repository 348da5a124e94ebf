/** What the endpoints for other programs' samples ask of a node: remote write, OTLP, remote read, federation. */

export interface WriteAnswer {
  /** 204 all stored, 400 some refused for good, 503 not now. */
  readonly status: 204 | 400 | 503;
  readonly message?: string;
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
  readonly exemplarsWritten: number;
}

/** 1: `prometheus.WriteRequest`, 2: `io.prometheus.write.v2.Request`. */
export type WriteProtocol = 1 | 2;

export interface OtlpBody {
  readonly bytes: Uint8Array;
  readonly isGzip: boolean;
  readonly isJson: boolean;
}

export type ReadAnswer =
  /** A snappy block. */
  | { readonly type: 'samples'; readonly body: Uint8Array }
  /** Frames, several in a piece; they are made as they are taken, and not at all once the taker is gone. */
  | { readonly type: 'chunks'; readonly pieces: AsyncIterable<Uint8Array> }
  | { readonly type: 'refused'; readonly status: 400 | 500 | 503; readonly message: string };

export type FederateAnswer =
  | { readonly status: 200; readonly body: Uint8Array; readonly contentType: string }
  | { readonly status: 400 | 500 | 503; readonly message: string };

export interface RemoteBackend {
  /** The body as it came: a snappy block. */
  write(body: Uint8Array, protocol: WriteProtocol, signal: AbortSignal): Promise<WriteAnswer>;
  otlp(body: OtlpBody, signal: AbortSignal): Promise<WriteAnswer>;
  /** The body as it came: a snappy block. */
  read(body: Uint8Array, signal: AbortSignal): Promise<ReadAnswer>;
  /** `accept`: the header. */
  federate(selectors: readonly string[], accept: string): Promise<FederateAnswer>;
}
