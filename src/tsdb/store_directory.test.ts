import assert from 'node:assert/strict';
import { test } from 'node:test';
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
