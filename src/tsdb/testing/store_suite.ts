/**
 * What every store directory must do, whatever engine is under it. `factory` gives a path and the options that name the
 * engine; opening the same path again must show what was written before.
 */
import assert from 'node:assert/strict';
import { test as nodeTest } from 'node:test';
import { Matcher, MatchType } from '../../model/index.ts';
import type { ShardStore } from '../shard/shard_store.ts';
import { openStoreDirectory, type StoreDirectory, type StoreOptions } from '../shard/store_directory.ts';
import type { AppendOutcome } from '../shard/verdicts.ts';
import { batchOf, batchOfBits, printColumns, storeOptions } from './fixtures.ts';

export interface StoreFactory {
  readonly name: string;
  /** Why it can't be run here. */
  readonly skip?: string | false;
  /** Calls `run` with a fresh path and cleans up. */
  withStore(run: (path: string, options: Partial<StoreOptions>) => Promise<void>): Promise<void>;
}

const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
const now = { epoch: 1, nowMs: 10_000 };
const up = { __name__: 'up', job: 'a' };
const staleBits = 0x7ff0000000000002n;

function counts(outcome: AppendOutcome): string {
  const { firstError: _, verdicts: __, ...verdicts } = outcome;
  return Object.entries(verdicts)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${verdict}=${count}`)
    .join(' ');
}

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function storeSuite(factory: StoreFactory): void {
  const title = (rule: string): string => `${factory.name}: ${rule}`;
  const test = (name: string, run: () => Promise<void>): void => {
    nodeTest(name, { skip: factory.skip ?? false }, run);
  };

  const withShard = (
    run: (
      shard: ShardStore,
      reopen: () => Promise<ShardStore>,
      directory: () => StoreDirectory,
    ) => Promise<void>,
    changes: Partial<StoreOptions> = {},
  ): Promise<void> =>
    factory.withStore(async (path, engine) => {
      let directory = await openStoreDirectory(path, storeOptions({ ...engine, ...changes }));
      const reopen = async (): Promise<ShardStore> => {
        await directory.close();
        directory = await openStoreDirectory(path, storeOptions({ ...engine, ...changes }));
        return directory.openShard(3);
      };
      await run(await directory.openShard(3), reopen, () => directory);
      await directory.close();
    });

  test(title('appended samples are selected, before and after a restart'), () =>
    withShard(async (shard, reopen) => {
      await shard.append(batchOf([up, 1000, 1], [{ __name__: 'up', job: 'b' }, 1000, 2]), now);
      await shard.append(batchOf([up, 2000, 3]), now);
      const before = printColumns(await shard.select([], ...everything));
      assert.equal(before.length, 2);
      const stats = shard.stats();
      const again = await reopen();
      assert.deepEqual(printColumns(await again.select([], ...everything)), before);
      assert.deepEqual(again.stats(), stats);
      assert.deepEqual([stats.series, stats.samples, stats.minTimeMs, stats.maxTimeMs], [2, 3, 1000, 2000]);
      assert.equal(counts(await again.append(batchOf([up, 3000, 4]), now)), 'appended=1');
    }),
  );

  test(title('the bits of NaN values survive memory, disk and export'), () =>
    withShard(async (shard, reopen) => {
      await shard.append(batchOfBits(up, 1000, staleBits), now);
      await shard.append(batchOfBits(up, 2000, 0xfff8000000abcdefn), now);
      const expected = ['up{job="a"} 1000=7ff0000000000002 2000=fff8000000abcdef'];
      assert.deepEqual(printColumns(await shard.select([], ...everything)), expected);
      const again = await reopen();
      assert.deepEqual(printColumns(await again.select([], ...everything)), expected);
      const [exported] = await gathered(again.export(10));
      const bits = new BigUint64Array(exported?.values.slice().buffer ?? new ArrayBuffer(0));
      assert.deepEqual([...bits], [staleBits, 0xfff8000000abcdefn]);
    }),
  );

  test(title('only the good samples of a batch are kept, and the others are counted'), () =>
    withShard(async (shard, reopen) => {
      await shard.append(batchOf([up, 5000, 1]), now);
      const other = { __name__: 'up', job: 'b' };
      const mixed = batchOf(
        [up, 4000, 1],
        [up, 5000, 2],
        [up, 5000, 1],
        [other, 6000, 7],
        [up, 1e9, 1],
        [up, 6000, 2],
      );
      const outcome = await shard.append(mixed, now);
      assert.equal(counts(outcome), 'appended=2 duplicates=1 outOfOrder=1 tooFarInFuture=1 conflicts=1');
      assert.equal(outcome.firstError, 'out of order sample: up{job="a"} at 4000 ms');
      const before = printColumns(await shard.select([], ...everything));
      assert.equal(before.length, 2);
      assert.deepEqual(printColumns(await (await reopen()).select([], ...everything)), before);
    }),
  );

  test(title('handed-over samples merge in at any age; the higher epoch stands, else the first'), () =>
    withShard(async (shard, reopen) => {
      await shard.append(batchOf([up, 5000, 1], [up, 6000, 2]), { epoch: 5, nowMs: 10_000 });
      const older = await shard.append(batchOf([up, 1000, 9], [up, 5000, 9], [up, 6000, 2]), {
        epoch: 4,
        nowMs: 10_000,
        bypassOutOfOrder: true,
      });
      assert.equal(counts(older), 'appended=1 duplicates=1 conflicts=1');
      const newer = await shard.append(batchOf([up, 6000, 8]), {
        epoch: 6,
        nowMs: 10_000,
        bypassOutOfOrder: true,
      });
      assert.equal(counts(newer), 'appended=1');
      const expected = ['up{job="a"} 1000=4022000000000000 5000=3ff0000000000000 6000=4020000000000000'];
      assert.deepEqual(printColumns(await shard.select([], ...everything)), expected);
      const again = await reopen();
      assert.deepEqual(printColumns(await again.select([], ...everything)), expected);
      const exported = await gathered(again.export(100));
      assert.deepEqual(
        exported.map(({ epoch, timestamps }) => [epoch, ...timestamps]),
        [
          [4, 1000],
          [5, 5000],
          [6, 6000],
        ],
      );
    }),
  );

  test(title('export gives everything in batches of the size asked for'), () =>
    withShard(async (shard) => {
      for (let i = 0; i < 7; i++)
        await shard.append(batchOf([up, 1000 + i, i], [{ a: 'b' }, 1000 + i, i]), now);
      const batches = await gathered(shard.export(4));
      assert.deepEqual(
        batches.map((batch) => batch.refs.length),
        [4, 4, 4, 2],
      );
    }),
  );

  test(title('retention drops old samples, empty series and old records'), () =>
    withShard(
      async (shard, reopen) => {
        await shard.append(batchOf([up, 1000, 1], [{ a: 'old' }, 1000, 1]), now);
        // Records are deleted by the block.
        for (let t = 1001; t < 1100; t++) await shard.append(batchOf([up, t, 1]), now);
        await shard.append(batchOf([up, 9000, 2]), now);
        const { logBytes } = shard.stats();
        await shard.maintain(12_000);
        assert.deepEqual(printColumns(await shard.select([], ...everything)), [
          'up{job="a"} 9000=4000000000000000',
        ]);
        assert.equal(shard.stats().series, 1);
        assert.ok(shard.stats().logBytes < logBytes);
        const tooOld = await shard.append(batchOf([up, 1000, 1]), { epoch: 1, nowMs: 12_000 });
        assert.equal(counts(tooOld), 'tooOld=1');
        const again = await reopen();
        assert.deepEqual(printColumns(await again.select([], ...everything)), [
          'up{job="a"} 9000=4000000000000000',
        ]);
        assert.equal(again.stats().logBytes, shard.stats().logBytes || again.stats().logBytes);
      },
      { retentionMs: 10_000 },
    ),
  );

  test(title('a deleted shard is empty at once and after a restart, and takes new samples'), () =>
    withShard(async (shard, reopen, directory) => {
      await shard.append(batchOf([up, 1000, 1]), now);
      const deleted = shard.deleteAll();
      assert.deepEqual(await shard.select([], ...everything), []);
      const appended = shard.append(batchOf([up, 500, 2]), now);
      await Promise.all([deleted, appended]);
      assert.deepEqual(await directory().listShards(), [3]);
      const again = await reopen();
      assert.deepEqual(printColumns(await again.select([], ...everything)), [
        'up{job="a"} 500=4000000000000000',
      ]);
      await again.deleteAll();
      assert.deepEqual(await directory().listShards(), []);
    }),
  );

  test(title('shards are apart, and listed'), () =>
    withShard(async (shard, _reopen, directory) => {
      const last = await directory().openShard(0xfffe);
      await last.append(batchOf([up, 1000, 1]), now);
      assert.deepEqual(await directory().listShards(), [0xfffe]);
      assert.deepEqual(await shard.select([], ...everything), []);
      await shard.append(batchOf([up, 1000, 2]), now);
      await shard.deleteAll();
      assert.equal((await directory().openShard(0xfffe)).stats().samples, 1);
      assert.equal(await directory().openShard(0xfffe), last);
    }),
  );

  test(title('names, values and label sets come from series with samples in range'), () =>
    withShard(async (shard) => {
      await shard.append(batchOf([up, 1000, 1], [{ __name__: 'x', zone: 'z' }, 5000, 1]), now);
      assert.deepEqual(await shard.labelNames([], 0, 2000), ['__name__', 'job']);
      assert.deepEqual(await shard.labelNames([], ...everything), ['__name__', 'job', 'zone']);
      assert.deepEqual(await shard.labelValues('__name__', [], ...everything), ['up', 'x']);
      const noZone = [Matcher.create(MatchType.Equal, 'zone', '')];
      assert.deepEqual(await shard.labelValues('__name__', noZone, ...everything), ['up']);
      const sets = (await shard.series([], 1001, 5000)).map(String);
      assert.deepEqual(sets, ['x{zone="z"}']);
      assert.deepEqual(await shard.select([], 1001, 4999), []);
    }),
  );

  test(title('the series limit refuses new series only'), () =>
    withShard(
      async (shard) => {
        const outcome = await shard.append(batchOf([up, 1000, 1], [{ a: 'b' }, 1000, 1], [up, 2000, 1]), now);
        assert.equal(counts(outcome), 'appended=2 limited=1');
        assert.match(outcome.firstError ?? '', /too many series/);
      },
      { seriesMax: 1 },
    ),
  );

  test(title('a batch that contradicts itself is refused whole'), () =>
    withShard(async (shard) => {
      const good = batchOf([up, 1000, 1]);
      const bad = [
        { ...good, refs: Uint32Array.of(1) },
        { ...good, timestamps: Float64Array.of(Number.NaN) },
        { ...good, timestamps: Float64Array.of(1.5) },
        { ...good, values: new Float64Array(0) },
      ];
      for (const batch of bad) await assert.rejects(shard.append(batch, now), { code: 'bad_batch' });
      assert.equal(shard.stats().series, 0);
    }),
  );

  test(title('after closing, appends are refused'), () =>
    withShard(async (shard, _reopen, directory) => {
      await directory().close();
      await assert.rejects(shard.append(batchOf([up, 1000, 1]), now), { code: 'store_closed' });
      await assert.rejects(directory().openShard(1), { code: 'store_closed' });
    }),
  );
}
