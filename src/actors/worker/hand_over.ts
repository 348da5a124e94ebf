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
/** Longer than a query may run. */
const deleteAfterMs = 150_000;
/** Pause after a failed attempt. */
const retryAfterMs = 2_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  readonly control: ActorRef<ControlMessage>;
}

export class HandOver {
  readonly #view: ClusterView;
  readonly #hosted: HostedShards;
  readonly #router: Router;
  readonly #deps: Deps;
  readonly #samples: Counter;
  #isRunning = false;
  /** The state changed while a round was under way: look again. */
  #isStale = false;
  #isStopped = false;
  /** At most one waits, however many shards failed. */
  #retry: Timer | undefined;
  /** Deletions that are due later. */
  readonly #deletions = new Set<Timer>();

  constructor(view: ClusterView, hosted: HostedShards, router: Router, deps: Deps) {
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
    this.#rounds()
      .catch((error: unknown) => this.#deps.log.error({ err: errorText(error) }, 'hand-over stopped'))
      .finally(() => {
        this.#isRunning = false;
      });
  }

  /** Begins nothing more. What was not given or not deleted stays here, and is so after the next start. */
  stop(): void {
    this.#isStopped = true;
    this.#retry?.cancel();
    for (const timer of this.#deletions) timer.cancel();
    this.#deletions.clear();
  }

  async #rounds(): Promise<void> {
    while (this.#isStale && !this.#isStopped) {
      this.#isStale = false;
      const done: number[] = [];
      for (const shard of this.#shardsToGive()) {
        if (this.#isStopped) return;
        if (await this.#give(shard)) done.push(shard);
        else this.#lookAgainLater();
      }
      if (done.length === 0) continue;
      this.#deps.control.tell({ type: 'handedOver', shards: done });
      this.#deps.log.info({ shards: done.length }, 'handed shards over to their owners');
      this.#deleteLater(done);
    }
  }

  /** What the table says, and data on disk that the table doesn't know of (left by a crash before its deletion). */
  #shardsToGive(): number[] {
    const live = new Set(
      this.#view.table.shards.map(({ owner }) => owner).filter((id) => this.#view.isLive(id)),
    );
    const byTable = shardsToHandOver(this.#view.table, this.#view.self, live);
    const unknown = this.#hosted.hosted.filter((shard) => {
      const entry = this.#view.table.shards[shard];
      const hasData = (this.#hosted.store(shard)?.stats().samples ?? 0) > 0;
      return hasData && entry !== undefined && entry.owner !== this.#view.self && live.has(entry.owner);
    });
    return [...new Set([...byTable, ...unknown])].filter(
      (shard) => this.#hosted.isMine(shard) && !this.#isGiven(shard),
    );
  }

  readonly #given = new Map<number, number>();

  /** Given in the ownership that holds now, and waiting to be deleted. */
  #isGiven(shard: number): boolean {
    return this.#given.get(shard) === this.#view.table.shards[shard]?.epoch;
  }

  async #give(shard: number): Promise<boolean> {
    const epoch = this.#view.table.shards[shard]?.epoch ?? 0;
    try {
      await this.#hosted.settled(shard);
      for (const batch of this.#hosted.store(shard)?.export(samplesPerBatch) ?? []) {
        await this.#router.write(shard, batch, { handOverEpoch: batch.epoch });
        this.#samples.inc(batch.refs.length);
        if (this.#view.owns(shard)) return false;
      }
    } catch (error) {
      if (this.#isStopped) return false;
      this.#deps.log.warn({ shard, err: errorText(error) }, 'hand-over failed, will be tried again');
      return false;
    }
    this.#given.set(shard, epoch);
    return true;
  }

  #lookAgainLater(): void {
    if (this.#isStopped) return;
    this.#retry ??= this.#deps.clock.after(retryAfterMs, () => {
      this.#retry = undefined;
      this.check();
    });
  }

  #deleteLater(shards: readonly number[]): void {
    const epochs = new Map(shards.map((shard) => [shard, this.#given.get(shard)]));
    const timer = this.#deps.clock.after(deleteAfterMs, () => {
      this.#deletions.delete(timer);
      for (const [shard, epoch] of epochs) {
        const entry = this.#view.table.shards[shard];
        const isElsewhere = entry !== undefined && !entry.holders.includes(this.#view.self);
        // Owned again, or given again, meanwhile: another round decides.
        if (!isElsewhere || this.#given.get(shard) !== epoch || entry.epoch !== epoch) continue;
        this.#given.delete(shard);
        this.#hosted
          .deleteShard(shard)
          .catch((error: unknown) =>
            this.#deps.log.warn({ shard, err: errorText(error) }, 'deleting a handed-over shard failed'),
          );
      }
    });
    this.#deletions.add(timer);
  }
}
