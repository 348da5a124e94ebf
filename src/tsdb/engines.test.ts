import assert from 'node:assert/strict';
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { engineNamed } from './engines.ts';
import { openStoreDirectory } from './shard/store_directory.ts';
import { engineSuite } from './testing/engine_suite.ts';
import { batchOf, storeOptions } from './testing/fixtures.ts';
import { storeSuite } from './testing/store_suite.ts';
import { testedEngines } from './testing/tested_engines.ts';
import { troubleSuite } from './testing/trouble_suite.ts';

const now = { epoch: 1, nowMs: 10_000 };
const up = { __name__: 'up' };

for (const tested of testedEngines) {
  engineSuite(tested);
  storeSuite({
    name: tested.name,
    skip: tested.skip,
    withStore: (run) => tested.withFolder((path, openEngine) => run(path, { openEngine })),
  });
  troubleSuite(tested);
}

for (const tested of testedEngines.filter(({ name }) => name !== 'memory')) {
  const { name, skip } = tested;
  test(`${name}: a folder that is open already is refused with a reason`, { skip }, () =>
    tested.withFolder(async (path, openEngine) => {
      const engine = await openEngine(path);
      await assert.rejects(openEngine(path), {
        code: 'store_open',
        message: /cannot open the store in .*lock/i,
      });
      await engine.close();
    }),
  );

  test(`${name}: a folder with data that lost its CURRENT is refused, not emptied`, { skip }, () =>
    tested.withFolder(async (path, openEngine) => {
      const engine = await openEngine(path);
      await engine.write([{ type: 'put', key: Uint8Array.of(1), value: new Uint8Array(1000) }], true);
      await engine.close();
      await rm(join(path, 'CURRENT'));
      const before = await readdir(path);
      await assert.rejects(openEngine(path), { code: 'store_open', message: /CURRENT is missing/ });
      assert.deepEqual(await readdir(path), before);
    }),
  );

  test(`${name}: a crash while the folder was made does not make it unusable`, { skip }, () =>
    tested.withFolder(async (path, openEngine) => {
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'LOCK'), '');
      await writeFile(join(path, 'MANIFEST-000001'), Uint8Array.of(0x56, 0xf9));
      await (await openEngine(path)).close();
    }),
  );

  test(`${name}: a log file that was cut short costs what was behind the cut only`, { skip }, () =>
    tested.withFolder(async (path, openEngine) => {
      const options = storeOptions({ openEngine });
      const directory = await openStoreDirectory(path, options);
      const shard = await directory.openShard(1);
      for (let i = 1; i <= 200; i++)
        await shard.append(batchOf([up, i, i], [{ pad: 'x'.repeat(900) }, i, i]), now);
      await directory.close();
      const [log = ''] = (await readdir(path))
        .filter((file) => file.endsWith('.log'))
        .sort()
        .reverse();
      await truncate(join(path, log), 5000);
      const again = await openStoreDirectory(path, options);
      const { samples, maxTimeMs } = (await again.openShard(1)).stats();
      // The records that are there are the first ones, without a hole.
      assert.equal(samples, Math.max(0, maxTimeMs) * 2);
      await again.close();
    }),
  );

  test(`${name}: a table file that is missing is an error with its name, not an empty store`, { skip }, () =>
    tested.withFolder(async (path, openEngine) => {
      const engine = await openEngine(path);
      for (let i = 0; i < 200; i++) {
        const value = Uint8Array.from({ length: 100_000 }, (_, at) => Math.imul(at + i, 2654435761) >>> 24);
        await engine.write([{ type: 'put', key: Uint8Array.of(1, i), value }], false);
      }
      await engine.close();
      const tables = (await readdir(path)).filter((file) => /\.(ldb|sst)$/.test(file));
      assert.ok(tables.length > 0);
      for (const table of tables) await rm(join(path, table));
      await assert.rejects(openEngine(path), {
        code: 'store_open',
        message: /cannot open the store in .*\d{6}\.(ldb|sst)|missing/,
      });
    }),
  );
}

test('the engines have the names of the flag', () => {
  assert.notEqual(engineNamed('level'), engineNamed('rocksdb'));
});
