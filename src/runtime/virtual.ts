/**
 * Virtual actors, after Orleans (Bernstein et al. 2014): always addressable by key, started by their first message (or
 * eagerly) on the node that the placement names, moved when the placement changes.
 *
 * Fate of messages: those in the mailbox of an actor that must move are not handled here any more; they follow it with
 * their asks. While an actor is stopping here, or is still held by the node that had it before, its messages wait in a
 * line of `heldMax`; beyond that a sender sees `full`. A key that has no place at present: `tell` answers `full`, `ask`
 * fails with `actor_unplaced`, `tellWhenRoom` waits for a place. State is lost with each move: the behavior's `started`
 * must load what it needs.
 *
 * Never twice: nodes learn of a new placement at different times, so the new place asks the previous one to let go
 * (`handOff`) before it starts the actor, and waits until it has, is unreachable, or the deadline has passed. The one that let go sends
 * messages on to the new place until its own view has caught up. A placement's version decides who is behind.
 */
import type { Transferable } from 'node:worker_threads';
import { CodedError, errorText, type Logger } from '../base/index.ts';
import type { ActorRef, MakeAsk, TellOutcome } from './actor_ref.ts';
import { AskSlot, type OnFail, type OnOk } from './ask.ts';
import type { ActorProps } from './behavior.ts';
import type { Cell } from './cell.ts';
import type { DeadlineWheel } from './deadlines.ts';
import { fullError, runtimeErrorCodes, unplacedError } from './errors.ts';
import type { KindStats } from './metrics.ts';
import { hopsMax, type Request } from './remote/envelope.ts';
import type { Address, NodeLink, PayloadCodec } from './remote/node_link.ts';

export interface VirtualOptions<M> {
  readonly kind: string;
  readonly props: (key: string) => Omit<ActorProps<M>, 'kind'>;
  /** The node that a key belongs to by this node's view; undefined when the view names none. */
  readonly place: (key: string) => string | undefined;
  readonly selfNodeId: string;
  /** The way to other nodes; absent on a node that is alone. */
  readonly link?: NodeLink;
  /** Needed with `link`. */
  readonly codec?: PayloadCodec<M>;
  /** Started without a message where they belong. */
  readonly eagerKeys?: readonly string[];
  readonly handOff?: HandOff;
}

export interface HandOff {
  /** The node that had the key before the current placement; undefined: nobody. */
  readonly previous: (key: string) => string | undefined;
  /** Of the placement that `place` answers from; grows. */
  readonly version: () => number;
  /** After this time without an answer the actor is started all the same. */
  readonly deadlineMs: number;
}

/** What virtual actors need of their system. */
export interface VirtualHost {
  readonly log: Logger;
  readonly deadlines: DeadlineWheel;
  spawnCell<M>(props: ActorProps<M>, name: string): Cell<M>;
  statsOf(kind: string): KindStats;
}

/** Messages per key that wait while it moves. */
const heldMax = 1024;

interface Entry<M> {
  /** Undefined while the previous place is asked to let go. */
  cell: Cell<M> | undefined;
  state: 'active' | 'stopping' | 'claiming';
  /** What to do again when the key has settled. */
  readonly held: (() => void)[];
}

type Target<M> =
  | { readonly at: 'here'; readonly cell: Cell<M> }
  | { readonly at: 'there'; readonly nodeId: string }
  | { readonly at: 'held'; readonly held: (() => void)[] }
  | { readonly at: 'nowhere' };

export class VirtualActors<M> {
  readonly #host: VirtualHost;
  readonly #options: VirtualOptions<M>;
  readonly #stats: KindStats;
  readonly #entries: Map<string, Entry<M>> = new Map();
  /** Keys let go to a node whose placement is newer than ours; until ours changes. */
  readonly #releasedTo: Map<string, string> = new Map();
  /** What waits for the next placement. */
  #unplaced: (() => void)[] = [];
  #eagerKeys: Set<string>;
  #closed = false;

