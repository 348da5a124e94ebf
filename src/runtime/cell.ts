/**
 * One living actor: its mailbox, its place in the run queue, its life. A cell outlives the incarnations of its behavior;
 * refs point at the cell, so a restart is invisible to senders.
 *
 * ```
 * starting ──started()──▶ running ──throw──▶ ending ──children gone, stopped()──▶ backing off ──delay──▶ starting
 *                            │ stop: mailbox drained                                   │ stop, limit, escalate
 *                            ▼                                                         ▼
 *                          ending ──children gone, stopped()────────────────────▶   stopped
 * ```
 * A cell is `parked` when it is idle and the next message has to put it into the run queue; in every other state
 * somebody (the queue, a promise, a timer, a child) will come back to it. Stop: new messages are refused, those in the
 * mailbox are handled, then children stop, then `stopped()` runs. A stop during backoff, a failure during the drain, and
 * a stop that passes its deadline leave the rest of the mailbox to dead letters and fail its asks.
 */
import { assert, type Clock, errorText, type Logger, type Random, type Timer } from '../base/index.ts';
import type { ActorRef, MakeAsk, ReplyTo, TellOutcome } from './actor_ref.ts';
import { AskList, AskSlot, type OnFail, type OnOk } from './ask.ts';
import { type ActorProps, type Behavior, mailboxMaxDefault, stopDeadlineMsDefault } from './behavior.ts';
import { Children } from './children.ts';
import { CellContext, type ContextHost, type Signal } from './context.ts';
import type { DeadlineWheel } from './deadlines.ts';
import { nextTurnMessages, type Runnable, type Scheduler } from './dispatcher.ts';
import { failedError, fullError, stoppedError } from './errors.ts';
import { Mailbox } from './mailbox.ts';
import type { KindStats, Measured } from './metrics.ts';
import { RestartTracker } from './supervision.ts';

/** What cells need of their system. */
export interface CellHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly deadlines: DeadlineWheel;
  readonly log: Logger;
  statsOf(kind: string): KindStats;
  /** A cell came to life or ended, anywhere in the tree. */
  cellStarted(cell: Cell<never>): void;
  cellStopped(cell: Cell<never>): void;
  /** A failure that no parent takes. */
  escalated(path: string, error: unknown): void;
}

