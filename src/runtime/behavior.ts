/**
 * What an actor is made of: a behavior that receives one message at a time, the props from which the runtime makes
 * (and after a failure remakes) it, and the context through which it acts on its surroundings.
 *
 * What senders see: the mailbox holds `mailboxMax` messages (default 1024); when it is full, `tell` answers `full` and
 * `ask` fails with `mailbox_full`. Fate of messages at a restart: those in the mailbox survive and are handled by the
 * new incarnation; the one that failed is lost and its ask is failed, as are asks that the failed incarnation had
 * received and not answered. Timers, watches and pipes end with the incarnation; children are stopped.
 */
import type { Clock, Logger, Random } from '../base/index.ts';
import type { ActorRef } from './actor_ref.ts';
import type { Supervision } from './supervision.ts';

export interface Behavior<M> {
  /** Handles one message. The next one waits until the returned promise settles; a throw goes to supervision. */
  receive(message: M, context: ActorContext<M>): void | Promise<void>;
  /** Runs before the first message of each incarnation. */
  started?(context: ActorContext<M>): void | Promise<void>;
  /** Runs when the incarnation ends, by stop or before a restart, after its children have stopped. */
  stopped?(): void | Promise<void>;
}

export interface ActorProps<M> {
  /** Names the type of actor in metrics and logs. */
  readonly kind: string;
  readonly create: () => Behavior<M>;
  /** Messages that wait at most; default `mailboxMaxDefault`. */
  readonly mailboxMax?: number;
  readonly supervision?: Supervision;
  /** A stop that isn't done by then (a receive that hangs, a child that hangs) is forced; default 10 s. */
  readonly stopDeadlineMs?: number;
}

export const mailboxMaxDefault = 1024;
export const stopDeadlineMsDefault = 10_000;

/** Valid for one incarnation: after its end timers, watches and pipes do nothing and `spawn` throws. */
export interface ActorContext<M> {
  readonly self: ActorRef<M>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Aborted when the incarnation ends; give it to I/O. */
  readonly signal: AbortSignal;
  /** Starts a child; it stops with this incarnation. Throws `actor_name_taken`. */
  spawn<C>(props: ActorProps<C>, name: string): ActorRef<C>;
  /** Stops a child of this actor: its mailbox is drained first. Resolves when it has stopped. */
  stopChild<C>(child: ActorRef<C>): Promise<void>;
  /** Asks for the actor's own graceful stop after the current message. */
  stopSelf(): void;
  /** Sends `message` to this actor once `ref` has stopped. One watch per ref, the last one counts. */
  watch<T>(ref: ActorRef<T>, message: M): void;
  unwatch<T>(ref: ActorRef<T>): void;
  /** Sends `message` after `delayMs`. The same key replaces a running timer, also one already in the queue. */
  startTimer(key: string, delayMs: number, message: M): void;
  /** Sends `message` every `intervalMs`; a tick that comes while the last is still unhandled is left out. */
  startPeriodic(key: string, intervalMs: number, message: M): void;
  cancelTimer(key: string): void;
  /** Turns a promise into a message without blocking the mailbox meanwhile. */
  pipe<T>(promise: Promise<T>, onOk: (value: T) => M, onFailed: (error: unknown) => M): void;
}
