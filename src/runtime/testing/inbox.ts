/** A ref that keeps what it is told, for tests that look at an actor from outside. */
import type { ActorRef, MakeAsk, ReplyTo, TellOutcome } from '../actor_ref.ts';
import { stoppedError } from '../errors.ts';

export class TestInbox<M> implements ActorRef<M> {
  readonly path: string;
  /** What `tell` answers from now on. */
  outcome: TellOutcome = 'queued';
  #messages: M[] = [];
  readonly #listeners: Set<() => void> = new Set();

  constructor(path = '/test-inbox') {
    this.path = path;
  }

  tell(message: M): TellOutcome {
    if (this.outcome === 'queued') this.#messages.push(message);
    return this.outcome;
  }

  tellWhenRoom(message: M): Promise<'queued' | 'stopped'> {
    if (this.outcome === 'stopped') return Promise.resolve('stopped');
    this.#messages.push(message);
    return Promise.resolve('queued');
  }

  /** The test answers through the `replyTo` of the message it takes out; there is no deadline here. */
  ask<R>(make: MakeAsk<M, R>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const replyTo: ReplyTo<R> = { ok: (value) => resolve(value), fail: reject };
      if (this.tell(make(replyTo)) !== 'queued') reject(stoppedError(this.path));
    });
  }

  onStopped(run: () => void): () => void {
    const listener = (): void => run();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Everything told so far, oldest first; they are taken out. */
  takeAll(): M[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  /** The oldest message; fails when there is none. */
  take(): M {
    if (this.#messages.length === 0) throw new Error(`no message at ${this.path}`);
    return this.#messages.shift() as M;
  }

  /** Behaves from now on like an actor that has stopped. */
  stop(): void {
    this.outcome = 'stopped';
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}
