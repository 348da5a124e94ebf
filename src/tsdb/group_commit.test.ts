import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { openStoreDirectory } from './shard/store_directory.ts';
import { diskError, FaultyDisk } from './testing/faulty_disk.ts';
import { batchOf, ManualClock, storeOptions } from './testing/fixtures.ts';
import { MemoryDisk } from './testing/memory_engine.ts';

const now = { epoch: 1, nowMs: 10_000 };
const up = { __name__: 'up' };
const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

test('the appends of one tick, over all shards, are one write', async () => {
  const disk = new MemoryDisk();
  const directory = await openStoreDirectory(
    '',
    storeOptions({ openEngine: disk.openEngine, fsync: 'always' }),
  );
  const shards = await Promise.all([1, 2, 3].map((shard) => directory.openShard(shard)));
  disk.writes.length = 0;
  await Promise.all(shards.map((shard) => shard.append(batchOf([up, 1000, 1]), now)));
  assert.deepEqual(
    disk.writes.map(({ operations, sync }) => [operations.length, sync]),
    [[3, true]],
  );
  await directory.close();
});

test('always: what was acknowledged survives a power cut', async () => {
  const disk = new MemoryDisk();
  const options = storeOptions({ openEngine: disk.openEngine, fsync: 'always' });
  const shard = await (await openStoreDirectory('', options)).openShard(1);
  await shard.append(batchOf([up, 1000, 1]), now);
  disk.cutPower();
  const again = await (await openStoreDirectory('', options)).openShard(1);
  assert.equal(again.stats().samples, 1);
});

test('interval: a power cut costs at most what was written within a second', async () => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const options = storeOptions({ openEngine: disk.openEngine, fsync: 'interval', clock });
  const directory = await openStoreDirectory('', options);
  const shard = await directory.openShard(1);
  disk.writes.length = 0;
  await shard.append(batchOf([up, 1000, 1]), now);
  await shard.append(batchOf([up, 2000, 1]), now);
  assert.deepEqual(
    disk.writes.map(({ sync }) => sync),
    [false, false],
  );
  assert.equal(clock.timerCount, 1);
  clock.advance(1000);
  // Behind the timer's write in the queue; when this is acknowledged that one is on disk.
  await shard.append(batchOf([up, 3000, 1]), now);
  assert.equal(disk.writes.at(-1)?.sync, true);
  await shard.append(batchOf([up, 4000, 1]), now);
  disk.cutPower();
  const again = await (await openStoreDirectory('', options)).openShard(1);
  assert.equal(again.stats().maxTimeMs, 3000);
  await directory.close();
  assert.equal(clock.timerCount, 0);
});

test('interval: closing syncs what is left', async () => {
  const disk = new MemoryDisk();
  const options = storeOptions({ openEngine: disk.openEngine, fsync: 'interval' });
  const directory = await openStoreDirectory('', options);
  await (await directory.openShard(1)).append(batchOf([up, 1000, 1]), now);
  await directory.close();
  disk.cutPower();
  assert.equal((await (await openStoreDirectory('', options)).openShard(1)).stats().samples, 1);
});

test('a batch of duplicates is not acknowledged before what it repeats is logged', async () => {
  const disk = new MemoryDisk();
  const directory = await openStoreDirectory('', storeOptions({ openEngine: disk.openEngine }));
  const shard = await directory.openShard(1);
  disk.nextWriteError = new Error('no space left on device');
  const first = shard.append(batchOf([up, 1000, 1]), now);
  const repeated = shard.append(batchOf([up, 1000, 1]), now);
  const failure = { code: 'store_failed', message: /no space left on device/ };
  await Promise.all([assert.rejects(first, failure), assert.rejects(repeated, failure)]);
});

test('interval: what was acknowledged is written again when a failed sync may have lost it', async () => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const options = storeOptions({ openEngine: disk.openEngine, fsync: 'interval', clock });
  const shard = await (await openStoreDirectory('', options)).openShard(1);
  await shard.append(batchOf([up, 1000, 1]), now);
  await shard.append(batchOf([up, 2000, 1]), now);
  disk.nextWriteError = new Error('fsync failed');
  await assert.rejects(shard.append(batchOf([up, 3000, 1]), now), { code: 'store_failed' });
  // What the system does with dirty pages that it could not write.
  disk.cutPower();
  clock.advance(1000);
  await new Promise((done) => setImmediate(done));
  assert.equal((await shard.append(batchOf([up, 4000, 1]), now)).appended, 1);
  disk.cutPower();
  const again = await (await openStoreDirectory('', options)).openShard(1);
  assert.deepEqual([...((await again.select([], ...everything))[0]?.timestamps ?? [])], [1000, 2000, 3000]);
});

