/** What can't be read is refused by its name and counted, and everything else goes on; and what is counted besides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { Matcher, MatchType } from '../../model/index.ts';
import { diskError, FaultyDisk } from '../testing/faulty_disk.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { ByteCache } from './byte_cache.ts';
import { windowMs } from './limits.ts';
import { windowMetrics } from './metrics.ts';
import { everything, inOrder, oneSeries, openSet, shown } from './testing/fixtures.ts';
import type { SealSeries } from './window_writer.ts';

const W = windowMs;
const equal = (name: string, value: string): Matcher => Matcher.create(MatchType.Equal, name, value);

/** Series that fill several pages: 40 metrics of 25 targets. */
function noisySeries(startMs: number): SealSeries[] {
  return inOrder(
    Array.from({ length: 1000 }, (_, i) => {
      const samples = Array.from(
        { length: 60 },
        (_zero, t) => [startMs + t * 15_000 + ((t * (i % 25)) % 7), Math.sin(i * t)] as const,
      );
      return oneSeries({ __name__: `m${10 + Math.floor(i / 25)}`, i: `${i % 25}` }, ...samples);
    }),
  );
}

async function figures(registry: Registry): Promise<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const metric of await registry.getMetricsAsJSON())
    for (const { value, metricName = metric.name } of metric.values as {
      value: number;
      metricName?: string;
    }[])
      if (!metricName.endsWith('_bucket')) all[metricName] = value;
  return all;
}

const pageKeys = (disk: MemoryDisk): string[] => disk.keys.filter((key) => key.slice(4, 6) === '50');

test('a damaged page is named and counted, costs its own series only, and is read again when it is whole', async () => {
  const disk = new MemoryDisk();
  const registry = new Registry();
  const set = await openSet(disk, { metrics: windowMetrics(registry) });
  await set.seal({ startMs: 0, epoch: 1, series: noisySeries(0) });
  const whole = shown(await (await openSet(disk)).select([], ...everything));
  const [first = ''] = pageKeys(disk);
  const sound = disk.value(first)?.slice() ?? new Uint8Array(0);
  const broken = sound.slice();
  broken[100] = (broken[100] ?? 0) ^ 1;
  disk.set(first, broken);
  const damaged = { code: 'window_damaged', message: /^page 0 of shard 3's window at 0 ms: / };
  await assert.rejects(set.select([], ...everything), damaged);
  await assert.rejects(set.select([equal('__name__', 'm10')], ...everything), damaged);
  assert.equal((await set.select([equal('__name__', 'm45')], ...everything)).length, 25);
  assert.equal((await set.series([], ...everything)).length, 1000);
  assert.equal((await figures(registry))['torchring_tsdb_damaged_reads_total'], 2);
  disk.delete(first);
  await assert.rejects(set.select([equal('__name__', 'm10')], ...everything), damaged);
  disk.set(first, sound);
  assert.deepEqual(shown(await set.select([], ...everything)), whole);
});

test('a damaged page of times is found by the pages that refer to it', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  await set.seal({ startMs: 0, epoch: 1, series: noisySeries(0) });
  const timesPages = pageKeys(disk).filter((key) => key.slice(20) >= '80000000');
  assert.ok(timesPages.length > 0);
  for (const key of timesPages) {
    const value = disk.value(key)?.slice() ?? new Uint8Array(0);
    value[value.length - 1] = (value[value.length - 1] ?? 0) ^ 0x40;
    disk.set(key, value);
  }
  await assert.rejects(set.select([], ...everything), {
    code: 'window_damaged',
    message: /^page of times 0 of shard 3's window at 0 ms: /,
  });
  // The pages that come first have their times themselves.
  assert.equal((await set.select([equal('__name__', 'm10')], ...everything)).length, 25);
});

test('a read that the engine fails is an error that names what was read, and succeeds later', async () => {
  const disk = new MemoryDisk();
  const engine = await disk.openEngine('');
  let failure: Error | undefined;
  const getMany = engine.getMany.bind(engine);
  engine.getMany = (keys) => (failure === undefined ? getMany(keys) : Promise.reject(failure));
  const set = await openSet(disk, { engine });
  await set.seal({ startMs: 0, epoch: 1, series: noisySeries(0) });
  failure = diskError('EIO');
  await assert.rejects(set.select([], ...everything), {
    code: 'window_unreadable',
    message: /^index chunk \d+ of shard 3's window at 0 ms: .*Input\/output error/,
  });
  failure = undefined;
  assert.equal((await set.select([], ...everything)).length, 1000);
});

