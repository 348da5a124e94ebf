import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Matcher, MatchType } from '../../model/index.ts';
import { openLevelEngine } from '../level_engine.ts';
import { batchOf, printColumns, storeOptions, withFolder } from '../testing/fixtures.ts';
import { copyStore } from './store_copy.ts';
import { openStoreDirectory } from './store_directory.ts';

const all = [Matcher.create(MatchType.Equal, '__name__', 'm')];

test('a copy opens as a store with the same samples, sealed or not', () =>
  withFolder(async (path) => {
    const directory = await openStoreDirectory(join(path, 'a'), storeOptions());
    const shards = [await directory.openShard(3), await directory.openShard(70)];
    for (const [i, shard] of shards.entries()) {
      const row = (t: number): [Record<string, string>, number, number] => [
        { __name__: 'm', i: `${i}` },
        t,
        t,
      ];
      await shard.append(batchOf(row(1000), row(2000)), { epoch: 1, nowMs: 2000 });
      await shard.sealNow();
      await shard.append(batchOf(row(9_000_000)), { epoch: 1, nowMs: 9_000_000 });
    }
    await copyStore(join(path, 'b'), shards, openLevelEngine);
    const copy = await openStoreDirectory(join(path, 'b'), storeOptions());
    assert.deepEqual(await copy.listShards(), [3, 70]);
    for (const shard of shards) {
      const copied = await (await copy.openShard(shard.shard)).select(all, 0, 1e9);
      assert.equal(copied[0]?.timestamps.length, 3);
      assert.deepEqual(printColumns(copied), printColumns(await shard.select(all, 0, 1e9)));
    }
    await copy.close();
    await directory.close();
  }));
