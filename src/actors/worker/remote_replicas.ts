/** A worker's way to the shards of the whole cluster: to its own at once, to others by way of the control thread. */
import { randomUUID } from 'node:crypto';
import { CodedError } from '../../base/index.ts';
import { placementShard } from '../../cluster/index.ts';
import { Labels } from '../../model/index.ts';
import type { Assignment, NearReplicas, OpenShards, Replicas, ShardsAt } from '../../query/index.ts';
import type { ActorRef } from '../../runtime/index.ts';
import { actorErrorCodes } from '../errors.ts';
import type { ClusterView } from './cluster_view.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { ControlMessage } from './messages.ts';

/** How long a query waits for a newer table before it tries again with what there is. */
const newerTableMs = 1_000;
/** What the control thread may take beyond the node's own deadline. */
const marginMs = 500;

/** The shards of this worker's own stores. */
class OwnShards implements NearReplicas {
  readonly #view: ClusterView;
  readonly #hosted: HostedShards;

  constructor(view: ClusterView, hosted: HostedShards) {
    this.#view = view;
    this.#hosted = hosted;
  }

  shardsOf({ nodeId, shards }: ShardsAt): readonly number[] {
    return nodeId === this.#view.self ? shards.filter((shard) => this.#hosted.isMine(shard)) : [];
  }

  open(shards: readonly number[], tableVersion: number): OpenShards {
    this.#view.checkFresh(tableVersion, shards);
    return this.#hosted.view(shards);
  }
}

export class RemoteReplicas implements Replicas {
  readonly near: NearReplicas;
  readonly #view: ClusterView;
  readonly #control: ActorRef<ControlMessage>;
  readonly #deadlineMs: number;

  constructor(
    view: ClusterView,
    hosted: HostedShards,
    control: ActorRef<ControlMessage>,
    deadlineMs: number,
  ) {
    this.near = new OwnShards(view, hosted);
    this.#view = view;
    this.#control = control;
    this.#deadlineMs = deadlineMs;
  }

  /** Throws CodedError `shard_unavailable` while this node knows no table: an empty answer would pass for a whole one. */
  assignment(): Assignment {
    if (this.#view.table.version === 0) {
      throw new CodedError(actorErrorCodes.unavailable, 'this node does not know yet who holds what');
    }
    return this.#view.assignment;
  }

  shardOfTarget(job: string, instance: string): number {
    return placementShard(Labels.fromRecord({ job, instance }), this.#view.table.shards.length);
  }

  async execute(
    { nodeId, shards }: ShardsAt,
    kind: string,
    payload: Uint8Array,
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[]> {
    signal.throwIfAborted();
    const id = randomUUID();
    const deadlineMs = this.#deadlineMs;
    const answers = this.#control.ask<readonly Uint8Array[]>(
      (replyTo) => ({ type: 'fetch', id, nodeId, kind, shards, payload, deadlineMs, replyTo }),
      deadlineMs + marginMs,
    );
    return untilAborted(answers, signal, () => this.#control.tell({ type: 'cancelFetch', id }));
  }

  newerTable(version: number, signal: AbortSignal): Promise<void> {
    return this.#view.table.version > version ? Promise.resolve() : this.#view.changed(newerTableMs, signal);
  }
}

/** Nobody waits for an answer that nobody wants; whoever works on it is told by `cancel`. */
function untilAborted<T>(answer: Promise<T>, signal: AbortSignal, cancel: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