test('windows that compaction can not read do not hold up others, and are tried again', async () => {
  const faults = new FaultyDisk(new MemoryDisk().openEngine);
  const set = await openSet(new MemoryDisk(), { engine: await faults.openEngine('') });
  for (const startMs of [0, 0, W, W])
    await set.seal({ startMs, epoch: 1, series: [oneSeries({ __name__: 'm' }, [startMs + 1, 1])] });
  // Pages of the first window.
  faults.damage = (key, value) =>
    key[2] === 0x50 && key.subarray(3, 10).every((byte) => byte === 0) ? undefined : value;
  await assert.rejects(set.compact(2 * W), { code: 'window_damaged' });
  assert.equal(await set.compact(2 * W), true);
  assert.equal(await set.compact(2 * W), false);
  faults.damage = undefined;
  assert.equal(await set.compact(2 * W), false);
  assert.equal(await set.compact(3 * W), true);
  assert.deepEqual(shown(await set.select([], ...everything)), [`m 1=1 ${W + 1}=1`]);
});

test('compaction and export leave the pages of queries in the cache, and read several at once', async () => {
  const disk = new MemoryDisk();
  const cache = new ByteCache(64 * 1024 * 1024);
  const engine = await disk.openEngine('');
  let trips = 0;
  const getMany = engine.getMany.bind(engine);
  engine.getMany = (keys) => {
    trips++;
    return getMany(keys);
  };
  const set = await openSet(disk, { cache, engine });
  for (let round = 0; round < 2; round++) await set.seal({ startMs: 0, epoch: 1, series: noisySeries(0) });
  const pages = set.windows().reduce((sum, header) => sum + header.pages, 0);
  let exported = 0;
  for await (const { times } of set.exportSeries()) exported += times.length;
  assert.equal(exported, 2 * 1000 * 60);
  const { bytes } = cache;
  trips = 0;
  assert.equal(await set.compact(0), true);
  assert.equal(cache.bytes, bytes);
  assert.ok(pages > 10 && trips <= pages / 4, `${trips} trips for ${pages} pages`);
  trips = 0;
  await set.select([], ...everything);
  assert.ok(cache.bytes > bytes + 400_000, `${cache.bytes - bytes} bytes of pages`);
  const left = set.windows()[0]?.pages ?? 0;
  assert.ok(trips < left, `${trips} trips for ${left} pages`);
});

test('metrics say what there is and what was done, for all sets together, and nothing of a set that is gone', async () => {
  const registry = new Registry();
  const disk = new MemoryDisk();
  const cache = new ByteCache(1024 * 1024);
  const set = await openSet(disk, { metrics: windowMetrics(registry), cache });
  const other = await openSet(new MemoryDisk(), { metrics: windowMetrics(registry), cache });
  const series = [oneSeries({ __name__: 'm' }, [1, 1], [2, 2])];
  for (let round = 0; round < 2; round++) await set.seal({ startMs: 0, epoch: 1, series });
  await other.seal({ startMs: 0, epoch: 1, series });
  await set.select([], ...everything);
  await set.select([], ...everything);
  await set.delete([equal('__name__', 'm')], 1, 1);
  const before = await figures(registry);
  assert.equal(before['torchring_tsdb_sealed_windows'], 3);
  assert.equal(before['prometheus_tsdb_blocks_loaded'], 3);
  assert.equal(before['torchring_tsdb_sealed_series'], 3);
  assert.equal(before['torchring_tsdb_sealed_samples'], 6);
  assert.equal(before['torchring_tsdb_sealed_bytes'], set.bytes + other.bytes);
  assert.equal(before['prometheus_tsdb_storage_blocks_bytes'], set.bytes + other.bytes);
  assert.equal(before['torchring_tsdb_tombstones'], 1);
  assert.equal(before['torchring_tsdb_seal_seconds_count'], 3);
  assert.equal(before['prometheus_tsdb_compactions_total'], 3);
  assert.equal(before['torchring_tsdb_page_cache_bytes'], cache.bytes);
  assert.equal(before['torchring_tsdb_page_cache_hits_total'], cache.hits);
  assert.equal(before['torchring_tsdb_page_cache_misses_total'], cache.misses);
  assert.ok(cache.hits > 0 && cache.misses > 0);
  await set.compact(0);
  await other.dropBefore(W);
  await set.dropOldest();
  other.forget();
  const after = await figures(registry);
  assert.equal(after['prometheus_tsdb_compaction_duration_seconds_count'], 1);
  assert.equal(after['prometheus_tsdb_tombstone_cleanup_seconds_count'], 1);
  assert.equal(after['prometheus_tsdb_compactions_total'], 4);
  assert.equal(after['prometheus_tsdb_time_retentions_total'], 1);
  assert.equal(after['prometheus_tsdb_size_retentions_total'], 1);
  assert.equal(after['torchring_tsdb_retention_seconds_count'], 2);
  for (const name of ['sealed_windows', 'sealed_series', 'sealed_samples', 'sealed_bytes', 'tombstones'])
    assert.equal(after[`torchring_tsdb_${name}`], 0, name);
  const header = disk.keys.find((key) => key.endsWith('00000000'));
  assert.equal(header, undefined);
  disk.set('0003490000000000000000000000', new Uint8Array(9));
  const damaged = await openSet(disk, { metrics: windowMetrics(registry) });
  assert.equal((await figures(registry))['torchring_tsdb_damaged_windows'], 1);
  damaged.forget();
  assert.equal((await figures(registry))['torchring_tsdb_damaged_windows'], 0);
});
