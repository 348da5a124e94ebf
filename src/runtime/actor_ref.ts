/**
 * How everybody else sees an actor: an address that takes messages. A ref means the same whether the actor lives in
 * this thread, in another thread or on another node (location transparency, as in Akka Typed and Orleans).
 *
 * Delivery: at most once, in order per sender and target while the target stays where it is. A message told is in the
 * mailbox only when the outcome says `queued`; for another thread or node `queued` means "accepted for sending".
 */
import type { Transferable } from 'node:worker_threads';
import type { CodedError } from '../base/index.ts';

/** `full`: no room, try later or drop; `stopped`: will never be taken. Both: nothing was delivered. */
export type TellOutcome = 'queued' | 'full' | 'stopped';

/** The reply handle inside a message that asks. The first call counts, later ones do nothing. */
export interface ReplyTo<R> {
  /** `transfer`: buffers that move to an asker in another thread instead of being copied. */
  ok(value: R, transfer?: readonly Transferable[]): void;
  fail(error: Error | CodedError): void;
}

/** Builds a message around its reply handle. The handle must be a top-level property of the message. */
export type MakeAsk<M, R> = (replyTo: ReplyTo<R>) => M;

export interface ActorRef<M> {
  /** `/parent/child` within its system. */
  readonly path: string;
  /** Never throws, never waits. `transfer` counts only when the actor lives in another thread. */
  tell(message: M, transfer?: readonly Transferable[]): TellOutcome;
  /**
   * For senders that must not lose: resolves `queued` once the message is in the mailbox, after waiting for room in
   * the order of calls, or `stopped`. Rejects with `mailbox_full` only when even the waiting line (as long as the
   * mailbox) is full, or when a remote end can't be reached.
   */
  tellWhenRoom(message: M, transfer?: readonly Transferable[]): Promise<'queued' | 'stopped'>;
  /** See the function `ask`. */
  ask<R>(make: MakeAsk<M, R>, deadlineMs: number, transfer?: readonly Transferable[]): Promise<R>;
  /** Calls `run` once when the actor has stopped (soon, if it has already). Returns how to forget it. */
  onStopped(run: () => void): () => void;
}

/**
 * Asks and always ends: with the reply; or rejected with the `fail` of the actor, `actor_failed` (it threw),
 * `mailbox_full`, `actor_stopped`, `actor_link_lost`, or `ask_deadline` after `deadlineMs` (0 < deadlineMs ≤ 1 day;
 * up to one wheel tick late, never early).
 */
export function ask<M, R>(
  ref: ActorRef<M>,
  make: MakeAsk<M, R>,
  deadlineMs: number,
  transfer?: readonly Transferable[],
): Promise<R> {
  return ref.ask(make, deadlineMs, transfer);
}
