/**
 * Actors of different nodes talking through a transport that carries bytes. Payloads are made and read by codecs that
 * are registered per actor kind. Delivery is at most once. `tell` answers `queued` when the envelope was given to the
 * transport; a mailbox that is full or gone over there makes it a dead letter there. `tellWhenRoom` waits for the other
 * node's word that the message is in the mailbox. An ask carries its deadline along and ends on the asker's own wheel.
 * A watch of an actor on another node tells of the loss of the node, as membership reports it to `nodeLost`.
 */
import type { Transferable } from 'node:worker_threads';
import { CodedError, errorText } from '../../base/index.ts';
import type { ActorRef, MakeAsk, ReplyTo, TellOutcome } from '../actor_ref.ts';
import type { OnFail, OnOk } from '../ask.ts';
import type { Cell } from '../cell.ts';
import {
  fullError,
  linkLostError,
  notFoundError,
  notSentError,
  remoteError,
  runtimeErrorCodes,
} from '../errors.ts';
import type { KindStats } from '../metrics.ts';
import type { ActorSystem } from '../system.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope, type Request, type RequestType } from './envelope.ts';
import { PendingReplies } from './pending.ts';
import { ReplyMark } from './reply_mark.ts';

/** Implemented over gRPC by the cluster room, in memory by testing/. */
export interface NodeTransport {
  /** Resolves when the node has taken the bytes, rejects when it can't be reached. In order per node, at most once. */
  send(nodeId: string, envelope: Uint8Array): Promise<void>;
  /** `fromNodeId` is authenticated by the transport. */
  onReceive(handler: (fromNodeId: string, envelope: Uint8Array) => void): void;
}

/** How messages and replies of one actor kind become bytes. Decoders throw on bytes they don't understand. */
export interface PayloadCodec<M> {
  /** Leaves the reply handle out. */
  encode(message: M): Uint8Array;
  /** `replyTo` goes into a message that asks; undefined for one that was told. */
  decode(payload: Uint8Array, replyTo: ReplyTo<unknown> | undefined): M;
  encodeReply(reply: unknown): Uint8Array;
  decodeReply(payload: Uint8Array): unknown;
}

/** Where a message for another node goes. */
export interface Address {
  readonly nodeId: string;
  readonly kind: string;
  readonly target: string;
  readonly virtual: boolean;
  /** Of the placement that chose the node; 0 for an actor with a path. */
  readonly version: number;
}

/** Takes requests for the virtual actors of one kind. */
export type VirtualReceiver = (request: Request) => void;

/** Envelopes to one node that the transport may have taken and not finished. */
const sendsMax = 4096;
/** How long a tellWhenRoom waits for another node. */
const offerDeadlineMs = 60_000;

export class NodeLink {
  readonly selfNodeId: string;
  readonly #system: ActorSystem;
  readonly #transport: NodeTransport;
  readonly #stats: KindStats;
  readonly #pending: PendingReplies;
  readonly #codecs: Map<string, PayloadCodec<unknown>> = new Map();
  readonly #virtual: Map<string, VirtualReceiver> = new Map();
  readonly #sends: Map<string, number> = new Map();
  readonly #lostListeners: Map<string, Set<() => void>> = new Map();

