/**
 * Updates that still have to be handed on (SWIM, section 4.1): piggybacked on every packet, the least often
 * sent first, each a number of times that grows with the logarithm of the cluster. One per member, so the
 * queue is bounded by the members.
 */
import { updatesPerPacketMax } from './options.ts';
import type { MemberUpdate } from './types.ts';

interface Pending {
  readonly update: MemberUpdate;
  transmits: number;
}

export class Dissemination {
  readonly #pending = new Map<string, Pending>();

  get size(): number {
    return this.#pending.size;
  }

  /** Replaces what was being said about the same member. */
  add(update: MemberUpdate): void {
    this.#pending.delete(update.meta.id);
    this.#pending.set(update.meta.id, { update, transmits: 0 });
  }

  /** The updates for one packet; `transmitsMax` sends end an update's life. */
  take(transmitsMax: number): MemberUpdate[] {
    const chosen = [...this.#pending.values()]
      .sort((a, b) => a.transmits - b.transmits)
      .slice(0, updatesPerPacketMax);
    for (const pending of chosen) {
      pending.transmits++;
      if (pending.transmits >= transmitsMax) this.#pending.delete(pending.update.meta.id);
    }
    return chosen.map(({ update }) => update);
  }
}
