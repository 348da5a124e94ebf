/**
 * All deadlines of a system on one timer: a hashed timing wheel (Varghese and Lauck 1987, scheme 6) with ticks of
 * 10 ms. Adding and removing are a few pointer writes, which is what an ask costs when its reply comes in time, as it
 * nearly always does; the clock's timer is set only for the earliest deadline. An entry expires at most one tick late
 * and never early.
 */
import { assert, type Clock, type Timer } from '../base/index.ts';

export const tickMs = 10;
const bucketsCount = 1024;
const bucketMask = bucketsCount - 1;

/** The longest deadline: one day. */
export const deadlineMsMax = 86_400_000;

/** An entry of the wheel; a subclass says what expiry means. The links are the wheel's. */
export class DeadlineEntry {
  wheelPrevious: DeadlineEntry | undefined = undefined;
  wheelNext: DeadlineEntry | undefined = undefined;
  wheelTick = 0;

  expire(): void {}
}

export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #originMs: number;
  /** Heads of doubly linked lists; a head is never a real entry. */
  readonly #buckets: DeadlineEntry[] = Array.from({ length: bucketsCount }, () => new DeadlineEntry());
  #tick = 0;
  #count = 0;
  #armedTick = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#originMs = clock.monotonicMs();
  }

  get size(): number {
    return this.#count;
  }

  add(entry: DeadlineEntry, delayMs: number): void {
    assert(delayMs > 0 && delayMs <= deadlineMsMax, `deadline of ${delayMs} ms out of range`);
    const elapsedMs = this.#clock.monotonicMs() - this.#originMs;
    const tick = Math.max(Math.ceil((elapsedMs + delayMs) / tickMs), this.#tick + 1);
    entry.wheelTick = tick;
    const head = this.#buckets[tick & bucketMask] as DeadlineEntry;
    const first = head.wheelNext;
    entry.wheelPrevious = head;
    entry.wheelNext = first;
    if (first !== undefined) first.wheelPrevious = entry;
    head.wheelNext = entry;
    this.#count++;
    if (tick < this.#armedTick) this.#arm(tick);
  }

  /** Takes an entry out; nothing happens when it is not in. */
  remove(entry: DeadlineEntry): void {
    const previous = entry.wheelPrevious;
    if (previous === undefined) return;
    const next = entry.wheelNext;
    previous.wheelNext = next;
    if (next !== undefined) next.wheelPrevious = previous;
    entry.wheelPrevious = undefined;
    entry.wheelNext = undefined;
    this.#count--;
  }

  /** Lets go of the clock's timer. Entries still in never expire. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedTick = Number.POSITIVE_INFINITY;
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#armedTick = tick;
    const delayMs = this.#originMs + tick * tickMs - this.#clock.monotonicMs();
    this.#timer = this.#clock.after(Math.max(0, delayMs), () => this.#fire());
  }

  #fire(): void {
    this.#armedTick = Number.POSITIVE_INFINITY;
    this.#timer = undefined;
    // A timer may come a fraction of a millisecond early; that deadline is then met by the next arming.
    const now = Math.floor((this.#clock.monotonicMs() - this.#originMs) / tickMs + 1e-6);
    const from = Math.max(this.#tick + 1, now - bucketMask);
    this.#tick = Math.max(this.#tick, now);
    for (let tick = from; tick <= now; tick++) this.#expireBucket(tick & bucketMask, now);
    if (this.#count === 0) return;
    for (let tick = this.#tick + 1; tick <= this.#tick + bucketsCount; tick++) {
      if (this.#buckets[tick & bucketMask]?.wheelNext !== undefined) {
        if (tick < this.#armedTick) this.#arm(tick);
        return;
      }
    }
  }

  #expireBucket(bucket: number, now: number): void {
    const due: DeadlineEntry[] = [];
    for (let entry = this.#buckets[bucket]?.wheelNext; entry !== undefined; entry = entry.wheelNext) {
      if (entry.wheelTick <= now) due.push(entry);
    }
    // Out of the wheel first: what expires may end other entries of the same bucket.
    for (const entry of due) {
      if (entry.wheelPrevious === undefined) continue;
      this.remove(entry);
      entry.expire();
    }
  }
}
