/**
 * What this end of a link waits for: replies by id, each with a deadline of its own on the system's wheel, all of them
 * failed when the link is lost. Bounded, so that a peer that answers nothing costs a fixed amount of memory.
 */
import type { CodedError } from '../../base/index.ts';
import { AskSlot, type OnFail, type OnOk } from '../ask.ts';
import type { DeadlineWheel } from '../deadlines.ts';
import { fullError } from '../errors.ts';

const pendingMax = 65_536;

export class PendingReplies {
  readonly #wheel: DeadlineWheel;
  readonly #slots: Map<number, { readonly slot: AskSlot; readonly peer: string }> = new Map();
  #nextId = 1;

  constructor(wheel: DeadlineWheel) {
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#slots.size;
  }

  /**
   * The id under which the reply must come, from `peer` where several share this; undefined, and `onFail` called, when too many
   * are open.
   */
  open(path: string, deadlineMs: number, onOk: OnOk, onFail: OnFail, peer = ''): number | undefined {
    if (this.#slots.size >= pendingMax) {
      onFail(fullError(path));
      return undefined;
    }
    const id = this.#nextId++;
    const slot = new AskSlot(
      (value) => {
        this.#slots.delete(id);
        onOk(value);
      },
      (error) => {
        this.#slots.delete(id);
        onFail(error);
      },
      this.#wheel,
      deadlineMs,
      path,
    );
    this.#slots.set(id, { slot, peer });
    return id;
  }

  /** A reply that comes too late, or twice, finds nobody. */
  ok(id: number, value: unknown): void {
    this.#slots.get(id)?.slot.ok(value);
  }

  fail(id: number, error: Error | CodedError): void {
    this.#slots.get(id)?.slot.fail(error);
  }

  /** Fails what was sent to one peer. */
  failPeer(peer: string, error: CodedError): void {
    for (const pending of [...this.#slots.values()]) if (pending.peer === peer) pending.slot.fail(error);
  }

  failAll(error: CodedError): void {
    for (const { slot } of [...this.#slots.values()]) slot.fail(error);
  }
}
