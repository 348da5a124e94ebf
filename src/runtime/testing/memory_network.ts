/**
 * A network between nodes in one process, on virtual time: every envelope takes a random delay, stays in order per pair
 * of nodes, and is refused while the pair is cut.
 */
import type { NodeTransport } from '../remote/node_link.ts';
import type { DeterministicScheduler } from './deterministic_scheduler.ts';

type Handler = (fromNodeId: string, envelope: Uint8Array) => void;

export class MemoryNetwork {
  readonly #scheduler: DeterministicScheduler;
  readonly #delayMsMax: number;
  readonly #handlers: Map<string, Handler> = new Map();
  readonly #cut: Set<string> = new Set();
  /** When the last envelope of a pair arrives, so that the next one doesn't overtake it. */
  readonly #lastDueMs: Map<string, number> = new Map();

  constructor(scheduler: DeterministicScheduler, delayMsMax = 5) {
    this.#scheduler = scheduler;
    this.#delayMsMax = delayMsMax;
  }

  /** The transport of one node. */
  transport(nodeId: string): NodeTransport {
    return {
      send: (to, envelope) => this.#send(nodeId, to, envelope),
      onReceive: (handler) => {
        this.#handlers.set(nodeId, handler);
      },
    };
  }

  /** From now on nothing passes from `from` to `to`. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
  }

  #send(from: string, to: string, envelope: Uint8Array): Promise<void> {
    const pair = `${from}>${to}`;
    if (this.#cut.has(pair) || !this.#handlers.has(to))
      return Promise.reject(new Error(`${to} is unreachable`));
    const { clock, random } = this.#scheduler;
    const nowMs = clock.monotonicMs();
    const dueMs = Math.max(
      nowMs + random.next() * this.#delayMsMax,
      (this.#lastDueMs.get(pair) ?? 0) + 0.001,
    );
    this.#lastDueMs.set(pair, dueMs);
    // A copy: the receiver shares no memory with the sender.
    const bytes = envelope.slice();
    return new Promise((resolve) => {
      clock.after(dueMs - nowMs, () => {
        resolve();
        this.#handlers.get(to)?.(from, bytes);
      });
    });
  }
}
