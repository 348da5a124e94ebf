/** What a store must do when its disk refuses writes and when it takes them again, whatever engine is under it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { type Logger, silentLogger } from '../../base/index.ts';
import type { ShardStore } from '../shard/shard_store.ts';
import { openStoreDirectory, type StoreDirectory, type StoreOptions } from '../shard/store_directory.ts';
import { diskError, FaultyDisk } from './faulty_disk.ts';
import { batchOf, ManualClock, storeOptions } from './fixtures.ts';
import type { TestedEngine } from './tested_engines.ts';

const now = { epoch: 1, nowMs: 10_000 };
const up = { __name__: 'up' };
/** Real time that a store may take to notice that its disk is well. */
const recoveryDeadlineMs = 20_000;
const refused = { code: 'store_failed' };

/** Keeps the lines at info and above. */
export class LogSpy {
  readonly lines: string[] = [];

  readonly logger: Logger = {
    ...silentLogger,
    info: (_fields: object, text = '') => this.lines.push(`info: ${text}`),
    warn: (_fields: object, text = '') => this.lines.push(`warn: ${text}`),
    error: (_fields: object, text = '') => this.lines.push(`error: ${text}`),
  };
}

interface Scene {
  readonly disk: FaultyDisk;
  readonly clock: ManualClock;
  readonly spy: LogSpy;
  readonly directory: StoreDirectory;
  readonly shard: ShardStore;
  readonly metric: (name: string) => Promise<number | undefined>;
  /** What a fresh start finds of shard 1. */
  reopened(): Promise<number[]>;
}

const times = async (shard: ShardStore): Promise<number[]> => [
  ...((await shard.select([], Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))[0]?.timestamps ?? []),
];

