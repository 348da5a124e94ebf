/** A store as a node opens it, with its shards, and the data set spread over these: whole targets, evenly. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { silentLogger, systemClock } from '../../../src/base/index.ts';
import { openStoreDirectory, type ShardStore, type StoreDirectory } from '../../../src/tsdb/index.ts';
import { Batches, type ScrapeBatch } from '../../workload/batches.ts';
import type { DataSet, Scrape } from '../../workload/data_set.ts';
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

export class BenchStore {
  readonly directory: StoreDirectory;
  readonly shards: readonly ShardStore[];
  readonly #batches = new Batches();

  constructor(directory: StoreDirectory, shards: readonly ShardStore[]) {
    this.directory = directory;
    this.shards = shards;
  }

  static async open(path: string, shards: number = shardCount): Promise<BenchStore> {
    const directory = await openStoreDirectory(path, {
      retentionMs,
      fsync: 'os',
      log: silentLogger,
      registry: new Registry(),
    });
    const numbers = Array.from({ length: shards }, (_, shard) => shard);
    return new BenchStore(directory, await Promise.all(numbers.map((shard) => directory.openShard(shard))));
  }

  batch(scrape: Scrape): ScrapeBatch {
    return this.#batches.batch(scrape);
  }

  shardOf({ target }: Scrape): ShardStore {
    return this.shards[target.index % this.shards.length] as ShardStore;
  }

  /** One scrape of each target of the set, all at once. */
  async appendRound(set: DataSet): Promise<Appended> {
    const work = Array.from(set.round(), (scrape) => ({
      shard: this.shardOf(scrape),
      batch: this.batch(scrape),
    }));
    const nowMs = set.nowMs;
    const spent = stopwatch();
    const outcomes = await Promise.all(work.map(({ shard, batch }) => shard.append(batch, { epoch, nowMs })));
    const { spentMs, threadMs } = spent();
    let samples = 0;
    for (const [i, { appended, firstError }] of outcomes.entries()) {
      const sent = (work[i] as (typeof work)[number]).batch.refs.length;
      if (appended !== sent) throw new Error(`${appended} of ${sent} samples were taken: ${firstError}`);
      samples += appended;
    }
    return { samples, spentMs, threadMs };
  }

  close(): Promise<void> {
    return this.directory.close();
  }
}
