/** A disk that is really full: a small file system in memory, where this machine lets one be mounted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ShardStore } from './shard/shard_store.ts';
import { openStoreDirectory } from './shard/store_directory.ts';
import { batchOf, ManualClock, storeOptions } from './testing/fixtures.ts';
import { testedEngines } from './testing/tested_engines.ts';
import { advanceUntil, LogSpy } from './testing/trouble_suite.ts';

const diskBytes = 40 << 20;
/** Most of it: compacting what fits beside it needs as much room again. */
const ballastBytes = 30 << 20;
/** More than the disk holds. */
const appendsMax = 2000;
const padBytes = 20_000;

const mountPoint = mkdtempSync(join(tmpdir(), 'torchring-disk-'));
const mounted = mount();

function mount(): boolean {
  if (process.platform !== 'linux') return false;
  const words = ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', mountPoint];
  return run('mount', words);
}

function run(program: string, words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0;
}

after(() => {
  // Lazily, so that a failed test that still has files open leaves nothing behind.
  if (mounted) run('umount', ['-l', mountPoint]);
  rmSync(mountPoint, { recursive: true, force: true });
});

/** One sample of a series whose labels no engine can compress. */
async function appendNoise(shard: ShardStore, t: number): Promise<void> {
  const labels = { __name__: 'noise', pad: randomBytes(padBytes / 2).toString('hex') };
  await shard.append(batchOf([labels, t, t]), { epoch: 1, nowMs: t });
}

const times = async (shard: ShardStore): Promise<Set<number>> =>
  new Set((await shard.select([], 0, Number.MAX_SAFE_INTEGER)).flatMap(({ timestamps }) => [...timestamps]));

for (const { name, skip, withFolder } of testedEngines.filter((one) => one.name !== 'memory')) {
  const reason = skip === false && !mounted ? 'NOT CHECKED: no file system can be mounted here' : skip;
  test(
    `${name}: a full disk costs nothing that was acknowledged, and is left behind when there is room`,
    {
      skip: reason,
    },
    () =>
      withFolder(async (_folder, openEngine) => {
        const path = join(mountPoint, name);
        const ballast = join(mountPoint, 'ballast');
        writeFileSync(ballast, Buffer.alloc(ballastBytes, 1));
        const clock = new ManualClock();
        const spy = new LogSpy();
        const options = storeOptions({ openEngine, clock, log: spy.logger, fsync: 'interval' });
        const directory = await openStoreDirectory(path, options);
        const shard = await directory.openShard(1);
        let t = 0;
        const fill = async (): Promise<void> => {
          while (t < appendsMax) await appendNoise(shard, ++t);
        };
        await assert.rejects(fill, { code: 'store_failed' });
        const acknowledged = t - 1;
        assert.ok(acknowledged > 100, `only ${acknowledged} appends fit`);
        assert.equal((await times(shard)).has(acknowledged), true);
        await assert.rejects(appendNoise(shard, t + 1), { code: 'store_failed' });
        // Attempts on the disk that is still full change nothing.
        for (let i = 0; i < 3; i++) {
          clock.advance(30_000);
          await new Promise((done) => setTimeout(done, 50));
        }
        assert.equal(spy.lines.length, 1, spy.lines.join('\n'));
        await assert.rejects(appendNoise(shard, t + 1), { code: 'store_failed' });

        rmSync(ballast);
        await advanceUntil(clock, spy, /The disk takes data again/);
        for (let i = 0; i < 50; i++) await appendNoise(shard, ++t);
        await directory.close();
        const again = await openStoreDirectory(path, storeOptions({ openEngine, log: spy.logger }));
        const found = await times(await again.openShard(1));
        for (let time = 1; time <= t; time++) assert.ok(found.has(time), `${time} of ${t} is missing`);
        await again.close();
        rmSync(path, { recursive: true });
        assert.equal(spy.lines.length, 2, spy.lines.join('\n'));
      }),
  );
}