  constructor(system: ActorSystem, transport: NodeTransport, selfNodeId: string) {
    this.#system = system;
    this.#transport = transport;
    this.selfNodeId = selfNodeId;
    this.#stats = system.statsOf('node_link');
    this.#pending = new PendingReplies(system.deadlines);
    transport.onReceive((from, bytes) => this.#receive(from, bytes));
  }

  /** Once per kind, before messages of that kind are sent or can arrive. */
  registerCodec<M>(kind: string, codec: PayloadCodec<M>): void {
    this.#codecs.set(kind, codec as unknown as PayloadCodec<unknown>);
  }

  registerVirtual(kind: string, receiver: VirtualReceiver): void {
    this.#virtual.set(kind, receiver);
  }

  /** The actor of `kind` at `path` on another node. */
  remoteRef<M>(nodeId: string, path: string, kind: string): ActorRef<M> {
    return new NodeRef<M>(this, { nodeId, kind, target: path, virtual: false, version: 0 });
  }

  /** Membership says that a node is gone: open asks to it fail now rather than at their deadlines. */
  nodeLost(nodeId: string): void {
    this.#pending.failPeer(nodeId, linkLostError(nodeId));
    const listeners = this.#lostListeners.get(nodeId);
    this.#lostListeners.delete(nodeId);
    for (const listener of listeners ?? []) listener();
  }

  onNodeLost(nodeId: string, run: () => void): () => void {
    const listeners = this.#lostListeners.get(nodeId) ?? new Set();
    const listener = (): void => run();
    listeners.add(listener);
    this.#lostListeners.set(nodeId, listeners);
    return () => listeners.delete(listener);
  }

  // ---- outgoing

  tell(address: Address, message: unknown): TellOutcome {
    const payload = this.#encode(address, message);
    if (payload instanceof CodedError || (this.#sends.get(address.nodeId) ?? 0) >= sendsMax) {
      this.#stats.deadLetter(payload instanceof CodedError ? 'not_sent' : 'full');
      return 'full';
    }
    this.#transmit(address.nodeId, this.#request('tell', 0, address, 0, payload));
    return 'queued';
  }

  offer(address: Address, message: unknown): Promise<'queued' | 'stopped'> {
    return new Promise((resolve, reject) => {
      this.#open('offer', address, message, offerDeadlineMs, resolve as OnOk, reject);
    });
  }

  ask<M, R>(address: Address, make: MakeAsk<M, R>, deadlineMs: number, onOk: OnOk, onFail: OnFail): void {
    const mark = new ReplyMark() as ReplyTo<never> as ReplyTo<R>;
    this.#open('ask', address, make(mark), deadlineMs, onOk, onFail);
  }

  /** Asks a node to let go of a virtual actor; resolves when it has stopped there. */
  release(address: Address, deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const path = address.target;
      const id = this.#pending.open(path, deadlineMs, () => resolve(), reject, address.nodeId);
      if (id === undefined) return;
      this.#transmit(address.nodeId, this.#request('release', id, address, deadlineMs, new Uint8Array()));
    });
  }

  /** Sends a request on to the node where its target lives by a placement of `version`. */
  forward(nodeId: string, request: Request, version: number): void {
    this.#transmit(nodeId, { ...request, hops: request.hops + 1, version });
  }

