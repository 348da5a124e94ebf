/**
 * The bounded queue of one actor: a ring whose capacity is a power of two, so that wrapping is a mask. It starts small
 * and grows up to the bound, because most actors never have more than a few messages waiting.
 *
 * ```
 *  head            head + size
 *   v                  v
 * [ m0 | m1 | m2 | m3 |    |    |    |    ]     slots[i] is the ask that m_i carries, or undefined
 * ```
 * Messages that ask carry their slot beside them, so that a message that fails or is dropped ends its ask. Senders that
 * must not lose stand in a waiting line, no longer than the mailbox itself; nobody overtakes it.
 */
import { assert } from '../base/index.ts';
import type { AskSlot } from './ask.ts';

const capacityMin = 8;

/** The largest bound an actor may ask for. */
const mailboxMaxMax: number = 1 << 20;

interface Waiter<M> {
  readonly message: M;
  readonly resolve: (outcome: 'queued' | 'stopped') => void;
}

export class Mailbox<M> {
  readonly max: number;
  #messages: (M | undefined)[] = new Array(capacityMin);
  /** Allocated when the first ask comes. */
  #slots: (AskSlot | undefined)[] | undefined = undefined;
  #mask = capacityMin - 1;
  #head = 0;
  #size = 0;
  /** Undefined while nobody waits, which is what the fast path checks. */
  #waiters: Waiter<M>[] | undefined = undefined;
  /** The ask of the message that `take` returned last. */
  takenSlot: AskSlot | undefined = undefined;

  constructor(max: number) {
    assert(Number.isInteger(max) && max >= 1 && max <= mailboxMaxMax, `mailboxMax ${max} out of range`);
    this.max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** False when full, or when others wait for room. */
  push(message: M, slot: AskSlot | undefined): boolean {
    if (this.#waiters !== undefined) return false;
    return this.#put(message, slot);
  }

  #put(message: M, slot: AskSlot | undefined): boolean {
    const size = this.#size;
    if (size >= this.max) return false;
    if (size > this.#mask) this.#grow();
    const at = (this.#head + size) & this.#mask;
    this.#messages[at] = message;
    if (slot !== undefined) {
      this.#slots ??= new Array<AskSlot | undefined>(this.#mask + 1);
      this.#slots[at] = slot;
    }
    this.#size = size + 1;
    return true;
  }

  /** The oldest message; only when `size` > 0. Its ask, if any, is in `takenSlot`. */
  take(): M {
    const at = this.#head;
    const message = this.#messages[at] as M;
    this.#messages[at] = undefined;
    if (this.#slots !== undefined) {
      this.takenSlot = this.#slots[at];
      this.#slots[at] = undefined;
    }
    this.#head = (at + 1) & this.#mask;
    this.#size--;
    if (this.#waiters !== undefined) this.#admitWaiter(this.#waiters);
    return message;
  }

  /** Whether the waiting line, as long as the mailbox, has a place. */
  get mayWait(): boolean {
    return this.#waiters === undefined || this.#waiters.length < this.max;
  }

  /** Puts a message into the waiting line; resolves when it has been admitted or refused. */
  wait(message: M): Promise<'queued' | 'stopped'> {
    this.#waiters ??= [];
    const waiters = this.#waiters;
    return new Promise((resolve) => waiters.push({ message, resolve }));
  }

  /** Sends the waiting line home; the number of those who waited. */
  refuseWaiters(): number {
    const waiters = this.#waiters ?? [];
    this.#waiters = undefined;
    for (const waiter of waiters) waiter.resolve('stopped');
    return waiters.length;
  }

  #admitWaiter(waiters: Waiter<M>[]): void {
    const waiter = waiters.shift();
    if (waiters.length === 0) this.#waiters = undefined;
    if (waiter === undefined) return;
    this.#put(waiter.message, undefined);
    waiter.resolve('queued');
  }

  #grow(): void {
    const capacity = this.#mask + 1;
    const messages = new Array<M | undefined>(capacity * 2);
    const slots = this.#slots === undefined ? undefined : new Array<AskSlot | undefined>(capacity * 2);
    for (let i = 0; i < this.#size; i++) {
      const from = (this.#head + i) & this.#mask;
      messages[i] = this.#messages[from];
      if (slots !== undefined) slots[i] = this.#slots?.[from];
    }
    this.#messages = messages;
    this.#slots = slots;
    this.#head = 0;
    this.#mask = capacity * 2 - 1;
  }
}
