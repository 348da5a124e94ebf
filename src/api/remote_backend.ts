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

export interface RemoteBackend {
  /** The body as it came: a snappy block. */
  write(body: Uint8Array, protocol: WriteProtocol, signal: AbortSignal): Promise<WriteAnswer>;
}
