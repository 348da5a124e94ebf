/**
 * The gRPC listener of a node: checks who calls before anything else, hands the call to its handler, streams
 * with back-pressure, and turns a handler's error into a status that keeps its code.
 */
import type { Message } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  logVerbosity,
  Server,
  type ServerCredentials,
  type ServerWritableStream,
  type ServiceError,
  setLogVerbosity,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ExecuteRequest } from '../../../proto/gen/torchring/v1/node_pb.ts';
import type { Clock, Logger } from '../../base/index.ts';
import { TransportError, transportErrorCodes } from '../errors.ts';
import {
  type CallContext,
  grpcServiceDefinition,
  type NodeHandlers,
  type UnaryName,
} from './grpc_service.ts';
import { type ClusterIdentity, fromHeader, refusalOf, secretProof } from './identity.ts';
import { keepaliveTimeMs, keepaliveTimeoutMs, messageBytesMax } from './limits.ts';
import { refusedStatus, toServiceError } from './status.ts';
import { LogThrottle } from './throttled_log.ts';

export interface ServerOptions {
  /** host:port; port 0 takes a free one. */
  readonly listenAddress: string;
  readonly identity: ClusterIdentity;
  readonly credentials: ServerCredentials;
  readonly handlers: NodeHandlers;
}

type AnyCall = Parameters<handleUnaryCall<Message, Message>>[0] | ServerWritableStream<Message, Message>;

const unaryNames: readonly UnaryName[] = ['gossip', 'raft', 'birth', 'propose', 'deliver', 'write'];

export class NodeServer {
  readonly #options: ServerOptions;
  readonly #log: Logger;
  readonly #proof: string;
  readonly #throttle: LogThrottle;
  readonly #server: Server;

  constructor(options: ServerOptions, deps: { clock: Clock; log: Logger }) {
    this.#options = options;
    this.#log = deps.log;
    this.#proof = secretProof(options.identity);
    this.#throttle = new LogThrottle(deps.clock);
    this.#server = new Server({
      'grpc.max_receive_message_length': messageBytesMax,
      'grpc.max_send_message_length': messageBytesMax,
      'grpc.keepalive_time_ms': keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    });
    this.#server.addService(grpcServiceDefinition(), this.#implementation());
  }

  /** Binds and serves; returns the port. Rejects when the address can't be bound. */
  start(): Promise<number> {
    // The library writes to stderr on its own; what matters comes back as an error and is logged once.
    setLogVerbosity(logVerbosity.NONE);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(this.#options.listenAddress, this.#options.credentials, (error, port) => {
        if (error)
          reject(
            new TransportError(
              transportErrorCodes.listen,
              `cannot listen on ${this.#options.listenAddress}: ${error.message}`,
              { cause: error },
            ),
          );
        else resolve(port);
      });
    });
  }

  /** Ends at once, with every call that is under way. */
  stop(): void {
    this.#server.forceShutdown();
  }

  #implementation(): UntypedServiceImplementation {
    const implementation: UntypedServiceImplementation = { execute: this.#streaming() };
    for (const name of unaryNames) implementation[name] = this.#unary(name);
    return implementation;
  }

  /** The call's context, or undefined when it was refused with the given status. */
  #admit(call: AnyCall, refuse: (error: Partial<ServiceError>) => void): CallContext | undefined {
    const reason = refusalOf(this.#options.identity, this.#proof, call.metadata);
    if (reason !== undefined) {
      const from = String(call.metadata.get(fromHeader)[0] ?? '');
      const peer = call.getPeer();
      if (this.#throttle.allows(`${peer.replace(/:\d+$/, '')} ${reason}`)) {
        this.#log.warn(
          { peer, from, reason },
          'refused a call from a node that does not belong to this cluster',
        );
      }
      refuse(refusedStatus(reason));
      return undefined;
    }
    const abort = new AbortController();
    call.on('cancelled', () => abort.abort(new Error('the caller cancelled')));
    return { from: String(call.metadata.get(fromHeader)[0] ?? ''), signal: abort.signal };
  }

  #unary(name: UnaryName): handleUnaryCall<Message, Message> {
    // The table of paths and codecs guarantees that the request is this method's.
    const handler = this.#options.handlers[name].bind(this.#options.handlers) as unknown as (
      request: Message,
      context: CallContext,
    ) => Promise<Message>;
    return (call, callback) => {
      const context = this.#admit(call, (error) => callback(error));
      if (context === undefined) return;
      handler(call.request, context).then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error)),
      );
    };
  }

  #streaming(): handleServerStreamingCall<Message, Message> {
    return (call) => {
      const context = this.#admit(call, (error) =>
        call.destroy(Object.assign(new Error(error.details), error)),
      );
      if (context === undefined) return;
      this.#pump(call, context).catch((error: unknown) => {
        const { signal } = context;
        const failure = signal.aborted
          ? { code: status.CANCELLED, details: 'cancelled' }
          : toServiceError(error);
        call.destroy(Object.assign(new Error(failure.details), failure));
      });
    };
  }

  async #pump(call: ServerWritableStream<Message, Message>, context: CallContext): Promise<void> {
    const chunks = this.#options.handlers.execute(call.request as ExecuteRequest, context);
    for await (const chunk of chunks) {
      context.signal.throwIfAborted();
      if (!call.write(chunk)) await drained(call, context.signal);
    }
    call.end();
  }
}

/** Resolves when the stream takes more; rejects when the call was aborted. */
function drained(call: ServerWritableStream<Message, Message>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      call.off('drain', onDrain);
      reject(signal.reason);
    };
    const onDrain = (): void => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    call.once('drain', onDrain);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
