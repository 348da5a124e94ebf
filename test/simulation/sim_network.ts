/** A network that delays, loses, duplicates, reorders and cuts, all by the seed. */
import type { Random } from '../../src/base/index.ts';
import type { GossipPacket } from '../../src/cluster/gossip/types.ts';
import type { BirthMessage } from '../../src/cluster/raft/birth_types.ts';
import type { RaftMessage } from '../../src/cluster/raft/types.ts';
import type { EventQueue } from './event_queue.ts';
import type { SimulationOptions } from './options.ts';

export type SimMessage =
  | { readonly kind: 'gossip'; readonly packet: GossipPacket }
  | { readonly kind: 'raft'; readonly groupId: string; readonly message: RaftMessage }
  | { readonly kind: 'birth'; readonly message: BirthMessage };

/** Who is there to receive. */
export interface Receivers {
  /** False when the process is down. */
  deliver(to: string, message: SimMessage): boolean;
  /** The sender's connection was refused. */
  refused(from: string, to: string): void;
}

export class SimNetwork {
  readonly #queue: EventQueue;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #receivers: Receivers;
  /** Directed pairs `from>to` that are cut. */
  readonly #cut = new Set<string>();
  /** Extra delay of everything from or to a slow node. */
  readonly #slowMs = new Map<string, number>();
  #faults = true;

  constructor(queue: EventQueue, options: SimulationOptions, random: Random, receivers: Receivers) {
    this.#queue = queue;
    this.#options = options;
    this.#random = random;
    this.#receivers = receivers;
  }

  send(from: string, to: string, message: SimMessage): void {
    const { lossProbability, duplicateProbability } = this.#options;
    if (this.#faults && this.#random.next() < lossProbability) return;
    this.#carry(from, to, message);
    if (this.#faults && this.#random.next() < duplicateProbability) this.#carry(from, to, message);
  }

  #carry(from: string, to: string, message: SimMessage): void {
    this.#queue.after(this.#delayMs(from, to), () => {
      if (this.#cut.has(`${from}>${to}`)) return;
      if (!this.#receivers.deliver(to, message)) this.#receivers.refused(from, to);
    });
  }

  #delayMs(from: string, to: string): number {
    const { delayMinMs, delayMaxMs, lateProbability, lateMs } = this.#options;
    const delayMs = delayMinMs + this.#random.next() * (delayMaxMs - delayMinMs);
    const late = this.#faults && this.#random.next() < lateProbability ? this.#random.next() * lateMs : 0;
    return delayMs + late + (this.#slowMs.get(from) ?? 0) + (this.#slowMs.get(to) ?? 0);
  }

  /** Cuts everything between the two sides, or only what goes from the first to the second. */
  partition(one: readonly string[], other: readonly string[], oneWay: boolean): void {
    for (const a of one) {
      for (const b of other) {
        this.#cut.add(`${a}>${b}`);
        if (!oneWay) this.#cut.add(`${b}>${a}`);
      }
    }
  }

  slow(id: string, extraMs: number): void {
    this.#slowMs.set(id, extraMs);
  }

  heal(): void {
    this.#cut.clear();
    this.#slowMs.clear();
  }

  /** From now on nothing is lost, late or doubled. */
  calm(): void {
    this.heal();
    this.#faults = false;
  }
}
