/**
 * Actors of two threads talking over one MessagePort. Frames of one turn of the event loop leave as one array in one
 * `postMessage`: the cost of a message between threads is mostly the cost of the post, so a batch of 256 asks costs
 * little more than one. Buffers named in `transfer` move instead of being copied.
 *
 * Back-pressure: at most `windowMax` tells per target are on their way or waiting beside a full mailbox over there; the
 * receiving end gives them back as they enter the mailbox. Beyond the window `tell` answers `full`. A lost port (the
 * thread ended, `close`) fails every open ask and wait with `actor_link_lost`; from then on `tell` answers `stopped`.
 */
import type { Transferable } from 'node:worker_threads';
import { CodedError, errorText } from '../../base/index.ts';
import type { ActorRef, MakeAsk, ReplyTo, TellOutcome } from '../actor_ref.ts';
import type { OnFail, OnOk } from '../ask.ts';
import { linkLostError, notFoundError, notSentError, remoteError } from '../errors.ts';
import type { KindStats } from '../metrics.ts';
import type { ActorSystem } from '../system.ts';
import { InboundQueues } from './inbound.ts';
import { PendingReplies } from './pending.ts';
import { ReplyMark, replyKeyOf } from './reply_mark.ts';

/** The part of a MessagePort (or parentPort, or Worker) that a link uses. */
export interface LinkPort {
  postMessage(value: unknown, transfer?: readonly Transferable[]): void;
  on(event: 'message', listener: (value: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  close(): void;
}

/** Tells per target that may be under way. */
export const windowMax = 1024;
/** How long a `tellWhenRoom` to another thread waits for room: as long as the thread lives, at most a day. */
const offerDeadlineMs = 86_400_000;

type Frame =
  | readonly ['tell', path: string, message: unknown]
  | readonly ['accepted', path: string, count: number]
  | readonly ['offer', id: number, path: string, message: unknown]
  | readonly ['ask', id: number, path: string, replyKey: string, message: unknown, deadlineMs: number]
  | readonly ['ok', id: number, value: unknown]
  | readonly ['fail', id: number, code: string | undefined, text: string]
  | readonly ['watch', id: number, path: string]
  | readonly ['unwatch', id: number]
  | readonly ['gone', id: number];

/** Connects `system` with the system at the other end of `port`; both ends call this. `peer` names it in errors. */
export function connectThread(system: ActorSystem, port: LinkPort, peer = 'thread'): ThreadLink {
  return new ThreadLink(system, port, peer);
}

export class ThreadLink {
  readonly #system: ActorSystem;
  readonly #port: LinkPort;
  readonly #peer: string;
  readonly #stats: KindStats;
  readonly #pending: PendingReplies;
  readonly #inbound: InboundQueues;
  /** Tells under way, by target. */
  readonly #windows: Map<string, number> = new Map();
  readonly #watchers: Map<number, () => void> = new Map();
  readonly #watched: Map<number, () => void> = new Map();
  readonly #accepted: Map<string, number> = new Map();
  readonly #lostListeners: Set<() => void> = new Set();
  #outbox: Frame[] = [];
  #transfers: Transferable[] = [];
  /** Transfer list of each frame that has one, for sending frames singly when a batch can't be cloned. */
  readonly #transfersOf: Map<Frame, readonly Transferable[]> = new Map();
  #flushArmed = false;
  #lost = false;
  #nextWatchId = 1;
  readonly #flush = (): void => this.#flushNow();

  constructor(system: ActorSystem, port: LinkPort, peer: string) {
    this.#system = system;
    this.#port = port;
    this.#peer = peer;
    this.#stats = system.statsOf('thread_link');
    this.#pending = new PendingReplies(system.deadlines);
    this.#inbound = new InboundQueues((path) => this.#noteAccepted(path));
    port.on('message', (batch) => this.#receiveBatch(batch as readonly Frame[]));
    port.on('close', () => this.#lose());
  }

  /** The actor at `path` of the other thread's system. It need not exist yet. */
  remoteRef<M>(path: string): ActorRef<M> {
    return new ThreadRef<M>(this, path);
  }

  /** Calls `run` when the other end is gone. */
  onLost(run: () => void): () => void {
    this.#lostListeners.add(run);
    return () => this.#lostListeners.delete(run);
  }

  /** Sends what is waiting and closes the port. */
  close(): void {
    if (this.#lost) return;
    this.#flushNow();
    this.#port.close();
    this.#lose();
  }

  // ---- outgoing, called by refs

  tell(path: string, message: unknown, transfer: readonly Transferable[] | undefined): TellOutcome {
    const underWay = this.#windows.get(path) ?? 0;
    if (this.#lost || underWay >= windowMax) {
      this.#stats.deadLetter(this.#lost ? 'stopped' : 'full');
      return this.#lost ? 'stopped' : 'full';
    }
    this.#windows.set(path, underWay + 1);
    this.#send(['tell', path, message], transfer);
    return 'queued';
  }

  offer(path: string, message: unknown, transfer: readonly Transferable[] | undefined): Promise<TellOutcome> {
    if (this.#lost) return Promise.resolve('stopped');
    return new Promise((resolve, reject) => {
      const id = this.#pending.open(path, offerDeadlineMs, resolve as OnOk, reject);
      if (id !== undefined) this.#send(['offer', id, path, message], transfer);
    });
  }

  ask<M, R>(
    path: string,
    make: MakeAsk<M, R>,
    deadlineMs: number,
    transfer: readonly Transferable[] | undefined,
    onOk: OnOk,
    onFail: OnFail,
  ): void {
    if (this.#lost) {
      onFail(linkLostError(this.#peer));
      return;
    }
    const mark = new ReplyMark();
    const message = make(mark as ReplyTo<never> as ReplyTo<R>);
    const replyKey = replyKeyOf(message, mark);
    const id = this.#pending.open(path, deadlineMs, onOk, onFail);
    if (id !== undefined) this.#send(['ask', id, path, replyKey, message, deadlineMs], transfer);
  }

  watch(path: string, run: () => void): () => void {
    if (this.#lost) {
      queueMicrotask(run);
      return () => {};
    }
    const id = this.#nextWatchId++;
    this.#watchers.set(id, run);
    this.#send(['watch', id, path], undefined);
    return () => {
      if (this.#watchers.delete(id)) this.#send(['unwatch', id], undefined);
    };
  }

  #send(frame: Frame, transfer: readonly Transferable[] | undefined): void {
    if (this.#lost) return;
    this.#outbox.push(frame);
    if (transfer !== undefined && transfer.length > 0) {
      for (const item of transfer) this.#transfers.push(item);
      this.#transfersOf.set(frame, transfer);
    }
    this.#armFlush();
  }

  #armFlush(): void {
    if (this.#flushArmed) return;
    this.#flushArmed = true;
    setImmediate(this.#flush);
  }

  #flushNow(): void {
    this.#flushArmed = false;
    if (this.#lost) return;
    for (const [path, count] of this.#accepted) this.#outbox.push(['accepted', path, count]);
    this.#accepted.clear();
    const frames = this.#outbox;
    if (frames.length === 0) return;
    const transfers = this.#transfers;
    this.#outbox = [];
    this.#transfers = [];
    try {
      this.#port.postMessage(frames, transfers);
    } catch {
      // One frame of the batch can't be cloned; it is found, and reported, by sending them singly.
      this.#postSingly(frames);
    }
    this.#transfersOf.clear();
  }

  #postSingly(frames: readonly Frame[]): void {
    for (const frame of frames) {
      try {
        this.#port.postMessage([frame], this.#transfersOf.get(frame) ?? []);
      } catch (error) {
        this.#notSent(frame, error);
      }
    }
  }

  #notSent(frame: Frame, cause: unknown): void {
    this.#stats.deadLetter('not_sent');
    this.#system.log.error({ peer: this.#peer, frame: frame[0], err: errorText(cause) }, 'message not sent');
    if (frame[0] === 'tell') this.#release(frame[1], 1);
    else if (frame[0] === 'offer' || frame[0] === 'ask')
      this.#pending.fail(frame[1], notSentError(frame[2], cause));
    else if (frame[0] === 'ok') {
      const error = notSentError('the asker', cause);
      this.#send(['fail', frame[1], error.code, error.message], undefined);
    }
  }

  #release(path: string, count: number): void {
    const left = (this.#windows.get(path) ?? 0) - count;
    if (left > 0) this.#windows.set(path, left);
    else this.#windows.delete(path);
  }

  // ---- incoming

  #receiveBatch(frames: readonly Frame[]): void {
    for (const frame of frames) this.#receive(frame);
  }

  #receive(frame: Frame): void {
    switch (frame[0]) {
      case 'tell':
        this.#receiveTell(frame[1], frame[2]);
        break;
      case 'accepted':
        this.#release(frame[1], frame[2]);
        break;
      case 'offer':
        this.#receiveOffer(frame[1], frame[2], frame[3]);
        break;
      case 'ask':
        this.#receiveAsk(frame[1], frame[2], frame[3], frame[4], frame[5]);
        break;
      case 'ok':
        this.#pending.ok(frame[1], frame[2]);
        break;
      case 'fail':
        this.#pending.fail(frame[1], remoteError(frame[2], frame[3]));
        break;
      case 'watch':
        this.#receiveWatch(frame[1], frame[2]);
        break;
      case 'unwatch':
        this.#watched.get(frame[1])?.();
        this.#watched.delete(frame[1]);
        break;
      case 'gone':
        this.#receiveGone(frame[1]);
        break;
    }
  }

  #noteAccepted(path: string): void {
    this.#accepted.set(path, (this.#accepted.get(path) ?? 0) + 1);
    this.#armFlush();
  }

  #receiveTell(path: string, message: unknown): void {
    const cell = this.#system.find(path);
    if (cell === undefined) {
      this.#stats.deadLetter('not_found');
      this.#noteAccepted(path);
    } else this.#inbound.deliver(cell, message as never, undefined);
  }

  #receiveOffer(id: number, path: string, message: unknown): void {
    const cell = this.#system.find(path);
    if (cell === undefined) this.#send(['ok', id, 'stopped'], undefined);
    else
      this.#inbound.deliver(cell, message as never, (outcome) => this.#send(['ok', id, outcome], undefined));
  }

  #receiveAsk(id: number, path: string, replyKey: string, message: unknown, deadlineMs: number): void {
    const onFail = (error: Error | CodedError): void => {
      this.#send(
        ['fail', id, error instanceof CodedError ? error.code : undefined, error.message],
        undefined,
      );
    };
    const cell = this.#system.find(path);
    if (cell === undefined) {
      onFail(notFoundError(path));
      return;
    }
    const onOk: OnOk = (value, transfer) => this.#send(['ok', id, value], transfer);
    const make = (replyTo: ReplyTo<unknown>): never => {
      (message as Record<string, unknown>)[replyKey] = replyTo;
      return message as never;
    };
    cell.askInto(make, deadlineMs, onOk, onFail);
  }

  #receiveWatch(id: number, path: string): void {
    const cell = this.#system.find(path);
    const gone = (): void => {
      this.#watched.delete(id);
      this.#send(['gone', id], undefined);
    };
    if (cell === undefined) gone();
    else this.#watched.set(id, cell.onStopped(gone));
  }

  #receiveGone(id: number): void {
    const run = this.#watchers.get(id);
    this.#watchers.delete(id);
    run?.();
  }

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#outbox = [];
    this.#transfers = [];
    this.#windows.clear();
    this.#pending.failAll(linkLostError(this.#peer));
    for (const forget of this.#watched.values()) forget();
    this.#watched.clear();
    for (const id of [...this.#watchers.keys()]) this.#receiveGone(id);
    for (const listener of [...this.#lostListeners]) listener();
  }
}

class ThreadRef<M> implements ActorRef<M> {
  readonly path: string;
  readonly #link: ThreadLink;

  constructor(link: ThreadLink, path: string) {
    this.#link = link;
    this.path = path;
  }

  tell(message: M, transfer?: readonly Transferable[]): TellOutcome {
    return this.#link.tell(this.path, message, transfer);
  }

  tellWhenRoom(message: M, transfer?: readonly Transferable[]): Promise<'queued' | 'stopped'> {
    return this.#link.offer(this.path, message, transfer) as Promise<'queued' | 'stopped'>;
  }

  ask<R>(make: MakeAsk<M, R>, deadlineMs: number, transfer?: readonly Transferable[]): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#link.ask(this.path, make, deadlineMs, transfer, resolve as OnOk, reject);
    });
  }

  onStopped(run: () => void): () => void {
    return this.#link.watch(this.path, run);
  }
}
