/**
 * Messages from elsewhere that find a full mailbox wait here, in order, until the mailbox has room. The sender's window
 * bounds how many there can be; it gets its share back when a message has entered the mailbox or can't any more.
 */
import type { Cell } from '../cell.ts';

interface Waiting {
  readonly message: never;
  readonly done: ((outcome: 'queued' | 'stopped') => void) | undefined;
}

export class InboundQueues {
  readonly #onAccepted: (path: string) => void;
  readonly #queues: Map<string, Waiting[]> = new Map();

  /** `onAccepted`: called for each message without a `done` of its own, when it has left the sender's window. */
  constructor(onAccepted: (path: string) => void) {
    this.#onAccepted = onAccepted;
  }

  deliver(cell: Cell<never>, message: never, done: Waiting['done']): void {
    const queue = this.#queues.get(cell.path);
    if (queue !== undefined) {
      queue.push({ message, done });
      return;
    }
    const outcome = cell.tryTell(message);
    if (outcome !== 'full') {
      this.#finish(cell.path, done, outcome);
      return;
    }
    const waiting = [{ message, done }];
    this.#queues.set(cell.path, waiting);
    this.#admitNext(cell, waiting);
  }

  #finish(path: string, done: Waiting['done'], outcome: 'queued' | 'stopped'): void {
    if (done === undefined) this.#onAccepted(path);
    else done(outcome);
  }

  #admitNext(cell: Cell<never>, queue: Waiting[]): void {
    const first = queue[0];
    if (first === undefined) {
      this.#queues.delete(cell.path);
      return;
    }
    const next = (outcome: 'queued' | 'stopped'): void => {
      queue.shift();
      this.#finish(cell.path, first.done, outcome);
      this.#admitNext(cell, queue);
    };
    void cell.admitWhenRoom(first.message).then(next);
  }
}