  constructor(host: VirtualHost, options: VirtualOptions<M>) {
    this.#host = host;
    this.#options = options;
    this.#stats = host.statsOf(options.kind);
    this.#eagerKeys = new Set(options.eagerKeys ?? []);
    if (options.link !== undefined && options.codec !== undefined) {
      options.link.registerCodec(options.kind, options.codec);
      options.link.registerVirtual(options.kind, (request) => this.#receive(request));
    }
    for (const key of this.#eagerKeys) this.#target(key);
  }

  /** The actor of a key, wherever it lives. */
  ref(key: string): ActorRef<M> {
    return new VirtualRef<M>(this, key, `/${this.#options.kind}/${key}`);
  }

  /** Keys whose actor is alive on this node, moving ones included. */
  get localKeys(): string[] {
    return [...this.#entries.keys()];
  }

  /**
   * To be called whenever `place` answers differently: actors that belong elsewhere stop here after their current
   * message, eager ones that belong here start. Resolves when those that had to stop have stopped.
   */
  async placementChanged(): Promise<void> {
    this.#releasedTo.clear();
    const moves: Promise<void>[] = [];
    for (const [key, entry] of this.#entries) {
      const nodeId = this.#options.place(key);
      if (nodeId === undefined || nodeId === this.#options.selfNodeId) continue;
      if (entry.state === 'active') moves.push(this.#moveAway(key, entry));
      else if (entry.state === 'claiming') this.#settle(key, entry);
    }
    for (const key of this.#eagerKeys) this.#target(key);
    const unplaced = this.#unplaced;
    this.#unplaced = [];
    for (const again of unplaced) again();
    await Promise.all(moves);
  }

  /** Replaces the eager keys; those no longer among them are stopped here gracefully. */
  async setEagerKeys(keys: readonly string[]): Promise<void> {
    const before = this.#eagerKeys;
    this.#eagerKeys = new Set(keys);
    const stops: Promise<void>[] = [];
    for (const key of before) {
      const entry = this.#entries.get(key);
      if (!this.#eagerKeys.has(key) && entry?.cell !== undefined) stops.push(entry.cell.stop());
    }
    for (const key of keys) this.#target(key);
    await Promise.all(stops);
  }

  /** Stops all actors of the kind on this node gracefully; later messages see `stopped`. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#eagerKeys = new Set();
    const stops: Promise<void>[] = [];
    for (const [key, entry] of this.#entries) {
      if (entry.cell !== undefined) stops.push(entry.cell.stop());
      else this.#settle(key, entry);
    }
    const unplaced = this.#unplaced;
    this.#unplaced = [];
    for (const again of unplaced) again();
    await Promise.all(stops);
  }

  // ---- senders, called by refs

  tell(key: string, message: M): TellOutcome {
    const target = this.#target(key);
    if (target.at === 'here') return target.cell.tell(message);
    if (target.at === 'there') return this.#link().tell(this.#address(key, target.nodeId), message);
    if (target.at === 'held' && this.#hold(target.held, () => void this.tell(key, message))) return 'queued';
    this.#stats.deadLetter(this.#closed ? 'stopped' : 'full');
    return this.#closed ? 'stopped' : 'full';
  }

  async tellWhenRoom(key: string, message: M): Promise<'queued' | 'stopped'> {
    for (;;) {
      const target = this.#target(key);
      if (target.at === 'here') {
        const outcome = await target.cell.tellWhenRoom(message);
        // It stopped or moved while the message waited, and didn't take it.
        if (outcome === 'queued' || this.#closed) return outcome;
      } else if (target.at === 'there') {
        const outcome = await this.#link().offer(this.#address(key, target.nodeId), message);
        if (outcome === 'queued') return outcome;
      } else if (this.#closed) return 'stopped';
      else await this.#held(key, target.at === 'held' ? target.held : this.#unplaced);
    }
  }

  ask<R>(key: string, make: MakeAsk<M, R>, deadlineMs: number, onOk: OnOk, onFail: OnFail): void {
    const target = this.#target(key);
    if (target.at === 'here') target.cell.askInto(make, deadlineMs, onOk, onFail);
    else if (target.at === 'there') {
      this.#link().ask(this.#address(key, target.nodeId), make, deadlineMs, onOk, onFail);
    } else if (target.at === 'nowhere') onFail(unplacedError(this.#path(key)));
    else this.#holdAsk(key, target.held, make, deadlineMs, onOk, onFail);
  }

  /** The deadline runs while the ask is held; what is asked later, with a deadline of its own, answers this slot. */
  #holdAsk<R>(
    key: string,
    held: (() => void)[],
    make: MakeAsk<M, R>,
    deadlineMs: number,
    onOk: OnOk,
    onFail: OnFail,
  ): void {
    const slot = new AskSlot(onOk, onFail, this.#host.deadlines, deadlineMs, this.#path(key));
    const again = (): void => {
      if (slot.done) return;
      this.ask(
        key,
        make,
        deadlineMs,
        (value, transfer) => slot.ok(value, transfer),
        (error) => slot.fail(error),
      );
    };
    if (!this.#hold(held, again)) slot.fail(fullError(this.#path(key)));
  }

  /** Runs `again` when the key has settled; false when the line is full. */
  #hold(held: (() => void)[], again: () => void): boolean {
    if (held.length >= heldMax) return false;
    held.push(again);
    return true;
  }

  #held(key: string, held: (() => void)[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#hold(held, resolve)) reject(fullError(this.#path(key)));
    });
  }

  // ---- where a key is

  /** Finds the actor of a key, starting it when it belongs here. */
  #target(key: string): Target<M> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      const { cell } = entry;
      if (entry.state === 'active' && cell?.isAccepting === true) return { at: 'here', cell };
      return { at: 'held', held: entry.held };
    }
    if (this.#closed) return { at: 'nowhere' };
    const nodeId = this.#releasedTo.get(key) ?? this.#options.place(key);
    if (nodeId === undefined) return { at: 'nowhere' };
    if (nodeId === this.#options.selfNodeId) return this.#activate(key);
    return this.#options.link === undefined ? { at: 'nowhere' } : { at: 'there', nodeId };
  }

  #activate(key: string): Target<M> {
    const previous = this.#options.handOff?.previous(key);
    if (previous !== undefined && previous !== this.#options.selfNodeId && this.#options.link !== undefined) {
      return this.#claim(key, previous, this.#options.link);
    }
    const entry: Entry<M> = { cell: undefined, state: 'active', held: [] };
    this.#entries.set(key, entry);
    return { at: 'here', cell: this.#spawn(key, entry) };
  }

  #spawn(key: string, entry: Entry<M>): Cell<M> {
    const { kind, props } = this.#options;
    const cell = this.#host.spawnCell<M>({ ...props(key), kind }, `${kind}/${key}`);
    entry.cell = cell;
    entry.state = 'active';
    cell.onStopped(() => this.#settle(key, entry));
    return cell;
  }

  /** The key belongs here now, and another node may still run it. */
  #claim(key: string, previous: string, link: NodeLink): Target<M> {
    const entry: Entry<M> = { cell: undefined, state: 'claiming', held: [] };
    this.#entries.set(key, entry);
    const deadlineMs = this.#options.handOff?.deadlineMs ?? 1;
    const claimed = (): void => {
      if (this.#entries.get(key) !== entry || entry.state !== 'claiming') return;
      this.#spawn(key, entry);
      this.#runHeld(entry);
    };
    const refused = (error: unknown): void => {
      const behind = error instanceof CodedError && error.code === runtimeErrorCodes.unplaced;
      if (!behind) {
        this.#host.log.warn(
          { key, node: previous, err: errorText(error) },
          'previous place of actor does not answer',
        );
        claimed();
        return;
      }
      if (this.#entries.get(key) !== entry) return;
      // The other node's placement is newer than ours and gives the key to it.
      this.#releasedTo.set(key, previous);
      this.#settle(key, entry);
    };
    link.release(this.#address(key, previous), deadlineMs).then(claimed, refused);
    return { at: 'held', held: entry.held };
  }

  #moveAway(key: string, entry: Entry<M>): Promise<void> {
    const { cell } = entry;
    if (cell === undefined) return Promise.resolve();
    entry.state = 'stopping';
    // What was in the mailbox is older than what was held meanwhile, and goes first.
    const moved: (() => void)[] = [];
    cell.onStopped(() => entry.held.unshift(...moved));
    return cell.stop('discard', (message, slot) => moved.push(() => this.#sendAgain(key, message, slot)));
  }

  #sendAgain(key: string, message: M, slot: AskSlot | undefined): void {
    if (slot === undefined) {
      this.tell(key, message);
      return;
    }
    if (slot.done) return;
    const target = this.#target(key);
    if (target.at === 'here') {
      if (target.cell.accept(message, slot) !== 'queued') slot.fail(fullError(this.#path(key)));
    } else if (target.at === 'there') {
      const address = this.#address(key, target.nodeId);
      this.#link().ask(
        address,
        () => message,
        slot.deadlineMs,
        (value) => slot.ok(value),
        (error) => slot.fail(error),
      );
    } else if (target.at === 'nowhere') slot.fail(unplacedError(this.#path(key)));
    else if (!this.#hold(target.held, () => this.#sendAgain(key, message, slot))) {
      slot.fail(fullError(this.#path(key)));
    }
  }

  /** The key is free here; what waited for that looks for its place again. */
  #settle(key: string, entry: Entry<M>): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    // After the other listeners to the same stop, one of which puts what was in the mailbox first.
    queueMicrotask(() => this.#runHeld(entry));
  }

  #runHeld(entry: Entry<M>): void {
    for (const again of entry.held.splice(0)) again();
  }

  // ---- from other nodes

  #receive(request: Request): void {
    if (request.type === 'release') {
      this.#release(request);
      return;
    }
    const target = this.#target(request.target);
    const path = this.#path(request.target);
    if (target.at === 'here') this.#link().deliver(request, target.cell as unknown as Cell<never>);
    else if (target.at === 'nowhere') this.#link().refuse(request, unplacedError(path));
    else if (target.at === 'there') {
      const version = this.#version();
      // Who sent it knows better than this node yet: it waits for the news instead of going in a circle.
      if (request.version > version && this.#hold(this.#unplaced, () => this.#receive(request))) return;
      if (request.hops >= hopsMax) this.#link().refuse(request, unplacedError(path));
      else this.#link().forward(target.nodeId, request, version);
    } else if (!this.#hold(target.held, () => this.#receive(request)))
      this.#link().refuse(request, fullError(path));
  }

  /** Another node claims a key. It gets it unless our placement is newer and gives the key to somebody else. */
  #release(request: Request): void {
    const key = request.target;
    if (this.#version() > request.version && this.#options.place(key) !== request.origin) {
      this.#link().refuse(request, unplacedError(this.#path(key)));
      return;
    }
    this.#releasedTo.set(key, request.origin);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#link().released(request);
      return;
    }
    if (entry.cell === undefined) this.#settle(key, entry);
    else {
      entry.cell.onStopped(() => this.#link().released(request));
      if (entry.state === 'active') void this.#moveAway(key, entry);
      return;
    }
    this.#link().released(request);
  }

  #link(): NodeLink {
    const { link } = this.#options;
    if (link === undefined)
      throw new Error(`actors of kind ${this.#options.kind} have no way to other nodes`);
    return link;
  }

  #address(key: string, nodeId: string): Address {
    return { nodeId, kind: this.#options.kind, target: key, virtual: true, version: this.#version() };
  }

  #version(): number {
    return this.#options.handOff?.version() ?? 0;
  }

  #path(key: string): string {
    return `/${this.#options.kind}/${key}`;
  }
}

class VirtualRef<M> implements ActorRef<M> {
  readonly path: string;
  readonly #actors: VirtualActors<M>;
  readonly #key: string;

  constructor(actors: VirtualActors<M>, key: string, path: string) {
    this.#actors = actors;
    this.#key = key;
    this.path = path;
  }

  tell(message: M): TellOutcome {
    return this.#actors.tell(this.#key, message);
  }

  tellWhenRoom(message: M): Promise<'queued' | 'stopped'> {
    return this.#actors.tellWhenRoom(this.#key, message);
  }

  ask<R>(make: MakeAsk<M, R>, deadlineMs: number, _transfer?: readonly Transferable[]): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#actors.ask(this.#key, make, deadlineMs, resolve as OnOk, reject);
    });
  }

  /** A virtual actor always exists, so this never runs; who uses one need not watch it. */
  onStopped(_run: () => void): () => void {
    return () => {};
  }
}
