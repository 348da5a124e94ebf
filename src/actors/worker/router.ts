/**
 * Takes samples to the owners of their series: to a shard of this worker directly, to any other by way of the control
 * thread. A shard that moves meanwhile is followed until the deadline, so the caller's answer is final: stored, refused
 * for good, or not reachable now. Sending twice is harmless, since a sample is a (series, time, value) in a set.
 */
import { type Clock, CodedError, errorText } from '../../base/index.ts';
import { placementShard } from '../../cluster/index.ts';
import { encodeWriteBatch, type Labels, type WriteBatch, WriteBatchBuilder } from '../../model/index.ts';
import type { ActorRef } from '../../runtime/index.ts';
import type { AppendOutcome } from '../../tsdb/index.ts';
import { actorErrorCodes, notOwnerError } from '../errors.ts';
import type { ClusterView } from './cluster_view.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { ControlMessage, IngestOutcome } from './messages.ts';

/** How long a batch may look for its owner: longer than a failover takes. */
const routeDeadlineMs = 15_000;
/** One attempt. */
const attemptDeadlineMs = 5_000;
/** Pause before the next attempt unless a new table comes first. */
const retryPauseMs = 200;

export function emptyOutcome(): IngestOutcome {
  return {
    appended: 0,
    duplicates: 0,
    outOfOrder: 0,
    tooOld: 0,
    tooFarInFuture: 0,
    conflicts: 0,
    limited: 0,
    unavailable: 0,
  };
}

function addOutcome(sum: IngestOutcome, one: AppendOutcome): void {
  sum.appended += one.appended;
  sum.duplicates += one.duplicates;
  sum.outOfOrder += one.outOfOrder;
  sum.tooOld += one.tooOld;
  sum.tooFarInFuture += one.tooFarInFuture;
  sum.conflicts += one.conflicts;
  sum.limited += one.limited;
  if (one.firstError !== undefined) sum.firstError ??= one.firstError;
}

export interface RouteOptions {
  /** Handed-over data: merged at any age under its own epoch. */
  readonly handOverEpoch?: number;
}

export class Router {
  readonly #view: ClusterView;
  readonly #hosted: HostedShards;
  readonly #control: ActorRef<ControlMessage>;
  readonly #clock: Clock;
  /** Shard of a label set, as long as the set itself lives (scrape caches hold theirs). */
  #shardOf = new WeakMap<Labels, number>();
  /** For how many shards. */
  #shards = 0;

  #isStopped = false;

  constructor(view: ClusterView, hosted: HostedShards, control: ActorRef<ControlMessage>, clock: Clock) {
    this.#view = view;
    this.#hosted = hosted;
    this.#control = control;
    this.#clock = clock;
  }

  /** No further attempts: what is under way ends with this one. */
  stop(): void {
    this.#isStopped = true;
  }

  shardOf(labels: Labels): number {
    const shards = this.#view.table.shards.length;
    if (shards !== this.#shards) {
      // The first table may know of another number than this node was started with.
      this.#shards = shards;
      this.#shardOf = new WeakMap();
    }
    let shard = this.#shardOf.get(labels);
    if (shard === undefined) {
      shard = placementShard(labels, shards);
      this.#shardOf.set(labels, shard);
    }
    return shard;
  }

  /** Never rejects: what could not be stored is counted in the outcome. */
  async ingest(batch: WriteBatch): Promise<IngestOutcome> {
    const outcome = emptyOutcome();
    await Promise.all(
      [...this.#split(batch)].map(async ([shard, part]) => {
        try {
          addOutcome(outcome, await this.write(shard, part));
        } catch (error) {
          if (isRefusal(error)) outcome.firstError ??= errorText(error);
          else {
            outcome.unavailable += part.refs.length;
            Object.assign(outcome, { unavailableReason: errorText(error) });
          }
        }
      }),
    );
    return outcome;
  }

  /** The batch itself where all of it belongs to one shard, which is the rule for a scrape. */
  #split(batch: WriteBatch): Map<number, WriteBatch> {
    const shards = batch.series.map((labels) => this.shardOf(labels));
    const first = shards[0];
    if (first === undefined) return new Map();
    if (shards.every((shard) => shard === first)) return new Map([[first, batch]]);
    const builders = new Map<number, WriteBatchBuilder>();
    for (let i = 0; i < batch.refs.length; i++) {
      const ref = batch.refs[i] as number;
      const shard = shards[ref] as number;
      let builder = builders.get(shard);
      if (builder === undefined) {
        builder = new WriteBatchBuilder();
        builders.set(shard, builder);
      }
      builder.addFrom(batch.series[ref] as Labels, batch.timestamps[i] as number, batch.values, i);
    }
    return new Map([...builders].map(([shard, builder]) => [shard, builder.finish()]));
  }

  /** Rejects with `shard_unavailable` after the deadline, or with the store's error. */
  async write(shard: number, batch: WriteBatch, options: RouteOptions = {}): Promise<AppendOutcome> {
    const deadlineMs = this.#clock.monotonicMs() + routeDeadlineMs;
    let bytes: Uint8Array | undefined;
    for (;;) {
      let reason: string;
      try {
        if (this.#view.owns(shard) && this.#hosted.isMine(shard)) {
          return await this.#writeHere(shard, batch, options);
        }
        bytes ??= encodeWriteBatch(batch);
        return await this.#writeAway(shard, bytes, options);
      } catch (error) {
        if (!isPassing(error)) throw error;
        reason = errorText(error);
      }
      if (this.#isStopped || this.#clock.monotonicMs() >= deadlineMs) {
        throw new CodedError(actorErrorCodes.unavailable, `shard ${shard} has no reachable owner: ${reason}`);
      }
      await this.#view.changed(retryPauseMs);
    }
  }

  async #writeHere(shard: number, batch: WriteBatch, options: RouteOptions): Promise<AppendOutcome> {
    const { actor } = await this.#hosted.host(shard);
    // Opening a shard takes a while. What a former owner took in now would be missed by the hand-over.
    if (!this.#view.owns(shard)) throw notOwnerError(shard, this.#view.self);
    const epoch = options.handOverEpoch ?? this.#view.table.shards[shard]?.epoch ?? 0;
    const bypassOutOfOrder = options.handOverEpoch !== undefined;
    return actor.ask<AppendOutcome>(
      (replyTo) => ({ type: 'append', batch, epoch, bypassOutOfOrder, replyTo }),
      attemptDeadlineMs,
    );
  }

  #writeAway(shard: number, batch: Uint8Array, options: RouteOptions): Promise<AppendOutcome> {
    const { handOverEpoch } = options;
    return this.#control.ask<AppendOutcome>(
      (replyTo) => ({
        type: 'route',
        shard,
        epoch: handOverEpoch ?? this.#view.table.shards[shard]?.epoch ?? 0,
        bypassOutOfOrder: handOverEpoch !== undefined,
        batch,
        deadlineMs: attemptDeadlineMs,
        replyTo,
      }),
      attemptDeadlineMs * 2,
    );
  }
}

/** Codes of errors that another attempt won't change. */
const finalCodes: readonly string[] = [
  'bad_batch',
  'store_failed',
  'store_closed',
  actorErrorCodes.unknownShard,
];

/** Everything about who owns the shard and who can be reached may pass; the store's own errors and bugs don't. */
function isPassing(error: unknown): boolean {
  return error instanceof CodedError && !finalCodes.includes(error.code);
}

/** The samples themselves are at fault: sent again, they would be refused again. */
function isRefusal(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'bad_batch';
}