export function troubleSuite(tested: TestedEngine): void {
  const rule = (title: string, run: (scene: Scene) => Promise<void>, changes: Partial<StoreOptions> = {}) =>
    test(`${tested.name}: ${title}`, { skip: tested.skip }, () =>
      tested.withFolder(async (path, openEngine) => {
        const disk = new FaultyDisk(openEngine);
        const clock = new ManualClock(1000);
        const spy = new LogSpy();
        const registry = new Registry();
        const options = storeOptions({
          openEngine: disk.openEngine,
          clock,
          registry,
          log: spy.logger,
          ...changes,
        });
        const directory = await openStoreDirectory(path, options);
        const reopened = async (): Promise<number[]> => {
          await directory.close();
          const again = await openStoreDirectory(path, storeOptions({ openEngine: disk.openEngine }));
          const found = await times(await again.openShard(1));
          await again.close();
          return found;
        };
        const metric = async (name: string): Promise<number | undefined> =>
          (await registry.getSingleMetric(name)?.get())?.values[0]?.value;
        try {
          await run({ disk, clock, spy, directory, shard: await directory.openShard(1), metric, reopened });
        } finally {
          disk.refusal = undefined;
          await directory.close();
        }
      }),
    );

  for (const code of ['ENOSPC', 'EROFS', 'EIO'] as const) {
    rule(`${code}: writes are refused, reads served, until the disk takes data again`, async (scene) => {
      const { disk, clock, spy, shard, metric } = scene;
      await shard.append(batchOf([up, 1000, 1]), now);
      disk.refusal = diskError(code);
      await assert.rejects(shard.append(batchOf([up, 2000, 1]), now), refused);
      await assert.rejects(shard.append(batchOf([up, 2000, 1]), now), refused);
      await assert.rejects(shard.append(batchOf([up, 3000, 1]), now), refused);
      await assert.rejects(shard.sealNow(), refused);
      assert.equal((await times(shard))[0], 1000);
      assert.equal(await metric('torchring_tsdb_failing_stores'), 1);
      clock.advance(1000);
      await untilRefused(disk, 2);
      disk.refusal = undefined;
      await advanceUntil(clock, spy, /The disk takes data again/);
      assert.equal((await shard.append(batchOf([up, 3000, 1]), now)).appended, 1);
      // The sender repeats what was refused: it is there, and on disk, because a duplicate says so.
      assert.equal((await shard.append(batchOf([up, 3000, 1]), now)).duplicates, 1);
      assert.equal(await metric('torchring_tsdb_failing_stores'), 0);
      assert.ok(((await metric('torchring_tsdb_failed_writes_total')) ?? 0) >= 2);
      assert.deepEqual(
        spy.lines.map((line) => line.split(';')[0]),
        ['error: Writing to the disk failed', 'info: The disk takes data again'],
      );
      assert.deepEqual(await scene.reopened(), [1000, 2000, 3000]);
    });
  }

  rule('a write that landed in part is done whole when the trouble ends', async (scene) => {
    const { disk, clock, spy, directory, shard } = scene;
    const second = await directory.openShard(2);
    disk.tearAfter = 1;
    const appends = [shard, second].map((one) => one.append(batchOf([up, 1000, 1]), now));
    for (const append of appends) await assert.rejects(append, refused);
    await advanceUntil(clock, spy, /The disk takes data again/);
    await directory.close();
    assert.deepEqual(await times(second), []);
    assert.deepEqual(await scene.reopened(), [1000]);
  });

  rule('closing in trouble gives up what was refused, and nothing that was acknowledged', async (scene) => {
    const { disk, spy, shard, directory } = scene;
    await shard.append(batchOf([up, 1000, 1]), now);
    disk.refusal = diskError('ENOSPC');
    await assert.rejects(shard.append(batchOf([up, 2000, 1]), now), refused);
    await directory.close();
    assert.match(spy.lines.at(-1) ?? '', /Closing while the disk takes no data/);
    disk.refusal = undefined;
    assert.deepEqual(await scene.reopened(), [1000]);
  });

  rule('deletions that the trouble holds up are done ahead of anything new', async (scene) => {
    const { disk, clock, spy, shard } = scene;
    await shard.append(batchOf([up, 1000, 1]), now);
    disk.refusal = diskError('EIO');
    await assert.rejects(shard.deleteAll(), refused);
    disk.refusal = undefined;
    await advanceUntil(clock, spy, /The disk takes data again/);
    await shard.append(batchOf([up, 500, 1]), now);
    assert.deepEqual(await scene.reopened(), [500]);
  });

  rule('a flipped bit is found out: the log ends before it', async (scene) => {
    const { disk, shard } = scene;
    for (const t of [1000, 2000, 3000]) await shard.append(batchOf([up, t, 1]), now);
    let frames = 0;
    disk.damage = (key, value) => {
      if (key[2] !== 0x4c || ++frames !== 2) return value;
      const damaged = value.slice();
      damaged[damaged.length - 3] = (damaged.at(-3) as number) ^ 0x10;
      return damaged;
    };
    assert.deepEqual(await scene.reopened(), [1000]);
  });

  rule('a slow disk holds up acknowledgements, not reads', async ({ disk, shard }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.gate = promise;
    let isAcknowledged = false;
    const append = shard.append(batchOf([up, 1000, 1]), now).then(() => {
      isAcknowledged = true;
    });
    await new Promise((done) => setImmediate(done));
    assert.deepEqual([await times(shard), isAcknowledged], [[1000], false]);
    resolve();
    await append;
  });
}

/** Moves time until the line is logged; rejects when that does not come to pass. */
export async function advanceUntil(clock: ManualClock, spy: LogSpy, pattern: RegExp): Promise<void> {
  const endMs = performance.now() + recoveryDeadlineMs;
  while (!spy.lines.some((line) => pattern.test(line))) {
    if (performance.now() > endMs) throw new Error(`never logged ${pattern}, but ${spy.lines.join(', ')}`);
    clock.advance(30_000);
    // The retry does real input and output, whose end only the event loop tells.
    await new Promise((done) => setImmediate(done));
  }
}

async function untilRefused(disk: FaultyDisk, count: number): Promise<void> {
  while (disk.refused < count) await new Promise((done) => setImmediate(done));
}
