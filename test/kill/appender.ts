/**
 * The process that is killed: opens the store in the folder given as argument and goes on appending to each of its shards
 * where the shard ends, several batches at once, printing `ack SHARD TIME .` for every batch that was acknowledged.
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
import { batchFor, killShards, storeRetentionMs } from './load.ts';

/** Batches of one shard under way at once. */
const inFlightMax = 4;

const [path = '', engine = 'level', fsync = 'os'] = process.argv.slice(2);
const directory = await openStoreDirectory(path, {
  retentionMs: storeRetentionMs,
  fsync: fsync as FsyncPolicy,
  log: silentLogger,
  registry: new Registry(),
  openEngine: engineNamed(engine as EngineName),
});

async function appendForever(shard: ShardStore): Promise<never> {
  const underWay: Promise<void>[] = [];
  for (let time = Math.max(0, shard.stats().maxTimeMs) + 1; ; time++) {
    if (underWay.length >= inFlightMax) await underWay.shift();
    const appended = shard.append(batchFor(shard.shard, time), { epoch: 1, nowMs: time });
    underWay.push(
      appended.then(() => {
        process.stdout.write(`ack ${shard.shard} ${time} .\n`);
      }),
    );
  }
}

await Promise.all(killShards.map(async (shard) => appendForever(await directory.openShard(shard))));
