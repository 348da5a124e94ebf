/**
 * Takes samples to the owners of their series: to a shard of this worker directly, to any other by way of the control
 * thread. A shard that moves meanwhile is followed until the deadline, so the caller's answer is final: stored, refused
 * for good, or not reachable now. Sending twice is harmless, since a sample is a (series, time, value) in a set.
 */
import { type Clock, CodedError, errorText } from '../../base/index.ts';
import { placementShard } from '../../cluster/index.ts';
import { encodeWriteBatch, type Labels, type WriteBatch } from '../../model/index.ts';
import type { ActorRef } from '../../runtime/index.ts';
import { type AppendOutcome, emptyOutcome as emptyAppendOutcome } from '../../tsdb/index.ts';
import { actorErrorCodes, notOwnerError } from '../errors.ts';
import { type BatchPart, BatchSplitter } from './batch_split.ts';
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
  return { ...emptyAppendOutcome(), unavailable: 0 };
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

/** What the attempts to write a part have come to. */
interface Attempts {
  /** A shard of this worker may still read the batch. */
  isHeld: boolean;
}

type PartOutcome = AppendOutcome & Pick<IngestOutcome, 'verdicts'>;

interface PartResult {
  readonly part: BatchPart;
  /** Undefined: `error` says why not. */
  readonly appended: PartOutcome | undefined;
  readonly error: unknown;
  readonly isHeld: boolean;
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
  readonly #splitter = new BatchSplitter();
  /** Shard of a label set that is asked for by itself (a target's), as long as the set lives. */
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
    const parts = this.#splitter.split(batch, this.#view.table.shards.length);
    const results = await Promise.all(parts.map((part) => this.#ingestPart(part)));
    this.#splitter.noteStoreRefs(batch);
    const outcome = emptyOutcome();
    for (const { appended, error, part, isHeld } of results) {
      if (isHeld) outcome.isHeld = true;
      if (appended !== undefined) addOutcome(outcome, appended);
      else if (isRefusal(error)) outcome.firstError ??= errorText(error);
      else {
        outcome.unavailable += part.batch.refs.length;
        outcome.unavailableReason = errorText(error);
      }
    }
    this.#addVerdicts(outcome, batch, results);
    return outcome;
  }

  async #ingestPart(part: BatchPart): Promise<PartResult> {
    const attempts = { isHeld: false };
    try {
      const appended = await this.#write(part.shard, part.batch, {}, attempts);
      return { part, appended, error: undefined, isHeld: attempts.isHeld };
    } catch (error) {
      return { part, appended: undefined, error, isHeld: attempts.isHeld };
    }
  }

  #addVerdicts(outcome: IngestOutcome, batch: WriteBatch, results: readonly PartResult[]): void {
    const [only] = results;
    if (results.length === 1 && only?.appended !== undefined) {
      const { verdicts } = only.appended;
      if (verdicts !== undefined) outcome.verdicts = verdicts;
      return;
    }
    const byShard = new Map(results.map((result) => [result.part.shard, result]));
    const verdictsOf = (shard: number): Uint8Array | 'none' | undefined => {
      const result = byShard.get(shard);
      return result !== undefined && result.appended === undefined ? 'none' : result?.appended?.verdicts;
    };
    if (results.every(({ part }) => verdictsOf(part.shard) === undefined)) return;
    outcome.verdicts = this.#splitter.mergeVerdicts(batch, verdictsOf);
  }

  /** Rejects with `shard_unavailable` after the deadline, or with the store's error. */
  write(shard: number, batch: WriteBatch, options: RouteOptions = {}): Promise<AppendOutcome> {
    return this.#write(shard, batch, options, { isHeld: false });
  }

  async #write(
    shard: number,
    batch: WriteBatch,
    options: RouteOptions,
    attempts: Attempts,
  ): Promise<PartOutcome> {
    const deadlineMs = this.#clock.monotonicMs() + routeDeadlineMs;
    let bytes: Uint8Array | undefined;
    for (;;) {
      let reason: string;
      try {
        if (this.#view.owns(shard) && this.#hosted.isMine(shard)) {
          return await this.#writeHere(shard, batch, options, attempts);
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

  async #writeHere(
    shard: number,
    batch: WriteBatch,
    options: RouteOptions,
    attempts: Attempts,
  ): Promise<PartOutcome> {
    const { actor } = await this.#hosted.host(shard);
    // Opening a shard takes a while. What a former owner took in now would be missed by the hand-over.
    if (!this.#view.owns(shard)) throw notOwnerError(shard, this.#view.self);
    const epoch = options.handOverEpoch ?? this.#view.table.shards[shard]?.epoch ?? 0;
    const bypassOutOfOrder = options.handOverEpoch !== undefined;
    try {
      return await actor.ask<AppendOutcome>(
        (replyTo) => ({ type: 'append', batch, epoch, bypassOutOfOrder, replyTo }),
        attemptDeadlineMs,
      );
    } catch (error) {
      if (!isReturned(error)) attempts.isHeld = true;
      throw error;
    }
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

/** The shard's actor has not taken the batch. After any other error it may come to it yet. */
function isReturned(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'mailbox_full';
}

/** The samples themselves are at fault: sent again, they would be refused again. */
function isRefusal(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'bad_batch';
}
