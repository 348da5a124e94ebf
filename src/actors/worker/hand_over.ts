/**
 * Gives the data of shards that another node owns now to that node: as ordinary writes under the epoch they were written
 * in, which merge at any age. When the owner has acknowledged all of a shard, the control group is told to read it there
 * alone; the data here is deleted a while later, after every query that may still be reading it.
 */

import { Counter, type Registry } from 'prom-client';
import { type Clock, errorText, type Logger, type Timer } from '../../base/index.ts';
import type { ActorRef } from '../../runtime/index.ts';
import { shardsToHandOver } from '../table_view.ts';
import type { ClusterView } from './cluster_view.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { ControlMessage } from './messages.ts';
import type { Router } from './router.ts';

const samplesPerBatch = 20_000;
/** What a query may have left when its time is up. */
const queryMarginMs = 30_000;
/** Pause after a failed attempt. */
const retryAfterMs = 2_000;
/** Each shard is one proposal to the control group. */
const reportDeadlineMs = 60_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  readonly control: ActorRef<ControlMessage>;
  /** How long a query may run, and so read what was handed over. */
  readonly queryTimeoutMs: number;
}

export class HandOver {
  readonly #view: ClusterView;
  readonly #hosted: Pick<HostedShards, 'hosted' | 'isMine' | 'store' | 'settled' | 'deleteShard'>;
  readonly #router: Pick<Router, 'write'>;
  readonly #deps: Deps;
  readonly #samples: Counter;
  #isRunning = false;
  /** The state changed while a round was under way: look again. */
  #isStale = false;
  #isStopped = false;
  /** At most one waits, however many shards failed. */
  #retry: Timer | undefined;
  /** Shards whose owner has acknowledged all of it, with the epoch of that ownership. */
  readonly #given = new Map<number, number>();
  /** Deletions that are due later, by shard. */
  readonly #deletions = new Map<number, Timer>();

  constructor(
    view: ClusterView,
    hosted: Pick<HostedShards, 'hosted' | 'isMine' | 'store' | 'settled' | 'deleteShard'>,
    router: Pick<Router, 'write'>,
    deps: Deps,
  ) {
    this.#view = view;
    this.#hosted = hosted;
    this.#router = router;
    this.#deps = deps;
    this.#samples = new Counter({
      name: 'torchring_handover_samples_total',
      help: 'Samples handed over to the owners of their shards.',
      registers: [deps.registry],
    });
  }

  /** Starts a round unless one is under way, which then looks again at its end. */
  check(): void {
    this.#isStale = true;
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#rounds().catch((error: unknown) =>
      this.#deps.log.error({ err: errorText(error) }, 'hand-over stopped'),
    );
  }

  /** Begins nothing more. What was not given or not deleted stays here, and is so after the next start. */
  stop(): void {
    this.#isStopped = true;
    this.#retry?.cancel();
    for (const timer of this.#deletions.values()) timer.cancel();
    this.#deletions.clear();
  }

  async #rounds(): Promise<void> {
    try {
      while (this.#isStale && !this.#isStopped) {
        this.#isStale = false;
        await this.#round();
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #round(): Promise<void> {
    for (const shard of this.#shardsToGive()) {
      if (this.#isStopped) return;
      await this.#give(shard);
    }
    if (this.#isStopped) return;
    await this.#report();
    this.#planDeletions();
  }

  /** What the table says, and data on disk that the table doesn't know of (left by a crash before its deletion). */
  #shardsToGive(): number[] {
    const { table, self } = this.#view;
    const live = new Set(table.shards.map(({ owner }) => owner).filter((id) => this.#view.isLive(id)));
    const byTable = shardsToHandOver(table, self, live);
    const unknown = this.#hosted.hosted.filter((shard) => {
      const owner = table.shards[shard]?.owner ?? self;
      return owner !== self && live.has(owner) && (this.#hosted.store(shard)?.stats().samples ?? 0) > 0;
    });
    return [...new Set([...byTable, ...unknown])].filter(
      (shard) => this.#hosted.isMine(shard) && !this.#isGiven(shard),
    );
  }

  #epochOf(shard: number): number {
    return this.#view.table.shards[shard]?.epoch ?? 0;
  }

  /** Given in the ownership that holds now. */
  #isGiven(shard: number): boolean {
    return this.#given.get(shard) === this.#epochOf(shard);
  }

  /** Whether the table has queries read the shard here. */
  #isRead(shard: number): boolean {
    return this.#view.table.shards[shard]?.holders.includes(this.#view.self) !== false;
  }

  async #give(shard: number): Promise<void> {
    const epoch = this.#epochOf(shard);
    // The table may have moved since the list of shards was made.
    if (this.#view.owns(shard)) return;
    try {
      await this.#hosted.settled(shard);
      for await (const batch of this.#hosted.store(shard)?.export(samplesPerBatch) ?? []) {
        await this.#router.write(shard, batch, { handOverEpoch: batch.epoch });
        this.#samples.inc(batch.refs.length);
        // Another owner, who has to be given all of it: the change of the table that said so starts a round.
        if (this.#epochOf(shard) !== epoch) return;
      }
    } catch (error) {
      if (this.#isStopped) return;
      this.#deps.log.warn({ shard, err: errorText(error) }, 'hand-over failed, will be tried again');
      this.#lookAgainLater();
      return;
    }
    this.#given.set(shard, epoch);
  }

  /** Tells the control group, until it has it in its table, that queries need not come here any more. */
  async #report(): Promise<void> {
    const shards = [...this.#given.keys()].filter((shard) => this.#isGiven(shard) && this.#isRead(shard));
    if (shards.length === 0) return;
    const epochs = shards.map((shard) => this.#epochOf(shard));
    try {
      await this.#deps.control.ask<void>(
        (replyTo) => ({ type: 'handedOver', shards, epochs, replyTo }),
        reportDeadlineMs,
      );
      this.#deps.log.info({ shards: shards.length }, 'handed shards over to their owners');
    } catch (error) {
      if (this.#isStopped) return;
      const fields = { shards: shards.length, err: errorText(error) };
      this.#deps.log.warn(fields, 'the control group did not take the hand-over, it will be told again');
      this.#lookAgainLater();
    }
  }

  #lookAgainLater(): void {
    if (this.#isStopped) return;
    this.#retry ??= this.#deps.clock.after(retryAfterMs, () => {
      this.#retry = undefined;
      this.check();
    });
  }

  #planDeletions(): void {
    const delayMs = this.#deps.queryTimeoutMs + queryMarginMs;
    for (const shard of this.#given.keys()) {
      if (this.#isStopped || this.#deletions.has(shard) || !this.#isDisposable(shard)) continue;
      this.#deletions.set(
        shard,
        this.#deps.clock.after(delayMs, () => this.#delete(shard)),
      );
    }
  }

  #isDisposable(shard: number): boolean {
    return this.#isGiven(shard) && !this.#isRead(shard);
  }

  #delete(shard: number): void {
    this.#deletions.delete(shard);
    // Owned again, or by yet another node, meanwhile: another round decides.
    if (!this.#isDisposable(shard)) return;
    this.#given.delete(shard);
    this.#hosted
      .deleteShard(shard)
      .catch((error: unknown) =>
        this.#deps.log.warn({ shard, err: errorText(error) }, 'deleting a handed-over shard failed'),
      );
  }
}