test('the pauses between attempts double up to half a minute', async () => {
  const disk = new FaultyDisk(new MemoryDisk().openEngine);
  const clock = new ManualClock();
  const directory = await openStoreDirectory('', storeOptions({ openEngine: disk.openEngine, clock }));
  const shard = await directory.openShard(1);
  disk.refusal = diskError('ENOSPC');
  await assert.rejects(shard.append(batchOf([up, 1000, 1]), now), { code: 'store_failed' });
  const attemptsAtMs: number[] = [];
  for (let ms = 0; ms < 130_000; ms += 500) {
    const before = disk.refused;
    clock.advance(500);
    await new Promise((done) => setImmediate(done));
    if (disk.refused > before) attemptsAtMs.push(clock.nowMs());
  }
  assert.deepEqual(attemptsAtMs, [1000, 3000, 7000, 15_000, 31_000, 61_000, 91_000, 121_000]);
  await directory.close();
  assert.equal(clock.timerCount, 0);
});

test('a shard can be read at a start on a disk that takes no writes, and takes samples later', async () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory.openEngine);
  const clock = new ManualClock();
  const options = storeOptions({ openEngine: disk.openEngine, clock, retentionMs: 1000 });
  const first = await openStoreDirectory('', options);
  await (await first.openShard(1)).append(batchOf([up, 100, 1], [up, 2000, 1]), { epoch: 1, nowMs: 900 });
  await (await first.openShard(1)).append(batchOf([up, 3000, 1]), { epoch: 1, nowMs: 900 });
  await first.close();
  const damaged = memory.keys.filter((key) => key.startsWith('0001'))[1] as string;
  memory.set(damaged, Uint8Array.of(1));
  clock.advance(1500);
  const directory = await openStoreDirectory('', options);
  disk.refusal = diskError('EROFS');
  const shard = await directory.openShard(1);
  assert.equal(shard.stats().samples, 1);
  await assert.rejects(shard.append(batchOf([up, 2500, 1]), { epoch: 1, nowMs: 1500 }), {
    code: 'store_failed',
  });
  disk.refusal = undefined;
  clock.advance(1000);
  await new Promise((done) => setImmediate(done));
  assert.equal((await shard.append(batchOf([up, 2500, 1]), { epoch: 1, nowMs: 1500 })).appended, 1);
  await directory.close();
});

test('a damaged record cuts its shard there, keeps all before it, and leaves other shards alone', async () => {
  for (const damage of ['flip', 'truncate', 'key'] as const) {
    const disk = new MemoryDisk();
    const registry = new Registry();
    const options = storeOptions({ openEngine: disk.openEngine, registry });
    const directory = await openStoreDirectory('', options);
    for (const shard of [1, 2]) {
      const store = await directory.openShard(shard);
      for (let i = 1; i <= 5; i++) await store.append(batchOf([up, i * 1000, i]), now);
    }
    await directory.close();
    const third = disk.keys.filter((key) => key.startsWith('0001'))[2] as string;
    const value = disk.value(third) as Uint8Array;
    if (damage === 'flip') value[value.length - 1] = (value.at(-1) as number) ^ 1;
    else if (damage === 'truncate') disk.set(third, value.slice(0, 9));
    else disk.set(`${third}00`, value);
    const again = await openStoreDirectory('', options);
    const cut = await again.openShard(1);
    const kept = damage === 'key' ? 3 : 2;
    assert.equal(cut.stats().samples, kept, damage);
    assert.equal((await again.openShard(2)).stats().samples, 5);
    const corruptions = await registry.getSingleMetricAsString('torchring_tsdb_log_corruptions_total');
    assert.match(corruptions, /torchring_tsdb_log_corruptions_total 1/);
    // The log goes on behind the cut.
    await cut.append(batchOf([up, 9000, 9]), now);
    await again.close();
    const last = await (await openStoreDirectory('', options)).openShard(1);
    assert.equal(last.stats().samples, kept + 1);
    assert.equal((await last.select([], ...everything))[0]?.timestamps.at(-1), 9000);
  }
});

test('the metrics follow what is held, and closing takes it out', async () => {
  const registry = new Registry();
  const options = storeOptions({ openEngine: new MemoryDisk().openEngine, registry });
  const directory = await openStoreDirectory('', options);
  const shard = await directory.openShard(1);
  await shard.append(batchOf([up, 1000, 1], [{ a: 'b' }, 1000, 1], [up, 500, 1]), now);
  const value = async (name: string): Promise<number | undefined> =>
    (await registry.getSingleMetric(name)?.get())?.values[0]?.value;
  assert.equal(await value('prometheus_tsdb_head_series'), 2);
  assert.equal(await value('prometheus_tsdb_head_samples_appended_total'), 2);
  assert.equal(await value('prometheus_tsdb_out_of_order_samples_total'), 1);
  assert.equal(await value('torchring_tsdb_log_bytes'), shard.stats().logBytes);
  await directory.close();
  assert.equal(await value('prometheus_tsdb_head_series'), 0);
  assert.equal(await value('torchring_tsdb_log_bytes'), 0);
});
