/**
 * What one incarnation of an actor holds: its timers, watches, pipes and abort signal. Ending the incarnation is closing
 * the context, after which nothing of it can reach the next incarnation: messages from timers, watches and pipes travel
 * as signals that remember their context. Signals are bounded without a limit of their own: one per timer, per watch and
 * per pipe at a time.
 */
import type { Clock, Logger, Random, Timer } from '../base/index.ts';
import type { ActorRef } from './actor_ref.ts';
import type { ActorContext, ActorProps } from './behavior.ts';
import { stoppedError } from './errors.ts';

/** A message that doesn't go through the mailbox; dropped when `live` says no at its turn. */
export interface Signal<M> {
  readonly message: M;
  /** Called at delivery. False: the timer was cancelled meanwhile. */
  live(): boolean;
}

/** What the context needs of its actor. */
export interface ContextHost<M> extends ActorRef<M> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  signal(context: CellContext<M>, signal: Signal<M>): void;
  spawnChild<C>(props: ActorProps<C>, name: string): ActorRef<C>;
  stopChild<C>(child: ActorRef<C>): Promise<void>;
  stop(): Promise<void>;
}

class ActorTimer<M> implements Signal<M> {
  readonly message: M;
  active = true;
  /** In the signal queue and not handled yet. */
  waiting = false;
  /** Absent: fires once. */
  readonly intervalMs: number | undefined;
  /** When the next tick is due on the monotonic clock. */
  dueMs: number;
  handle: Timer | undefined = undefined;
  readonly #handled: () => void;

  constructor(message: M, dueMs: number, intervalMs: number | undefined, handled: () => void) {
    this.#handled = handled;
    this.message = message;
    this.dueMs = dueMs;
    this.intervalMs = intervalMs;
  }

  live(): boolean {
    this.waiting = false;
    if (this.active && this.intervalMs === undefined) this.#handled();
    return this.active;
  }
}

const alwaysLive = (): boolean => true;

export class CellContext<M> implements ActorContext<M> {
  readonly #host: ContextHost<M>;
  readonly #timers: Map<string, ActorTimer<M>> = new Map();
  readonly #watches: Map<unknown, () => void> = new Map();
  #abort: AbortController | undefined = undefined;
  #closed = false;

  constructor(host: ContextHost<M>) {
    this.#host = host;
  }

  get self(): ActorRef<M> {
    return this.#host;
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

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#closed) this.#abort.abort(stoppedError(this.#host.path));
    }
    return this.#abort.signal;
  }

  spawn<C>(props: ActorProps<C>, name: string): ActorRef<C> {
    if (this.#closed) throw stoppedError(this.#host.path);
    return this.#host.spawnChild(props, name);
  }

  stopChild<C>(child: ActorRef<C>): Promise<void> {
    return this.#host.stopChild(child);
  }

  stopSelf(): void {
    if (!this.#closed) void this.#host.stop();
  }

  watch<T>(ref: ActorRef<T>, message: M): void {
    if (this.#closed) return;
    this.unwatch(ref);
    const forget = ref.onStopped(() => {
      this.#watches.delete(ref);
      this.#signal({ message, live: alwaysLive });
    });
    this.#watches.set(ref, forget);
  }

  unwatch<T>(ref: ActorRef<T>): void {
    this.#watches.get(ref)?.();
    this.#watches.delete(ref);
  }

  startTimer(key: string, delayMs: number, message: M): void {
    this.#start(key, delayMs, message, undefined);
  }

  startPeriodic(key: string, intervalMs: number, message: M): void {
    this.#start(key, intervalMs, message, Math.max(1, intervalMs));
  }

  cancelTimer(key: string): void {
    const timer = this.#timers.get(key);
    if (timer === undefined) return;
    this.#timers.delete(key);
    timer.active = false;
    timer.handle?.cancel();
  }

  pipe<T>(promise: Promise<T>, onOk: (value: T) => M, onFailed: (error: unknown) => M): void {
    promise.then(
      (value) => this.#signal({ message: onOk(value), live: alwaysLive }),
      (error: unknown) => this.#signal({ message: onFailed(error), live: alwaysLive }),
    );
  }

  /** Ends the incarnation's claims on the world. */
  close(): void {
    this.#closed = true;
    for (const key of [...this.#timers.keys()]) this.cancelTimer(key);
    for (const forget of this.#watches.values()) forget();
    this.#watches.clear();
    this.#abort?.abort(stoppedError(this.#host.path));
  }

  #signal(signal: Signal<M>): void {
    if (!this.#closed) this.#host.signal(this, signal);
  }

  #start(key: string, delayMs: number, message: M, intervalMs: number | undefined): void {
    if (this.#closed) return;
    this.cancelTimer(key);
    const timer = new ActorTimer(message, this.clock.monotonicMs() + delayMs, intervalMs, () => {
      this.#timers.delete(key);
    });
    this.#timers.set(key, timer);
    this.#arm(key, timer, delayMs);
  }

  #arm(key: string, timer: ActorTimer<M>, delayMs: number): void {
    timer.handle = this.clock.after(delayMs, () => this.#fire(key, timer));
  }

  #fire(key: string, timer: ActorTimer<M>): void {
    if (!timer.active) return;
    if (timer.intervalMs === undefined) {
      // Stays cancellable until it is handled; a new timer of the same key replaces it.
      timer.handle = undefined;
    } else {
      // Ticks keep their phase: the next one is the first grid point that is still ahead.
      const nowMs = this.clock.monotonicMs();
      const missed = Math.max(0, Math.floor((nowMs - timer.dueMs) / timer.intervalMs));
      timer.dueMs += (missed + 1) * timer.intervalMs;
      this.#arm(key, timer, Math.max(0, timer.dueMs - nowMs));
    }
    if (timer.waiting) return;
    timer.waiting = true;
    this.#signal(timer);
  }
}
