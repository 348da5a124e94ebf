/**
 * Sends requests to the nodes that hold the data and collects the workers' payloads. When the shard table moves under
 * it, the whole piece of work is done again by the new table: half an answer by each would count shards twice or never.
 */
import { CodedError, errorText } from '../base/index.ts';
import type { Matcher, SeriesColumns } from '../model/index.ts';
import { QueryError, type SelectRequest } from '../promql/index.ts';
import { openAnswer, type Unreadable } from './answer.ts';
import { StaleTableError } from './errors.ts';
import { Gaps } from './missing.ts';
import { narrowed, pinnedShards } from './pinned.ts';
import type { Assignment, Replicas, ShardsAt } from './replicas.ts';

/** How often a query follows a moving table before it gives up. */
const tableMovesMax = 8;

export interface FanOutRequest {
  readonly kind: string;
  /** The payload for executors, bound to the table version that chose them. */
  readonly payload: (tableVersion: number) => Uint8Array;
}

/** One running query's way to the data. */
export class FanOut {
  readonly #replicas: Replicas;
  readonly gaps: Gaps;

  constructor(replicas: Replicas, gaps: Gaps) {
    this.#replicas = replicas;
    this.gaps = gaps;
  }

  /**
   * Runs `work`, which reads series that pass one of the matcher sets at least, under one assignment, again when the table moves; what an attempt that was given up could not reach is
   * no gap. Rejects with the query's own error, the signal's reason, or StaleTableError when the table never came to rest.
   */
  async underOneTable<T>(
    signal: AbortSignal,
    selections: readonly (readonly Matcher[])[],
    work: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const shards = pinnedShards(selections, this.#replicas);
    for (let moves = 0; ; moves++) {
      signal.throwIfAborted();
      const assignment = narrowed(this.#replicas.assignment(), shards);
      const gaps = new Gaps();
      try {
        const done = await work(new Attempt(this.#replicas, assignment, gaps));
        for (const away of assignment.missing) gaps.add(away, 'is away', away.isSettled);
        this.gaps.join(gaps);
        return done;
      } catch (error) {
        if (!(error instanceof StaleTableError) || moves === tableMovesMax) throw error;
        await this.#replicas.newerTable(assignment.tableVersion, signal);
      }
    }
  }
}

/** One try at a piece of work, under one table. */
export class Attempt {
  readonly assignment: Assignment;
  readonly #replicas: Replicas;
  readonly #gaps: Gaps;

  constructor(replicas: Replicas, assignment: Assignment, gaps: Gaps) {
    this.#replicas = replicas;
    this.assignment = assignment;
    this.#gaps = gaps;
  }

  /** What of `sets` this thread reads itself, and what is to be asked for. */
  split(sets: readonly ShardsAt[]): { near: readonly ShardsAt[]; far: readonly ShardsAt[] } {
    const { near: replicas } = this.#replicas;
    if (replicas === undefined) return { near: [], far: sets };
    const near: ShardsAt[] = [];
    const far: ShardsAt[] = [];
    for (const at of sets) {
      const own = new Set(replicas.shardsOf(at));
      const others = at.shards.filter((shard) => !own.has(shard));
      if (own.size > 0) near.push({ nodeId: at.nodeId, shards: [...own] });
      if (others.length > 0) far.push({ nodeId: at.nodeId, shards: others });
    }
    return { near, far };
  }

  /** Raw series of shards that lie in this thread. What can't be read becomes a gap, as with another node. */
  async selectNear(
    at: ShardsAt,
    request: SelectRequest,
    signal: AbortSignal,
  ): Promise<readonly SeriesColumns[]> {
    try {
      const shards = this.#replicas.near?.open(at.shards, this.assignment.tableVersion);
      if (shards === undefined) return [];
      const series = await shards.select(request, signal);
      if (shards.unreadable !== undefined) this.#addUnreadable(at, shards.unreadable);
      return series;
    } catch (error) {
      this.#addFailed(at, error, signal);
      return [];
    }
  }

  /** Asks all nodes of `sets` at once. A node that can't be asked becomes a gap. */
  async ask(sets: readonly ShardsAt[], request: FanOutRequest, signal: AbortSignal): Promise<Uint8Array[]> {
    const answers = await Promise.all(sets.map((at) => this.#askNode(at, request, signal)));
    return answers.flat();
  }

  async #askNode(at: ShardsAt, request: FanOutRequest, signal: AbortSignal): Promise<Uint8Array[]> {
    try {
      const payload = request.payload(this.assignment.tableVersion);
      const answers = await this.#replicas.execute(at, request.kind, payload, signal);
      return answers.map((answer) => {
        const { payload, unreadable } = openAnswer(answer);
        if (unreadable !== undefined) this.#addUnreadable(at, unreadable);
        return payload;
      });
    } catch (error) {
      this.#addFailed(at, error, signal);
      return [];
    }
  }

  /** Throws what ends the query or the attempt. */
  #addFailed(at: ShardsAt, error: unknown, signal: AbortSignal): void {
    if (signal.aborted || error instanceof QueryError || error instanceof StaleTableError) throw error;
    const reason = error instanceof CodedError ? error.code : errorText(error);
    this.#gaps.add(at, `did not answer (${reason})`, false);
  }

  #addUnreadable({ nodeId }: ShardsAt, { shards, reason }: Unreadable): void {
    this.#gaps.add({ nodeId, shards }, `can not read its disk (${reason})`, false);
  }
}
