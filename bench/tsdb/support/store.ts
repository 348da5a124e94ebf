/**
 * A store as a node opens it, with its shards, and the data set spread over these: whole targets, evenly. Its clock is the
 * data's, which passes faster than time: by the real one a shard would look idle, and everything in it due for sealing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { type Clock, silentLogger, systemClock, type Timer } from '../../../src/base/index.ts';
import { openStoreDirectory, type ShardStore, type StoreDirectory } from '../../../src/tsdb/index.ts';
import { Batches, type ScrapeBatch } from '../../workload/batches.ts';
import type { Scrape, ScrapeSource } from '../../workload/data_set.ts';
import { type Spent, stopwatch } from './stopwatch.ts';

export const shardCount = 128;
const epoch = 1;
const retentionMs = 30 * 86_400_000;
/** Windows are cut at multiples of two hours. */
export const windowMs: number = 7_200_000;

/** A multiple of two hours, so that data from there on fills whole windows; all of it lies before now. */
export function windowStartBefore(durationMs: number): number {
  return Math.floor((systemClock.nowMs() - durationMs) / windowMs) * windowMs;
}

/** Runs with a folder that is gone afterwards. */
export async function* inFolder<T>(run: (path: string) => AsyncIterable<T>): AsyncGenerator<T> {
  const path = await mkdtemp(join(tmpdir(), 'torchring-bench-'));
  try {
    yield* run(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

export interface Appended extends Spent {
  readonly samples: number;
}

class DataClock implements Clock {
  /** Time of the last round; none yet: the system's. */
  dataMs: number | undefined;

  nowMs(): number {
    return this.dataMs ?? systemClock.nowMs();
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  after(delayMs: number, run: () => void): Timer {
    return systemClock.after(delayMs, run);
  }
}

interface Work {
  readonly shard: ShardStore;
  readonly batch: ScrapeBatch;
}

export class BenchStore {
  readonly directory: StoreDirectory;
  readonly shards: readonly ShardStore[];
  readonly #clock: DataClock;
  readonly #batches = new Batches();

  constructor(directory: StoreDirectory, shards: readonly ShardStore[], clock: DataClock) {
    this.#clock = clock;
    this.directory = directory;
    this.shards = shards;
  }

  static async open(path: string, shards: number = shardCount): Promise<BenchStore> {
    const clock = new DataClock();
    const directory = await openStoreDirectory(path, {
      retentionMs,
      fsync: 'os',
      log: silentLogger,
      registry: new Registry(),
      clock,
    });
    const numbers = Array.from({ length: shards }, (_, shard) => shard);
    const opened = await Promise.all(numbers.map((shard) => directory.openShard(shard)));
    return new BenchStore(directory, opened, clock);
  }

  /** Seals everything, the newest window too, and lets go of what is then not needed any more. */
  async sealAll(): Promise<void> {
    for (const shard of this.shards) await shard.sealNow();
    await this.directory.maintain();
  }

  batch(scrape: Scrape): ScrapeBatch {
    return this.#batches.batch(scrape);
  }

  shardOf({ target }: Scrape): ShardStore {
    return this.shards[target.index % this.shards.length] as ShardStore;
  }

  /** One scrape of each target of the set, so many at once; all of them if not given. */
  async appendRound(set: ScrapeSource, atOnceMax: number = Number.POSITIVE_INFINITY): Promise<Appended> {
    const total = { samples: 0, spentMs: 0, threadMs: 0 };
    const appendAll = async (work: readonly Work[]): Promise<void> => {
      const { samples, spentMs, threadMs } = await this.#appendAtOnce(work, set.nowMs);
      total.samples += samples;
      total.spentMs += spentMs;
      total.threadMs += threadMs;
    };
    let work: Work[] = [];
    for (const scrape of set.round()) {
      work.push({ shard: this.shardOf(scrape), batch: this.batch(scrape) });
      if (work.length < atOnceMax) continue;
      await appendAll(work);
      work = [];
    }
    if (work.length > 0) await appendAll(work);
    return total;
  }

  async #appendAtOnce(work: readonly Work[], nowMs: number): Promise<Appended> {
    this.#clock.dataMs = nowMs;
    const spent = stopwatch();
    const outcomes = await Promise.all(work.map(({ shard, batch }) => shard.append(batch, { epoch, nowMs })));
    const { spentMs, threadMs } = spent();
    let samples = 0;
    for (const [i, { appended, firstError }] of outcomes.entries()) {
      const sent = (work[i] as Work).batch.refs.length;
      if (appended !== sent) throw new Error(`${appended} of ${sent} samples were taken: ${firstError}`);
      samples += appended;
    }
    return { samples, spentMs, threadMs };
  }

  close(): Promise<void> {
    return this.directory.close();
  }
}
