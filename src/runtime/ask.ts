/**
 * One ask in flight. The slot is the reply handle inside the message, an entry of the deadline wheel and a link in the
 * list of asks that its target has not answered yet: one object, so that an ask costs one allocation beside its promise.
 * Slots are not pooled: a reply that comes late must not answer somebody else's question.
 */
import type { Transferable } from 'node:worker_threads';
import type { CodedError } from '../base/index.ts';
import type { ReplyTo } from './actor_ref.ts';
import { DeadlineEntry, type DeadlineWheel } from './deadlines.ts';
import { deadlineError } from './errors.ts';

export type OnOk = (value: unknown, transfer?: readonly Transferable[]) => void;
export type OnFail = (error: Error | CodedError) => void;

export class AskSlot extends DeadlineEntry implements ReplyTo<unknown> {
  readonly #onOk: OnOk;
  readonly #onFail: OnFail;
  readonly #wheel: DeadlineWheel;
  readonly deadlineMs: number;
  readonly #path: string;
  #done = false;
  /** Set once the target has taken the message out of its mailbox. */
  received = false;
  /** Links in the target's list of unanswered asks; owned by AskList. */
  listOwner: AskList | undefined = undefined;
  listPrevious: AskSlot | undefined = undefined;
  listNext: AskSlot | undefined = undefined;

  /** Starts its deadline at once. `path`: whom it asks, for the error. */
  constructor(onOk: OnOk, onFail: OnFail, wheel: DeadlineWheel, deadlineMs: number, path: string) {
    super();
    this.#onOk = onOk;
    this.#onFail = onFail;
    this.#wheel = wheel;
    this.deadlineMs = deadlineMs;
    this.#path = path;
    wheel.add(this, deadlineMs);
  }

  get done(): boolean {
    return this.#done;
  }

  ok(value: unknown, transfer?: readonly Transferable[]): void {
    if (this.#done) return;
    this.#end();
    this.#onOk(value, transfer);
  }

  fail(error: Error | CodedError): void {
    if (this.#done) return;
    this.#end();
    this.#onFail(error);
  }

  override expire(): void {
    this.fail(deadlineError(this.#path, this.deadlineMs));
  }

  #end(): void {
    this.#done = true;
    this.#wheel.remove(this);
    this.listOwner?.remove(this);
  }
}

/** The asks that one actor has accepted and not answered, newest first. */
export class AskList {
  #first: AskSlot | undefined = undefined;

  add(slot: AskSlot): void {
    const first = this.#first;
    slot.listOwner = this;
    slot.listNext = first;
    if (first !== undefined) first.listPrevious = slot;
    this.#first = slot;
  }

  remove(slot: AskSlot): void {
    const previous = slot.listPrevious;
    const next = slot.listNext;
    if (previous === undefined) this.#first = next;
    else previous.listNext = next;
    if (next !== undefined) next.listPrevious = previous;
    slot.listOwner = undefined;
    slot.listPrevious = undefined;
    slot.listNext = undefined;
  }

  /** Fails what was received and not answered, or everything. */
  failAll(error: CodedError, only: 'received' | 'all'): void {
    const failing: AskSlot[] = [];
    for (let slot = this.#first; slot !== undefined; slot = slot.listNext) {
      if (only === 'all' || slot.received) failing.push(slot);
    }
    for (const slot of failing) slot.fail(error);
  }
}
