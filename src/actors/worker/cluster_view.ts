/**
 * A worker's copy of who owns what: read by the router, the executor and the scrapers, and something to wait on when the
 * copy turns out to be old.
 */
import type { Clock } from '../../base/index.ts';
import { emptyTable, type ShardTable } from '../../cluster/index.ts';
import { type Assignment, StaleTableError } from '../../query/index.ts';
import { assignmentOf, shardsMoved } from '../table_view.ts';
import type { ClusterState } from './messages.ts';

/** How many past tables are kept to tell whether the shards of a request have moved since. */
const pastTablesMax = 64;

export class ClusterView {
  readonly #clock: Clock;
  readonly #past = new Map<number, ShardTable>();
  readonly #waiting = new Set<() => void>();
  #state: ClusterState;
  #assignment: Assignment;

  constructor(self: string, shards: number, clock: Clock) {
    this.#clock = clock;
    this.#state = { self, table: emptyTable(shards), live: [] };
    this.#assignment = assignmentOf(this.#state.table, new Set());
  }

  get self(): string {
    return this.#state.self;
  }

  get table(): ShardTable {
    return this.#state.table;
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  isLive(nodeId: string): boolean {
    return this.#state.live.includes(nodeId);
  }

  owns(shard: number): boolean {
    return this.table.shards[shard]?.owner === this.self;
  }

  update(state: ClusterState): void {
    this.#state = state;
    this.#assignment = assignmentOf(state.table, new Set(state.live));
    this.#past.set(state.table.version, state.table);
    const oldest = this.#past.keys().next().value;
    if (this.#past.size > pastTablesMax && oldest !== undefined) this.#past.delete(oldest);
    for (const wake of [...this.#waiting]) wake();
  }

  /** Throws StaleTableError when any of `shards` changed hands after `version`. An asker who knows more is believed. */
  checkFresh(version: number, shards: readonly number[]): void {
    if (version >= this.table.version) return;
    const asked = this.#past.get(version);
    if (asked === undefined || shardsMoved(asked, this.table, shards)) {
      throw new StaleTableError(version, this.table.version);
    }
  }

  /** Resolves at the next update, or after `delayMs`. Rejects with the signal's reason. */
  changed(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(wake);
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const wake = (): void => {
        end();
        resolve();
      };
      const onAbort = (): void => {
        end();
        reject(signal?.reason);
      };
      const timer = this.#clock.after(delayMs, wake);
      this.#waiting.add(wake);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
