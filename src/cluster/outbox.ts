/**
 * Messages of the control group on their way to peers: one call at a time per peer, what gathers meanwhile
 * goes with the next. Raft repeats what is lost, so a failed call drops what was waiting.
 */
import type { Logger } from '../base/index.ts';
import type { ClusterMetrics } from './metrics.ts';
import type { BirthMessage } from './raft/birth_types.ts';
import type { RaftMessage } from './raft/types.ts';
import type { ClientPool } from './transport/client.ts';
import { birthToWire, raftToWire } from './transport/raft_codec.ts';

const callDeadlineMs = 5_000;
const waitingMax = 256;
const birthDeadlineMs = 2_000;

export class PeerOutbox {
  readonly #pool: ClientPool;
  readonly #addressOf: (id: string) => string | undefined;
  readonly #metrics: ClusterMetrics;
  readonly #log: Logger;
  readonly #waiting = new Map<string, RaftMessage[]>();
  readonly #busy = new Set<string>();

  constructor(
    pool: ClientPool,
    addressOf: (id: string) => string | undefined,
    deps: { metrics: ClusterMetrics; log: Logger },
  ) {
    this.#pool = pool;
    this.#addressOf = addressOf;
    this.#metrics = deps.metrics;
    this.#log = deps.log;
  }

  add(message: RaftMessage): void {
    const waiting = this.#waiting.get(message.to) ?? [];
    if (waiting.length >= waitingMax) waiting.shift();
    waiting.push(message);
    this.#waiting.set(message.to, waiting);
  }

  /** Starts a call to every peer that has messages waiting and none under way. */
  flush(groupId: string): void {
    for (const id of this.#waiting.keys()) {
      if (this.#busy.has(id)) continue;
      this.#busy.add(id);
      this.#sendTo(id, groupId).catch((error: unknown) => {
        this.#log.error({ peer: id, err: error }, 'sending control group messages failed');
      });
    }
  }

  async #sendTo(id: string, groupId: string): Promise<void> {
    try {
      for (let waiting = this.#take(id); waiting !== undefined; waiting = this.#take(id)) {
        await this.#call(id, groupId, waiting);
      }
    } finally {
      this.#busy.delete(id);
    }
  }

  async #call(id: string, groupId: string, waiting: readonly RaftMessage[]): Promise<void> {
    const address = this.#addressOf(id);
    if (address === undefined) return;
    try {
      await this.#pool.call(address, 'raft', raftToWire(groupId, waiting), { deadlineMs: callDeadlineMs });
      this.#metrics.raftCalls.inc({ outcome: 'ok' });
    } catch (error) {
      this.#metrics.raftCalls.inc({ outcome: 'failed' });
      this.#log.debug({ peer: id, err: error }, 'control group messages were not delivered');
      this.#waiting.delete(id);
    }
  }

  #take(id: string): RaftMessage[] | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** Births are rare and repeat themselves: each message is a call of its own. */
  sendBirth(message: BirthMessage): void {
    const address = this.#addressOf(message.to);
    if (address === undefined) return;
    this.#pool
      .call(address, 'birth', birthToWire(message), { deadlineMs: birthDeadlineMs })
      .catch((error: unknown) => {
        this.#log.debug({ peer: message.to, err: error }, 'a birth message was not delivered');
      });
  }
}
