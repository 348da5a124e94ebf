/**
 * A deletion on a disk that takes so many writes and then none, after which the process dies: what is found is what was
 * there before or what the deletion leaves, never a sample that had lost against another.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Matcher, MatchType } from '../../model/index.ts';
import { batchOf, ManualClock, printColumns, storeOptions } from '../testing/fixtures.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { TroubledDisk } from '../testing/troubled_engine.ts';
import type { ShardStore } from './shard_store.ts';
import { openStoreDirectory, type StoreDirectory } from './store_directory.ts';

const up = { __name__: 'up' };
const nowMs = 100_000_000;
const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
const all = [Matcher.create(MatchType.Equal, '__name__', 'up')];
const writesMax = 14;

/** Of a hexadecimal key. */
const isRecord = (key: string): boolean => key.slice(4, 6) === '4c';

class Scene {
  readonly memory = new MemoryDisk();
  readonly disk = new TroubledDisk(this.memory.openEngine);
  readonly clock = new ManualClock(nowMs);
  directory: StoreDirectory | undefined;

  async open(): Promise<ShardStore> {
    const openEngine = this.disk.ownedEngine();
    const options = { openEngine, clock: this.clock, fsync: 'interval' as const };
    this.directory = await openStoreDirectory('', storeOptions(options));
    return this.directory.openShard(1);
  }

  /** The process dies, and perhaps the machine with it. */
  async restarted(isPowerCut: boolean): Promise<ShardStore> {
    this.disk.kill();
    this.disk.repair();
    if (isPowerCut) this.memory.cutPower();
    return this.open();
  }

  async recovered(shard: ShardStore): Promise<void> {
    this.disk.repair();
    for (let i = 0; i < 100; i++) {
      this.clock.advance(30_000);
      await new Promise((done) => setImmediate(done));
      const isWell = await shard.append(batchOf(), { epoch: 1, nowMs }).then(
        () => true,
        () => false,
      );
      if (isWell) return;
    }
    assert.fail('the store does not recover');
  }
}

const read = async (shard: ShardStore): Promise<string[]> =>
  printColumns(await shard.select([], ...everything));

/** A sealed sample of which a late one has taken the place, another of which it has not, and one in memory. */
async function populated(scene: Scene): Promise<{ shard: ShardStore; before: string[] }> {
  const shard = await scene.open();
  await shard.append(batchOf([up, nowMs - 2, 1], [up, nowMs - 1, 1]), { epoch: 2, nowMs });
  await shard.sealNow();
  const handedOver = { nowMs, bypassOutOfOrder: true };
  await shard.append(batchOf([up, nowMs - 2, 2]), { epoch: 3, ...handedOver });
  await shard.append(batchOf([up, nowMs - 1, 3]), { epoch: 1, ...handedOver });
  // Synced, so that a power cut finds it.
  scene.clock.advance(2000);
  await shard.append(batchOf([{ ...up, job: 'a' }, nowMs, 4]), { epoch: 3, ...handedOver });
  const before = await read(shard);
  assert.equal(before[0], `up ${nowMs - 2}=4000000000000000 ${nowMs - 1}=3ff0000000000000`);
  return { shard, before };
}

const deletions = {
  'a deleted shard': (shard: ShardStore) => shard.deleteAll(),
  'deleted samples': (shard: ShardStore) => shard.delete(all, ...everything),
};

for (const [name, deletion] of Object.entries(deletions)) {
  test(`${name}: all or nothing after a crash, however many writes the disk still took`, async () => {
    for (const isPowerCut of [false, true]) {
      let done = 0;
      for (let writes = 0; writes < writesMax; writes++) {
        const scene = new Scene();
        const { shard, before } = await populated(scene);
        scene.disk.writesLeft = writes;
        const isDone = await deletion(shard).then(
          () => true,
          () => false,
        );
        const again = await scene.restarted(isPowerCut);
        const found = await read(again);
        if (isDone || found.length === 0) assert.deepEqual(found, [], `${writes} writes`);
        else assert.deepEqual(found, before, `${writes} writes`);
        done += isDone ? 1 : 0;
        // What a crash left of it goes with what is sealed.
        const newer = batchOf([up, nowMs + 1, 6]);
        await again.append(newer, { epoch: 9, nowMs, bypassOutOfOrder: true });
        await again.sealNow();
        assert.equal(again.stats().logBytes, 0, `${writes} writes`);
        assert.deepEqual(scene.memory.keys.filter(isRecord), [], `${writes} writes`);
      }
      assert.ok(done > 0 && done < writesMax, `${done} were done`);
    }
  });

  test(`${name}: what the disk refused is done when the trouble ends, before anything is appended`, async () => {
    for (let writes = 0; writes < writesMax; writes++) {
      const scene = new Scene();
      const { shard } = await populated(scene);
      scene.disk.writesLeft = writes;
      await deletion(shard).catch(() => undefined);
      assert.deepEqual(await read(shard), [], 'it holds in memory');
      await scene.recovered(shard);
      await shard.append(batchOf([up, nowMs - 2, 5]), { epoch: 1, nowMs, bypassOutOfOrder: true });
      const after = [`up ${nowMs - 2}=4014000000000000`];
      assert.deepEqual(await read(shard), after, `${writes} writes`);
      assert.deepEqual(await read(await scene.restarted(false)), after, `${writes} writes, restarted`);
    }
  });
}

test('a shard that was deleted is gone from the disk, and sealing that was under way leaves nothing there', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const scene = new Scene();
    const { shard } = await populated(scene);
    const sealing = shard.sealNow();
    for (let i = 0; i < turns; i++) await Promise.resolve();
    await shard.deleteAll();
    await sealing;
    await shard.maintain(nowMs);
    assert.deepEqual(await read(shard), [], `${turns} turns`);
    assert.deepEqual(await scene.directory?.listShards(), []);
  }
});

test('a start time that came with a duplicate of a higher epoch is there after a restart', async () => {
  const scene = new Scene();
  const shard = await scene.open();
  const append = (epoch: number, startMs: number) =>
    shard.append(
      { ...batchOf([up, nowMs, 1]), startTimes: Float64Array.of(startMs) },
      { epoch, nowMs, bypassOutOfOrder: true },
    );
  await append(1, 0);
  assert.equal((await append(2, 500)).duplicates, 1);
  const starts = async (one: ShardStore): Promise<(Float64Array | undefined)[]> =>
    (await one.select([], ...everything)).map(({ startTimes }) => startTimes);
  assert.deepEqual(await starts(shard), [Float64Array.of(500)]);
  assert.deepEqual(await starts(await scene.restarted(false)), [Float64Array.of(500)]);
});
