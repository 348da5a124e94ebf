import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../base/index.ts';
import { Labels } from '../model/index.ts';
import { openLevelEngine } from './level_engine.ts';
import { storeKey } from './log/keys.ts';
import { openStoreDirectory } from './shard/store_directory.ts';
import { storeOptions, withFolder } from './testing/fixtures.ts';

test('a store of an unknown version is left alone', () =>
  withFolder(async (path) => {
    const engine = await openLevelEngine(path);
    await engine.write([{ type: 'put', key: storeKey('V'), value: Uint8Array.of(9) }], true);
    await engine.close();
    await assert.rejects(openStoreDirectory(path, storeOptions()), {
      code: 'store_open',
      message: /has format version 9, this program knows 2/,
    });
    await assert.rejects(openStoreDirectory(path, storeOptions()), /version 9/);
  }));

test('what was sealed gives its place in the log back to the disk', () =>
  withFolder(async (path) => {
    const directory = await openStoreDirectory(path, storeOptions());
    const shard = await directory.openShard(7);
    const random = seededRandom(1);
    const count = 2000;
    const series = Array.from({ length: count }, (_, i) => Labels.fromRecord({ __name__: 'm', i: `${i}` }));
    const refs = Uint32Array.from(series, (_, i) => i);
    const rounds = 400;
    for (let k = 0; k < rounds; k++) {
      const timestamps = new Float64Array(count).fill(k * 1000);
      const values = Float64Array.from(series, () => random.below(100));
      await shard.append({ series, refs, timestamps, values }, { epoch: 1, nowMs: k * 1000 });
    }
    await shard.sealNow();
    await directory.maintain();
    await directory.close();
    let bytes = 0;
    for (const name of await readdir(path)) bytes += (await stat(join(path, name))).size;
    // Values below 100 take seven bits; in the log they take some three bytes after LevelDB's compression.
    assert.ok(bytes < 1.5 * count * rounds, `${bytes} bytes for ${count * rounds} samples`);
  }));
