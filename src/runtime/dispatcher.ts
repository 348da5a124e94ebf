/**
 * Who runs next. Actors with something to do stand in one queue; the queue is drained in a microtask, so that a message
 * told from an I/O callback is handled in the same turn of the event loop. After a slice (a few milliseconds or some
 * thousand turns) the rest goes on in `setImmediate`, so that neither a flood of messages nor a chain of asks awaiting
 * each other can keep sockets and timers waiting.
 */
import type { Clock } from '../base/index.ts';

/** Something with a mailbox. */
export interface Runnable {
  /** Handles up to `messagesMax` messages; true when it wants another turn. */
  runTurn(messagesMax: number): boolean;
  /** Told after a turn how long it took; answers the size of its next turn. */
  turnTook(elapsedMs: number): void;
  /** Messages that its next turn may handle. */
  readonly turnMessages: number;
}

/** Takes runnables that are ready. The deterministic one is in testing/. */
export interface Scheduler {
  schedule(task: Runnable): void;
}

/** Wall time that actors may use in a row before I/O gets its turn. */
const sliceMsMax = 4;
/** Turns in a row before I/O gets its turn, however short they are. */
const sliceTurnsMax = 4096;

const turnMessagesMax = 256;
const slowTurnMs = 1;
const fastTurnMs = 0.25;

/** Slow actors get shorter turns: halves above 1 ms, doubles below 0.25 ms. */
export function nextTurnMessages(turnMessages: number, elapsedMs: number): number {
  if (elapsedMs > slowTurnMs) return Math.max(1, turnMessages >> 1);
  if (elapsedMs < fastTurnMs && turnMessages < turnMessagesMax) return turnMessages << 1;
  return turnMessages;
}

export class EventLoopScheduler implements Scheduler {
  readonly #clock: Clock;
  /** A ring; grows with the number of ready actors, each of which stands in it at most once. */
  #queue: (Runnable | undefined)[] = new Array(64);
  #mask = 63;
  #head = 0;
  #size = 0;
  #armed = false;
  #usedMs = 0;
  #usedTurns = 0;
  readonly #drain = (): void => this.#run();
  readonly #drainFresh = (): void => {
    this.#usedMs = 0;
    this.#usedTurns = 0;
    this.#run();
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  schedule(task: Runnable): void {
    this.#push(task);
    if (!this.#armed) this.#arm();
  }

  #arm(): void {
    this.#armed = true;
    if (this.#usedMs >= sliceMsMax || this.#usedTurns >= sliceTurnsMax) setImmediate(this.#drainFresh);
    else queueMicrotask(this.#drain);
  }

  #run(): void {
    let beforeMs = this.#clock.monotonicMs();
    try {
      while (this.#size > 0) {
        const task = this.#shift();
        const more = task.runTurn(task.turnMessages);
        const afterMs = this.#clock.monotonicMs();
        task.turnTook(afterMs - beforeMs);
        this.#usedMs += afterMs - beforeMs;
        beforeMs = afterMs;
        if (more) this.#push(task);
        if (++this.#usedTurns >= sliceTurnsMax || this.#usedMs >= sliceMsMax) break;
      }
    } finally {
      this.#armed = false;
      if (this.#size > 0) this.#arm();
    }
  }

  #push(task: Runnable): void {
    if (this.#size > this.#mask) this.#grow();
    this.#queue[(this.#head + this.#size) & this.#mask] = task;
    this.#size++;
  }

  #shift(): Runnable {
    const task = this.#queue[this.#head] as Runnable;
    this.#queue[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#size--;
    return task;
  }

  #grow(): void {
    const capacity = this.#mask + 1;
    const queue = new Array<Runnable | undefined>(capacity * 2);
    for (let i = 0; i < this.#size; i++) queue[i] = this.#queue[(this.#head + i) & this.#mask];
    this.#queue = queue;
    this.#head = 0;
    this.#mask = capacity * 2 - 1;
  }
}
