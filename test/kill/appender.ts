/**
 * The process that is killed: opens the store in the folder given as argument and goes on appending to each of its shards
 * where the shard ends, several batches at once, while windows are sealed, compacted and partly deleted. It prints
 * `ack SHARD STEP .` for every batch that was acknowledged, `ask SHARD STEP .` and `del SHARD STEP .` around deletions.
 */
import { Registry } from 'prom-client';
import { silentLogger } from '../../src/base/index.ts';
import {
  type EngineName,
  engineNamed,
  type FsyncPolicy,
  openStoreDirectory,
  type ShardStore,
} from '../../src/tsdb/index.ts';
import {
  batchFor,
  deletionEvery,
  doomedMatchers,
  killShards,
  newStoreRefs,
  outOfOrderWindowMs,
  stepOf,
  storeRetentionMs,
  timeOf,
} from './load.ts';

/** Batches of one shard under way at once. */
const inFlightMax = 4;
/** Steps between two rounds of maintenance. */
const maintainEvery = 150;

const [path = '', engine = 'level', fsync = 'os'] = process.argv.slice(2);
const directory = await openStoreDirectory(path, {
  retentionMs: storeRetentionMs,
  outOfOrderWindowMs,
  fsync: fsync as FsyncPolicy,
  log: silentLogger,
  registry: new Registry(),
  openEngine: engineNamed(engine as EngineName),
});

function say(word: 'ack' | 'ask' | 'del', shard: number, step: number): void {
  process.stdout.write(`${word} ${shard} ${step} .\n`);
}

async function append(shard: ShardStore, step: number, storeRefs: Int32Array): Promise<void> {
  const batch = batchFor(shard.shard, step, storeRefs);
  const outcome = await shard.append(batch, { epoch: 1, nowMs: Date.now() });
  if (outcome.appended !== batch.refs.length) throw new Error(`step ${step}: ${JSON.stringify(outcome)}`);
  say('ack', shard.shard, step);
}

async function deleteDoomed(shard: ShardStore, step: number): Promise<void> {
  say('ask', shard.shard, step);
  await shard.delete(doomedMatchers, Number.NEGATIVE_INFINITY, timeOf(step));
  say('del', shard.shard, step);
}

async function appendForever(shard: ShardStore): Promise<never> {
  const storeRefs = newStoreRefs();
  const underWay: Promise<void>[] = [];
  for (let step = stepOf(shard.stats().maxTimeMs) + 1; ; step++) {
    if (underWay.length >= inFlightMax) await underWay.shift();
    underWay.push(append(shard, step, storeRefs));
    if (step % maintainEvery === 0) underWay.push(shard.maintain(Date.now()));
    // One at a time, so that what it covers is in the shard and all of it is known.
    if (step % deletionEvery === 0) {
      await Promise.all(underWay.splice(0));
      await deleteDoomed(shard, step);
    }
  }
}

await Promise.all(killShards.map(async (shard) => appendForever(await directory.openShard(shard))));
