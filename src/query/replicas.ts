/**
 * The small interface through which a query reaches data: who holds which shard, and a call that has a node's workers
 * work on some of their shards. The composition room implements it over gRPC and threads; planner tests open no socket.
 */

export interface ShardsAt {
  readonly nodeId: string;
  readonly shards: readonly number[];
}

export interface AwayShards extends ShardsAt {
  /**
   * True when the shards' present owner has had time to gather what is new: then only the past is missing, and what a
   * rule asks of the present can be answered.
   */
  readonly isSettled: boolean;
}

export interface Assignment {
  readonly tableVersion: number;
  /** Shards that lie whole on one node: what is computed there is exact. */
  readonly whole: readonly ShardsAt[];
  /** Shards whose samples lie on several live nodes (data on the move): only raw series may be joined. */
  readonly scattered: readonly ShardsAt[];
  /** Shards of which a node that holds data is away. */
  readonly missing: readonly AwayShards[];
}

export interface Replicas {
  assignment(): Assignment;
  /**
   * One opaque answer per worker that holds any of the shards. Rejects with StaleTableError when the node knows a newer
   * table, with any other error when it can't answer.
   */
  execute(
    at: ShardsAt,
    kind: string,
    payload: Uint8Array,
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[]>;
  /** Resolves when a table newer than `version` is known here, or after a short while. */
  newerTable(version: number, signal: AbortSignal): Promise<void>;
}
