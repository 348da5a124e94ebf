/**
 * The small interface through which a query reaches data: who holds which shard, and a call that has a node's workers
 * work on some of their shards. The composition room implements it over gRPC and threads; planner tests open no socket.
 */

import type { Storage } from '../promql/index.ts';
import type { Unreadable } from './answer.ts';

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

/** Shards that the asking thread reads itself. */
export interface OpenShards extends Storage {
  /** What had to be left out of the answers until now. */
  readonly unreadable: Unreadable | undefined;
}

/** The asking thread's own shards, which need no message and no codec. */
export interface NearReplicas {
  /** Those of the given shards that lie here. */
  shardsOf(at: ShardsAt): readonly number[];
  /** Throws StaleTableError when any of them has moved since `tableVersion`. */
  open(shards: readonly number[], tableVersion: number): OpenShards;
}

export interface Replicas {
  /** Where the asking thread has shards. */
  readonly near?: NearReplicas | undefined;
  assignment(): Assignment;
  /** Where the series of a target are, whose instance is not empty. Absent: nobody knows. */
  shardOfTarget?(job: string, instance: string): number;
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
