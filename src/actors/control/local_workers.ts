/** The shard workers of this node as the control thread addresses them: by shard, in turn, or all. */
import { CodedError } from '../../base/index.ts';
import type { ActorRef } from '../../runtime/index.ts';
import type { AppendOutcome } from '../../tsdb/index.ts';
import { actorErrorCodes } from '../errors.ts';
import { type StoreLayout, workerOfShard } from '../store_layout.ts';
import type { WorkerMessage } from '../worker/messages.ts';

export interface ShardWrite {
  readonly shard: number;
  readonly epoch: number;
  readonly bypassOutOfOrder: boolean;
  readonly batch: Uint8Array;
}

export interface ShardExecution {
  readonly kind: string;
  readonly shards: readonly number[];
  readonly payload: Uint8Array;
  readonly deadlineMs: number;
  /** Aborted when nobody waits for the answers any more. */
  readonly signal: AbortSignal;
}

/** What a worker may take beyond the deadline it was given. */
const marginMs = 250;

export class LocalWorkers {
  readonly #layout: StoreLayout;
  readonly #refs: (ActorRef<WorkerMessage> | undefined)[];
  #turn = 0;
  #lastExecution = 0;

  constructor(layout: StoreLayout) {
    this.#layout = layout;
    this.#refs = Array.from({ length: layout.workers }, () => undefined);
  }

  get layout(): StoreLayout {
    return this.#layout;
  }

  /** A worker has started (again), or is away. */
  set(index: number, ref: ActorRef<WorkerMessage> | undefined): void {
    this.#refs[index] = ref;
  }

  /** Throws `shard_unavailable` while the worker restarts. */
  get(index: number): ActorRef<WorkerMessage> {
    const ref = this.#refs[index];
    if (ref === undefined) {
      throw new CodedError(actorErrorCodes.unavailable, `worker ${index} of this node is starting`);
    }
    return ref;
  }

  get running(): readonly ActorRef<WorkerMessage>[] {
    return this.#refs.filter((ref) => ref !== undefined);
  }

  get isComplete(): boolean {
    return this.#refs.every((ref) => ref !== undefined);
  }

  /** Workers in turn, for work that any of them can do. */
  next(): ActorRef<WorkerMessage> {
    for (let i = 0; i < this.#refs.length; i++) {
      this.#turn = (this.#turn + 1) % this.#refs.length;
      const ref = this.#refs[this.#turn];
      if (ref !== undefined) return ref;
    }
    throw new CodedError(actorErrorCodes.unavailable, 'all workers of this node are starting');
  }

  /** Rejects with `not_owner`, `shard_unavailable`, or what the store says. */
  async append(write: ShardWrite, deadlineMs: number): Promise<AppendOutcome> {
    const { shard, epoch, bypassOutOfOrder, batch } = write;
    return this.get(workerOfShard(shard, this.#layout)).ask<AppendOutcome>(
      (replyTo) => ({ type: 'append', shard, epoch, bypassOutOfOrder, batch, replyTo }),
      deadlineMs,
    );
  }

  /** One answer per worker that has any of the shards. Rejects as a whole when one of them doesn't answer. */
  execute({ shards, payload, deadlineMs, signal }: ShardExecution): Promise<Uint8Array[]> {
    const byWorker = Map.groupBy(shards, (shard) => workerOfShard(shard, this.#layout));
    return Promise.all(
      [...byWorker].map(async ([index, own]) => {
        signal.throwIfAborted();
        const worker = this.get(index);
        const id = ++this.#lastExecution;
        const cancel = (): void => {
          worker.tell({ type: 'cancelExecute', id });
        };
        signal.addEventListener('abort', cancel, { once: true });
        try {
          return await worker.ask<Uint8Array>(
            (replyTo) => ({ type: 'execute', id, shards: own, payload, deadlineMs, replyTo }),
            deadlineMs + marginMs,
          );
        } finally {
          signal.removeEventListener('abort', cancel);
        }
      }),
    );
  }
}
