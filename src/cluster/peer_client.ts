/** Calls to one other node by its id; where it lives is looked up at every call. */
import type {
  Envelope,
  ExecuteChunk,
  ExecuteRequest,
  WriteRequest,
  WriteResponse,
} from '../../proto/gen/torchring/v1/node_pb.ts';
import { TransportError, transportErrorCodes } from './errors.ts';
import type { CallOptions, ClientPool } from './transport/client.ts';

export class PeerClient {
  readonly nodeId: string;
  readonly #pool: ClientPool;
  readonly #addressOf: (id: string) => string | undefined;

  constructor(nodeId: string, pool: ClientPool, addressOf: (id: string) => string | undefined) {
    this.nodeId = nodeId;
    this.#pool = pool;
    this.#addressOf = addressOf;
  }

  /** An actor message; the answer's `error` says when the actor failed. Rejects with TransportError. */
  async deliver(envelope: Envelope, options: CallOptions): Promise<Envelope> {
    return this.#pool.call(this.#address(), 'deliver', envelope, options);
  }

  /** Rejects with TransportError. */
  async write(request: WriteRequest, options: CallOptions): Promise<WriteResponse> {
    return this.#pool.call(this.#address(), 'write', request, options);
  }

  /** Chunks as they come; leaving the loop cancels the call. Throws TransportError. */
  execute(request: ExecuteRequest, options: CallOptions): AsyncGenerator<ExecuteChunk> {
    return this.#pool.execute(this.#address(), request, options);
  }

  #address(): string {
    const address = this.#addressOf(this.nodeId);
    if (address !== undefined) return address;
    throw new TransportError(transportErrorCodes.unknownNode, `no member ${this.nodeId} is known`);
  }
}
