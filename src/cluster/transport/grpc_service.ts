/**
 * The one place where the generated service meets @grpc/grpc-js: a service description becomes the table of
 * paths and codecs that the library wants, and the handlers and calls get their types back.
 */
import { type DescMessage, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { GossipPacket, GossipResponse } from '../../../proto/gen/torchring/v1/gossip_pb.ts';
import {
  type Envelope,
  type ExecuteChunk,
  type ExecuteRequest,
  NodeService,
  type WriteRequest,
  type WriteResponse,
} from '../../../proto/gen/torchring/v1/node_pb.ts';
import type {
  BirthMessage,
  BirthResponse,
  ProposeRequest,
  ProposeResponse,
  RaftBatch,
  RaftBatchResponse,
} from '../../../proto/gen/torchring/v1/raft_pb.ts';

/** What the receiver of a call knows besides the request. */
export interface CallContext {
  /** Node id that the caller gave. */
  readonly from: string;
  /** Aborted when the caller went away, cancelled, or its deadline passed. */
  readonly signal: AbortSignal;
}

/** Request and response of every unary call. */
export interface UnaryCalls {
  gossip: [GossipPacket, GossipResponse];
  raft: [RaftBatch, RaftBatchResponse];
  birth: [BirthMessage, BirthResponse];
  propose: [ProposeRequest, ProposeResponse];
  deliver: [Envelope, Envelope];
  write: [WriteRequest, WriteResponse];
}

export type UnaryName = keyof UnaryCalls;

export type UnaryHandlers = {
  [N in UnaryName]: (request: UnaryCalls[N][0], context: CallContext) => Promise<UnaryCalls[N][1]>;
};

/** What a node serves to its peers. */
export interface NodeHandlers extends UnaryHandlers {
  execute(request: ExecuteRequest, context: CallContext): AsyncIterable<ExecuteChunk>;
}

export interface GrpcMethod {
  readonly path: string;
  readonly serializeRequest: (message: Message) => Buffer;
  readonly deserializeResponse: (bytes: Buffer) => Message;
}

const serializer =
  (schema: DescMessage) =>
  (message: Message): Buffer => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
const deserializer =
  (schema: DescMessage) =>
  (bytes: Buffer): Message =>
    fromBinary(schema, bytes);

const pathOf = (method: DescMethod): string => `/${NodeService.typeName}/${method.name}`;

/** The client's side of one method. */
export function grpcMethod(name: UnaryName | 'execute'): GrpcMethod {
  const method = NodeService.method[name];
  return {
    path: pathOf(method),
    serializeRequest: serializer(method.input),
    deserializeResponse: deserializer(method.output),
  };
}

/** The server's side of all methods. */
export function grpcServiceDefinition(): ServiceDefinition<UntypedServiceImplementation> {
  const definition: Record<string, MethodDefinition<Message, Message>> = {};
  for (const method of NodeService.methods) {
    definition[method.localName] = {
      path: pathOf(method),
      requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
      requestSerialize: serializer(method.input),
      requestDeserialize: deserializer(method.input),
      responseSerialize: serializer(method.output),
      responseDeserialize: deserializer(method.output),
    };
  }
  return definition;
}