  #open(
    type: RequestType,
    address: Address,
    message: unknown,
    deadlineMs: number,
    onOk: OnOk,
    onFail: OnFail,
  ): void {
    const payload = this.#encode(address, message);
    if (payload instanceof CodedError) {
      onFail(payload);
      return;
    }
    if ((this.#sends.get(address.nodeId) ?? 0) >= sendsMax) {
      onFail(fullError(address.target));
      return;
    }
    const id = this.#pending.open(address.target, deadlineMs, onOk, onFail, address.nodeId);
    if (id !== undefined)
      this.#transmit(address.nodeId, this.#request(type, id, address, deadlineMs, payload));
  }

  #request(
    type: RequestType,
    id: number,
    address: Address,
    deadlineMs: number,
    payload: Uint8Array,
  ): Request {
    const { kind, target, virtual, version } = address;
    return {
      type,
      id,
      origin: this.selfNodeId,
      kind,
      target,
      virtual,
      hops: 0,
      deadlineMs,
      version,
      payload,
    };
  }

  #encode(address: Address, message: unknown): Uint8Array | CodedError {
    const codec = this.#codecs.get(address.kind);
    if (codec === undefined)
      return notSentError(address.target, `no codec for actors of kind ${address.kind}`);
    try {
      return codec.encode(message);
    } catch (cause) {
      return notSentError(address.target, cause);
    }
  }

  #transmit(nodeId: string, envelope: Envelope): void {
    if (nodeId === this.selfNodeId) {
      // A request that was sent on by others and came home.
      queueMicrotask(() => this.#dispatch(envelope));
      return;
    }
    this.#sends.set(nodeId, (this.#sends.get(nodeId) ?? 0) + 1);
    const done = (): void => {
      const left = (this.#sends.get(nodeId) ?? 1) - 1;
      if (left > 0) this.#sends.set(nodeId, left);
      else this.#sends.delete(nodeId);
    };
    this.#transport.send(nodeId, encodeEnvelope(envelope)).then(done, (cause: unknown) => {
      done();
      this.#notSent(nodeId, envelope, cause);
    });
  }

  #notSent(nodeId: string, envelope: Envelope, cause: unknown): void {
    this.#stats.deadLetter('not_sent');
    this.#system.log.debug({ node: nodeId, type: envelope.type, err: errorText(cause) }, 'envelope not sent');
    if (!('origin' in envelope) || envelope.type === 'tell') return;
    const error = linkLostError(nodeId, cause);
    if (envelope.origin === this.selfNodeId) this.#pending.fail(envelope.id, error);
    else this.refuse(envelope, error);
  }

  // ---- incoming

  #receive(from: string, bytes: Uint8Array): void {
    let envelope: Envelope;
    try {
      envelope = decodeEnvelope(bytes);
    } catch (error) {
      this.#stats.deadLetter('not_found');
      this.#system.log.warn({ node: from, err: errorText(error) }, 'envelope refused');
      return;
    }
    this.#dispatch(envelope);
  }

  #dispatch(envelope: Envelope): void {
    if (envelope.type === 'ok') this.#receiveOk(envelope.id, envelope.kind, envelope.payload);
    else if (envelope.type === 'offered') this.#pending.ok(envelope.id, envelope.outcome);
    else if (envelope.type === 'fail') {
      this.#pending.fail(envelope.id, remoteError(envelope.code, envelope.message));
    } else this.#receiveRequest(envelope);
  }

  #receiveOk(id: number, kind: string, payload: Uint8Array): void {
    try {
      this.#pending.ok(id, this.#codecs.get(kind)?.decodeReply(payload));
    } catch (cause) {
      this.#pending.fail(
        id,
        remoteError(runtimeErrorCodes.envelope, `reply can't be read: ${errorText(cause)}`),
      );
    }
  }

  #receiveRequest(request: Request): void {
    if (request.virtual) {
      const receiver = this.#virtual.get(request.kind);
      if (receiver === undefined) this.refuse(request, notFoundError(`${request.kind}/${request.target}`));
      else receiver(request);
      return;
    }
    const cell = this.#system.find(request.target);
    // The kind names the codec, so a message for another kind of actor must not be read by it.
    if (cell === undefined || cell.kind !== request.kind) this.refuse(request, notFoundError(request.target));
    else this.deliver(request, cell);
  }

  /** Hands a request to its local actor; the reply goes to the request's origin. */
  deliver(request: Request, cell: Cell<never>): void {
    const codec = this.#codecs.get(request.kind) as PayloadCodec<never> | undefined;
    if (codec === undefined) {
      this.refuse(request, notFoundError(`codec of ${request.kind}`));
      return;
    }
    if (request.type === 'ask') {
      const make = (replyTo: ReplyTo<unknown>): never => codec.decode(request.payload, replyTo);
      cell.askInto(
        make,
        request.deadlineMs,
        (reply) => this.#reply(request, codec, reply),
        (error) => this.refuse(request, error),
      );
      return;
    }
    let message: never;
    try {
      message = codec.decode(request.payload, undefined);
    } catch (error) {
      this.refuse(request, notSentError(request.target, error));
      return;
    }
    if (request.type === 'tell') cell.tell(message);
    else {
      cell.tellWhenRoom(message).then(
        (outcome) => this.#transmit(request.origin, { type: 'offered', id: request.id, outcome }),
        (error: Error) => this.refuse(request, error),
      );
    }
  }

  #reply(request: Request, codec: PayloadCodec<never>, reply: unknown): void {
    try {
      const payload = codec.encodeReply(reply);
      this.#transmit(request.origin, { type: 'ok', id: request.id, kind: request.kind, payload });
    } catch (error) {
      this.refuse(request, notSentError('the asker', error));
    }
  }

  /** Answers a `release`. */
  released(request: Request): void {
    this.#transmit(request.origin, { type: 'offered', id: request.id, outcome: 'stopped' });
  }

  /** Fails a request at its origin; a tell becomes a dead letter here. */
  refuse(request: Request, error: Error | CodedError): void {
    if (request.type === 'tell') {
      this.#stats.deadLetter('not_found');
      return;
    }
    const code = error instanceof CodedError ? error.code : runtimeErrorCodes.remote;
    if (request.origin === this.selfNodeId) this.#pending.fail(request.id, error);
    else this.#transmit(request.origin, { type: 'fail', id: request.id, code, message: error.message });
  }
}

class NodeRef<M> implements ActorRef<M> {
  readonly #link: NodeLink;
  readonly #address: Address;

  constructor(link: NodeLink, address: Address) {
    this.#link = link;
    this.#address = address;
  }

  get path(): string {
    return this.#address.target;
  }

  tell(message: M): TellOutcome {
    return this.#link.tell(this.#address, message);
  }

  tellWhenRoom(message: M): Promise<'queued' | 'stopped'> {
    return this.#link.offer(this.#address, message);
  }

  ask<R>(make: MakeAsk<M, R>, deadlineMs: number, _transfer?: readonly Transferable[]): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#link.ask(this.#address, make, deadlineMs, resolve as OnOk, reject);
    });
  }

  onStopped(run: () => void): () => void {
    return this.#link.onNodeLost(this.#address.nodeId, run);
  }
}
