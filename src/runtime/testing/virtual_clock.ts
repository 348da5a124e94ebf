/**
 * A clock that stands still until a test moves it. Timers run in the order of their due time; among equal ones in the
 * order in which they were set, or in an order drawn from a given Random.
 */
import { assert, type Clock, type Random, type Timer } from '../../base/index.ts';

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  state: 'waiting' | 'cancelled' | 'done';
}

export class VirtualClock implements Clock {
  readonly #startMs: number;
  readonly #random: Random | undefined;
  #elapsedMs = 0;
  #orders = 0;
  /** A binary heap by (atMs, order). */
  readonly #heap: Due[] = [];
  /** Cancelled ones stay in the heap until they come to its top. */
  #cancelled = 0;

  /** `startMs`: the wall time at the beginning. `random`: draws the order of timers that are due together. */
  constructor(startMs = 1_700_000_000_000, random?: Random) {
    this.#startMs = startMs;
    this.#random = random;
  }

  nowMs(): number {
    return this.#startMs + Math.floor(this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): Timer {
    this.#orders++;
    const order = this.#random === undefined ? this.#orders : this.#random.next();
    const due: Due = { atMs: this.#elapsedMs + Math.max(0, delayMs), order, run, state: 'waiting' };
    this.#insert(due);
    return {
      cancel: () => {
        if (due.state !== 'waiting') return;
        due.state = 'cancelled';
        this.#cancelled++;
      },
    };
  }

  /** When the next timer is due on the monotonic clock; undefined when none is set. */
  get nextDueMs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.atMs;
  }

  /** Timers set and neither run nor cancelled. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Moves to the next timer, if it is due by `untilMs` (monotonic), and runs that one alone. */
  runNext(untilMs: number = Number.POSITIVE_INFINITY): boolean {
    this.#dropCancelled();
    const due = this.#heap[0];
    if (due === undefined || due.atMs > untilMs) return false;
    this.#removeFirst();
    this.#elapsedMs = Math.max(this.#elapsedMs, due.atMs);
    due.state = 'done';
    due.run();
    return true;
  }

  /** Moves by `byMs` and runs what is due on the way, each at its own time. */
  advance(byMs: number): void {
    assert(byMs >= 0, 'time moves forward');
    const untilMs = this.#elapsedMs + byMs;
    while (this.runNext(untilMs));
    this.#elapsedMs = untilMs;
  }

  #dropCancelled(): void {
    while (this.#heap[0]?.state === 'cancelled') {
      this.#removeFirst();
      this.#cancelled--;
    }
  }

  #insert(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (before(heap[above], due)) break;
      heap[at] = heap[above] as Due;
      at = above;
    }
    heap[at] = due;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      if (left >= heap.length) break;
      const child = left + 1 < heap.length && before(heap[left + 1], heap[left]) ? left + 1 : left;
      if (before(last, heap[child])) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Due | undefined, b: Due | undefined): boolean {
  if (a === undefined || b === undefined) return b === undefined;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
