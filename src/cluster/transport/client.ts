/**
 * Calls to other nodes: one channel per address, every call with a deadline, the cluster's name and the
 * proof of its secret. A refusal is logged here too, so that the operator finds it on both sides.
 */
import type { Message } from '@bufbuild/protobuf';
import { type ChannelCredentials, Client, type Metadata } from '@grpc/grpc-js';
import type { ExecuteChunk, ExecuteRequest } from '../../../proto/gen/torchring/v1/node_pb.ts';
import type { Clock, Logger } from '../../base/index.ts';
import { TransportError, transportErrorCodes } from '../errors.ts';
import { type GrpcMethod, grpcMethod, type UnaryCalls, type UnaryName } from './grpc_service.ts';
import { type ClusterIdentity, callMetadata } from './identity.ts';
import {
  channelsMax,
  deadlineMsMax,
  keepaliveTimeMs,
  keepaliveTimeoutMs,
  messageBytesMax,
  reconnectBackoffMaxMs,
  reconnectBackoffMinMs,
} from './limits.ts';
import { fromServiceError } from './status.ts';
import { LogThrottle } from './throttled_log.ts';

export interface ClientPoolOptions {
  readonly identity: ClusterIdentity;
  readonly credentials: ChannelCredentials;
  readonly serverName: string | undefined;
}

interface Cancellable {
  cancel(): void;
}

export interface CallOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

const methods: ReadonlyMap<UnaryName | 'execute', GrpcMethod> = new Map(
  (['gossip', 'raft', 'birth', 'propose', 'deliver', 'write', 'execute'] as const).map((name) => [
    name,
    grpcMethod(name),
  ]),
);

function methodNamed(name: UnaryName | 'execute'): GrpcMethod {
  const method = methods.get(name);
  if (method === undefined) throw new TransportError(transportErrorCodes.notServed, `no such call: ${name}`);
  return method;
}

export class ClientPool {
  readonly #options: ClientPoolOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metadata: Metadata;
  readonly #throttle: LogThrottle;
  /** By address, least recently used first. */
  readonly #channels = new Map<string, Client>();
  /** Calls that wait for an answer, by address. */
  readonly #underWay = new Map<string, Set<Cancellable>>();
  #closed = false;

  constructor(options: ClientPoolOptions, deps: { clock: Clock; log: Logger }) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#metadata = callMetadata(options.identity);
    this.#throttle = new LogThrottle(deps.clock);
  }

  /** One unary call. Rejects with TransportError. */
  call<N extends UnaryName>(
    address: string,
    name: N,
    request: UnaryCalls[N][0],
    options: CallOptions,
  ): Promise<UnaryCalls[N][1]> {
    const method = methodNamed(name);
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted) {
        reject(new TransportError(transportErrorCodes.cancelled, `call to ${address}: cancelled`));
        return;
      }
      const onAbort = (): void => call.cancel();
      const call = this.#channel(address).makeUnaryRequest(
        method.path,
        method.serializeRequest,
        method.deserializeResponse,
        request as Message,
        this.#metadata,
        { deadline: this.#deadline(options.deadlineMs) },
        (error, response) => {
          options.signal?.removeEventListener('abort', onAbort);
          this.#ended(address, call);
          // The method's own codec made the response.
          if (error === null && response !== undefined) resolve(response as unknown as UnaryCalls[N][1]);
          else reject(this.#failure(error, address));
        },
      );
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#begun(address, call);
    });
  }

  /** The chunks of one execution, read with back-pressure. Throws TransportError. */
  async *execute(
    address: string,
    request: ExecuteRequest,
    options: CallOptions,
  ): AsyncGenerator<ExecuteChunk> {
    options.signal?.throwIfAborted();
    const method = methodNamed('execute');
    const call = this.#channel(address).makeServerStreamRequest(
      method.path,
      method.serializeRequest,
      method.deserializeResponse,
      request as Message,
      this.#metadata,
      { deadline: this.#deadline(options.deadlineMs) },
    );
    const onAbort = (): void => call.cancel();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#begun(address, call);
    try {
      for await (const chunk of call) yield chunk as ExecuteChunk;
    } catch (error) {
      throw this.#failure(error, address);
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
      this.#ended(address, call);
      call.cancel();
    }
  }

  /** Drops the channel to an address that is not used any more. */
  forget(address: string): void {
    this.#channels.get(address)?.close();
    this.#channels.delete(address);
  }

  /**
   * Ends the calls to an address whose node was found dead. A machine that loses its power refuses nothing: without
   * this its callers would wait until their deadlines.
   */
  abandon(address: string): void {
    for (const call of [...(this.#underWay.get(address) ?? [])]) call.cancel();
    this.forget(address);
  }

  #begun(address: string, call: Cancellable): void {
    const calls = this.#underWay.get(address) ?? new Set();
    this.#underWay.set(address, calls.add(call));
  }

  #ended(address: string, call: Cancellable): void {
    const calls = this.#underWay.get(address);
    if (calls?.delete(call) === true && calls.size === 0) this.#underWay.delete(address);
  }

  close(): void {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  #deadline(deadlineMs: number): number {
    return this.#clock.nowMs() + Math.min(Math.max(1, deadlineMs), deadlineMsMax);
  }

  #failure(error: unknown, address: string): TransportError {
    const failure = fromServiceError(error, address);
    if (failure.code === transportErrorCodes.refused && this.#throttle.allows(address)) {
      this.#log.warn({ peer: address, reason: failure.message }, 'a peer refused this node');
    }
    return failure;
  }

  #channel(address: string): Client {
    if (this.#closed) throw new TransportError(transportErrorCodes.cancelled, 'the transport is closed');
    const known = this.#channels.get(address);
    if (known !== undefined) {
      this.#channels.delete(address);
      this.#channels.set(address, known);
      return known;
    }
    const oldest = this.#channels.keys().next();
    if (this.#channels.size >= channelsMax && !oldest.done) this.forget(oldest.value);
    const channel = new Client(address, this.#options.credentials, {
      'grpc.max_receive_message_length': messageBytesMax,
      'grpc.max_send_message_length': messageBytesMax,
      'grpc.keepalive_time_ms': keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
      'grpc.initial_reconnect_backoff_ms': reconnectBackoffMinMs,
      'grpc.max_reconnect_backoff_ms': reconnectBackoffMaxMs,
      // Channels must not share connections across pools: each node of a test process stands alone.
      'grpc.use_local_subchannel_pool': 1,
      ...(this.#options.serverName === undefined
        ? {}
        : { 'grpc.ssl_target_name_override': this.#options.serverName }),
    });
    this.#channels.set(address, channel);
    return channel;
  }
}
