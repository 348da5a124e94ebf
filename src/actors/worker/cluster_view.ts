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
  /** When the present ownership of each shard was first heard of, on the monotonic clock. */
  #ownedSinceMs: number[] = [];
  /** Until it is told, nothing is settled. */
  #settleMs = Number.POSITIVE_INFINITY;

  constructor(self: string, shards: number, clock: Clock) {
    this.#clock = clock;
    this.#state = { self, table: emptyTable(shards), live: [] };
    this.#assignment = assignmentOf(this.#state.table, new Set(), () => false);
  }

  /** How long a new owner needs until every target has been scraped and every rule evaluated once. */
  setSettleTime(settleMs: number): void {
    this.#settleMs = settleMs;
    this.#assign();
  }

  get self(): string {
    return this.#state.self;
  }

  get table(): ShardTable {
    return this.#state.table;
  }

  get assignment(): Assignment {
    // Time alone settles shards, so an assignment with unsettled ones is not kept.
    if (this.#assignment.missing.some(({ isSettled }) => !isSettled)) this.#assign();
    return this.#assignment;
  }

  #assign(): void {
    const nowMs = this.#clock.monotonicMs();
    const { table, live } = this.#state;
    const living = new Set(live);
    const isSettled = (shard: number): boolean =>
      living.has(table.shards[shard]?.owner ?? '') &&
      nowMs - (this.#ownedSinceMs[shard] ?? nowMs) >= this.#settleMs;
    this.#assignment = assignmentOf(table, living, isSettled);
  }

  isLive(nodeId: string): boolean {
    return this.#state.live.includes(nodeId);
  }

  owns(shard: number): boolean {
    return this.table.shards[shard]?.owner === this.self;
  }

  /** Takes what is news; a table older than the known one is not. */
  update({ self, table, live }: ClusterState): void {
    const isOld = table.version < this.#state.table.version;
    const state = { self, live, table: isOld ? this.#state.table : table };
    const nowMs = this.#clock.monotonicMs();
    const before = this.#state.table;
    this.#ownedSinceMs = state.table.shards.map(({ epoch }, shard) =>
      before.shards[shard]?.epoch === epoch ? (this.#ownedSinceMs[shard] ?? nowMs) : nowMs,
    );
    this.#state = state;
    this.#assign();
    this.#past.set(state.table.version, state.table);
    const oldest = this.#past.keys().next().value;
    if (this.#past.size > pastTablesMax && oldest !== undefined) this.#past.delete(oldest);
    for (const wake of [...this.#waiting]) wake();
  }

  /** Throws StaleTableError when any of `shards` changed hands after `version`. An asker who knows more is believed. */
  checkFresh(version: number, shards: readonly number[]): void {
    if (version >= this.table.version) return;
    const asked = this.#newestUpTo(version);
    if (asked === undefined || shardsMoved(asked, this.table, shards)) {
      throw new StaleTableError(version, this.table.version);
    }
  }

  /** Tables that follow closely are told as one, so the asked version may be unknown: what has not moved since the one before it has not moved since. */
  #newestUpTo(version: number): ShardTable | undefined {
    let newest: ShardTable | undefined;
    for (const table of this.#past.values()) if (table.version <= version) newest = table;
    return newest;
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