const Phase = { Starting: 0, Running: 1, Ending: 2, BackingOff: 3, Stopped: 4 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** Where messages go that a stopping actor doesn't handle. */
export type HandOver<M> = (message: M, slot: AskSlot | undefined) => void;

export class Cell<M> implements ActorRef<M>, ContextHost<M>, Runnable, Measured {
  readonly path: string;
  readonly kind: string;
  readonly #host: CellHost;
  readonly #parent: Cell<never> | undefined;
  readonly #props: ActorProps<M>;
  readonly #stats: KindStats;
  readonly #mailbox: Mailbox<M>;
  readonly #asks: AskList = new AskList();
  readonly #restarts: RestartTracker;
  #phase: Phase = Phase.Starting;
  #parked = false;
  /** An asynchronous `receive` or `started` is under way. */
  #awaiting = false;
  #accepting = true;
  #stopRequested: 'drain' | 'discard' | undefined = undefined;
  #behavior: Behavior<M> | undefined = undefined;
  #context: CellContext<M> | undefined = undefined;
  #current: AskSlot | undefined = undefined;
  #signals: Signal<M>[] = [];
  #childFailure: { error: unknown } | undefined = undefined;
  #children: Children<Cell<never>> | undefined = undefined;
  #afterStopped: (() => void) | undefined = undefined;
  #listeners: Set<() => void> | undefined = undefined;
  #handOver: HandOver<M> | undefined = undefined;
  #backoffTimer: Timer | undefined = undefined;
  #stopTimer: Timer | undefined = undefined;
  #turnMessages = 16;

  constructor(host: CellHost, parent: Cell<never> | undefined, props: ActorProps<M>, path: string) {
    this.path = path;
    this.kind = props.kind;
    this.#host = host;
    this.#parent = parent;
    this.#props = props;
    this.#stats = host.statsOf(props.kind);
    this.#mailbox = new Mailbox(props.mailboxMax ?? mailboxMaxDefault);
    this.#restarts = new RestartTracker(props.supervision);
    this.#stats.live.add(this);
    host.cellStarted(this as unknown as Cell<never>);
    host.scheduler.schedule(this);
  }

  get clock(): Clock {
    return this.#host.clock;
  }

  get random(): Random {
    return this.#host.random;
  }

  get log(): Logger {
    return this.#host.log;
  }

  get mailboxDepth(): number {
    return this.#mailbox.size;
  }

  get turnMessages(): number {
    return this.#turnMessages;
  }

  /** False once a stop has begun. */
  get isAccepting(): boolean {
    return this.#accepting;
  }

  // ---- senders

  tell(message: M): TellOutcome {
    return this.#offer(message, undefined);
  }

  tellWhenRoom(message: M): Promise<'queued' | 'stopped'> {
    const outcome = this.#put(message, undefined);
    if (outcome !== 'full') return Promise.resolve(outcome);
    return this.#mailbox.mayWait ? this.#mailbox.wait(message) : Promise.reject(fullError(this.path));
  }

  /** `tellWhenRoom` for links, which bring one message at a time each and bound their number themselves. */
  admitWhenRoom(message: M): Promise<'queued' | 'stopped'> {
    const outcome = this.#put(message, undefined);
    return outcome === 'full' ? this.#mailbox.wait(message) : Promise.resolve(outcome);
  }

  ask<R>(make: MakeAsk<M, R>, deadlineMs: number): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.askInto(make, deadlineMs, resolve as OnOk, reject);
    });
  }

  /** `ask` without a promise: exactly one of the callbacks is called, once. */
  askInto<R>(make: MakeAsk<M, R>, deadlineMs: number, onOk: OnOk, onFail: OnFail): void {
    const slot = new AskSlot(onOk, onFail, this.#host.deadlines, deadlineMs, this.path);
    let message: M;
    try {
      message = make(slot as ReplyTo<unknown> as ReplyTo<R>);
    } catch (error) {
      slot.fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#asks.add(slot);
    const outcome = this.#offer(message, slot);
    if (outcome !== 'queued') slot.fail(outcome === 'full' ? fullError(this.path) : stoppedError(this.path));
  }

  /** Accepts a message whose ask, if any, began at another cell. */
  accept(message: M, slot: AskSlot | undefined): TellOutcome {
    if (slot?.done === true) return 'queued';
    const outcome = this.#offer(message, slot);
    if (outcome === 'queued' && slot !== undefined) this.#asks.add(slot);
    return outcome;
  }

  onStopped(run: () => void): () => void {
    if (this.#phase === Phase.Stopped) {
      let wanted = true;
      queueMicrotask(() => {
        if (wanted) run();
      });
      return () => {
        wanted = false;
      };
    }
    // Wrapped, so that the same function may listen twice.
    const listener = (): void => run();
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  /** `tell` for a caller that keeps the message when there is no room: no dead letter for `full`. */
  tryTell(message: M): TellOutcome {
    return this.#put(message, undefined);
  }

  #offer(message: M, slot: AskSlot | undefined): TellOutcome {
    const outcome = this.#put(message, slot);
    if (outcome === 'full') this.#stats.deadLetter('full');
    return outcome;
  }

  #put(message: M, slot: AskSlot | undefined): TellOutcome {
    if (!this.#accepting) {
      this.#stats.deadLetter('stopped');
      return 'stopped';
    }
    if (!this.#mailbox.push(message, slot)) return 'full';
    if (this.#parked) this.#wake();
    return 'queued';
  }

  #wake(): void {
    this.#parked = false;
    this.#host.scheduler.schedule(this);
  }

  // ---- the run queue

  runTurn(messagesMax: number): boolean {
    if (this.#phase === Phase.Starting && !this.#start()) return false;
    if (this.#phase !== Phase.Running) return false;
    let left = messagesMax;
    while (left-- > 0) {
      if (!this.#step()) return this.#idle();
      if (this.#phase !== Phase.Running || this.#awaiting) return false;
    }
    return true;
  }

  turnTook(elapsedMs: number): void {
    this.#stats.processingMs += elapsedMs;
    this.#turnMessages = nextTurnMessages(this.#turnMessages, elapsedMs);
  }

  /** Handles one signal or message; false when there was none. */
  #step(): boolean {
    if (this.#childFailure !== undefined) {
      const { error } = this.#childFailure;
      this.#childFailure = undefined;
      this.#failed(error);
      return true;
    }
    if (this.#signals.length > 0) {
      const signal = this.#signals.shift();
      if (signal?.live() === true) this.#deliver(signal.message);
      return true;
    }
    if (this.#mailbox.size === 0 || this.#stopRequested === 'discard') return false;
    const message = this.#mailbox.take();
    const slot = this.#mailbox.takenSlot;
    if (slot !== undefined) {
      slot.received = true;
      this.#current = slot;
    }
    this.#deliver(message);
    return true;
  }

  #idle(): boolean {
    if (this.#stopRequested !== undefined) this.#end(() => this.#terminate());
    else this.#parked = true;
    return false;
  }

  #deliver(message: M): void {
    this.#stats.messages++;
    let result: void | Promise<void>;
    try {
      result = (this.#behavior as Behavior<M>).receive(message, this.#context as CellContext<M>);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (result !== undefined && isPromise(result)) this.#await(result);
    else this.#current = undefined;
  }

  #await(result: Promise<void>): void {
    const context = this.#context;
    const beganMs = this.clock.monotonicMs();
    this.#awaiting = true;
    const settle = (next: () => void): void => {
      // Another context means that a forced stop gave this incarnation up.
      if (this.#context !== context || context === undefined) return;
      this.#stats.processingMs += this.clock.monotonicMs() - beganMs;
      this.#awaiting = false;
      next();
    };
    result.then(
      () =>
        settle(() => {
          this.#current = undefined;
          this.#host.scheduler.schedule(this);
        }),
      (error: unknown) => settle(() => this.#failed(error)),
    );
  }

  // ---- life

  /** True when the behavior is running at once. */
  #start(): boolean {
    if (
      this.#stopRequested === 'discard' ||
      (this.#stopRequested !== undefined && this.#mailbox.size === 0)
    ) {
      this.#terminate();
      return false;
    }
    this.#phase = Phase.Running;
    this.#context = new CellContext(this);
    try {
      this.#behavior = this.#props.create();
      const result = this.#behavior.started?.(this.#context);
      if (result !== undefined && isPromise(result)) this.#await(result);
    } catch (error) {
      this.#failed(error);
    }
    return this.#phase === Phase.Running && !this.#awaiting;
  }

  signal(context: CellContext<M>, signal: Signal<M>): void {
    if (this.#context !== context || this.#phase !== Phase.Running) return;
    this.#signals.push(signal);
    if (this.#parked) this.#wake();
  }

  #failed(error: unknown): void {
    this.#stats.failures++;
    const asked = this.#current;
    this.#current = undefined;
    asked?.fail(failedError(this.path, error));
    this.#asks.failAll(failedError(this.path, error), 'received');
    if (this.#stopRequested !== undefined) {
      this.log.error({ actor: this.path, err: errorText(error) }, 'actor failed while stopping');
      this.#end(() => this.#terminate());
      return;
    }
    const decision = this.#decide(error);
    this.log.error({ actor: this.path, err: errorText(error), action: decision.action }, 'actor failed');
    if (decision.action === 'restart') {
      this.#end(() => this.#backOff(decision.delayMs));
      return;
    }
    this.#accepting = false;
    this.#end(() => {
      this.#terminate();
      if (decision.action !== 'escalate') return;
      if (this.#parent === undefined) this.#host.escalated(this.path, error);
      else this.#parent.childFailed(error);
    });
  }

  #decide(error: unknown): ReturnType<RestartTracker['decide']> {
    try {
      return this.#restarts.decide(error, this.clock.monotonicMs(), this.random);
    } catch (thrown) {
      this.log.error({ actor: this.path, err: errorText(thrown) }, 'supervision of actor threw, it stops');
      return { action: 'stop' };
    }
  }

  /** A child escalated: this actor fails with its error. */
  childFailed(error: unknown): void {
    if (this.#phase !== Phase.Running) return;
    this.#childFailure = { error };
    if (this.#parked) this.#wake();
  }

  /** A child has stopped. */
  childGone(path: string): void {
    this.#children?.gone(path);
  }

  #backOff(delayMs: number): void {
    if (this.#stopRequested !== undefined) {
      this.#terminate();
      return;
    }
    this.#phase = Phase.BackingOff;
    this.#stats.restarts++;
    this.#backoffTimer = this.clock.after(delayMs, () => {
      this.#phase = Phase.Starting;
      this.#host.scheduler.schedule(this);
    });
  }

  /** Ends the incarnation: children first, then `stopped()`, then `next`. */
  #end(next: () => void): void {
    this.#phase = Phase.Ending;
    this.#parked = false;
    this.#signals = [];
    this.#childFailure = undefined;
    this.#context?.close();
    this.#armStopDeadline();
    const whenGone = (): void => this.#callStopped(next);
    if (this.#children === undefined) whenGone();
    else this.#children.stopAll(whenGone);
  }

  #callStopped(next: () => void): void {
    const context = this.#context;
    const behavior = this.#behavior;
    this.#behavior = undefined;
    const done = (): void => {
      if (this.#phase !== Phase.Ending || this.#context !== context) return;
      this.#afterStopped = undefined;
      this.#context = undefined;
      this.#disarmStopDeadline();
      next();
    };
    const failed = (error: unknown): void => {
      this.log.error({ actor: this.path, err: errorText(error) }, 'stopped() of actor failed');
      done();
    };
    this.#afterStopped = done;
    try {
      const result = behavior?.stopped?.();
      if (result !== undefined && isPromise(result)) result.then(done, failed);
      else done();
    } catch (error) {
      failed(error);
    }
  }

  spawnChild<C>(props: ActorProps<C>, name: string): ActorRef<C> {
    const path = `${this.path}/${name}`;
    this.#children ??= new Children();
    this.#children.assertFree(path);
    const child = new Cell(this.#host, this as unknown as Cell<never>, props, path);
    this.#children.add(child as unknown as Cell<never>);
    return child;
  }

  stopChild<C>(child: ActorRef<C>): Promise<void> {
    const cell = this.#children?.get(child.path);
    return cell === undefined ? Promise.resolve() : cell.stop();
  }

  // ---- stop

  /**
   * Stops the actor; resolves when it has stopped, at the latest after its stop deadline. `drain`: what is in the
   * mailbox is handled first. `discard`: it goes to `handOver`, or to dead letters.
   */
  stop(mode: 'drain' | 'discard' = 'drain', handOver?: HandOver<M>): Promise<void> {
    if (this.#phase === Phase.Stopped) return Promise.resolve();
    const stopped = new Promise<void>((resolve) => this.onStopped(resolve));
    if (this.#stopRequested !== 'discard') this.#stopRequested = mode;
    this.#handOver ??= handOver;
    this.#accepting = false;
    this.#refuseWaiters();
    this.#armStopDeadline();
    if (this.#phase === Phase.BackingOff) this.#terminate();
    else if (this.#parked) this.#wake();
    return stopped;
  }

  /** Stops at once, even in the middle of an asynchronous message. */
  abandon(): void {
    this.#terminate();
  }

  #armStopDeadline(): void {
    const deadlineMs = this.#props.stopDeadlineMs ?? stopDeadlineMsDefault;
    this.#stopTimer ??= this.clock.after(deadlineMs, () => {
      this.#stopTimer = undefined;
      this.log.error({ actor: this.path, deadlineMs }, 'actor did not stop in time, it is given up');
      this.#giveUpWaiting();
    });
  }

  /** A message that hangs ends the actor; a child or a `stopped()` that hangs is left behind, and life goes on. */
  #giveUpWaiting(): void {
    if (this.#phase !== Phase.Ending) {
      this.#terminate();
      return;
    }
    this.#children?.abandonAll();
    this.#afterStopped?.();
  }

  #disarmStopDeadline(): void {
    this.#stopTimer?.cancel();
    this.#stopTimer = undefined;
  }

  #refuseWaiters(): void {
    for (let left = this.#mailbox.refuseWaiters(); left > 0; left--) this.#stats.deadLetter('stopped');
  }

  /** The end, reached from every phase; nothing of this cell runs afterwards. */
  #terminate(): void {
    if (this.#phase === Phase.Stopped) return;
    this.#phase = Phase.Stopped;
    this.#accepting = false;
    this.#parked = false;
    this.#context?.close();
    this.#context = undefined;
    this.#behavior = undefined;
    this.#signals = [];
    this.#backoffTimer?.cancel();
    this.#disarmStopDeadline();
    this.#refuseWaiters();
    this.#emptyMailbox();
    this.#asks.failAll(stoppedError(this.path), 'all');
    this.#children?.abandonAll();
    this.#stats.live.delete(this);
    this.#host.cellStopped(this as unknown as Cell<never>);
    this.#parent?.childGone(this.path);
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) this.#notify(listener);
  }

  #notify(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.log.error({ actor: this.path, err: errorText(error) }, 'listener to the stop of actor threw');
    }
  }

  #emptyMailbox(): void {
    while (this.#mailbox.size > 0) {
      const message = this.#mailbox.take();
      const slot = this.#mailbox.takenSlot;
      if (this.#handOver === undefined) {
        this.#stats.deadLetter('stopped');
        continue;
      }
      if (slot !== undefined) this.#asks.remove(slot);
      this.#handOver(message, slot);
    }
    assert(this.#mailbox.size === 0, 'a stopped actor keeps no message');
  }
}

function isPromise(result: unknown): result is Promise<void> {
  return (
    typeof result === 'object' && result !== null && typeof (result as Promise<void>).then === 'function'
  );
}
