/** Sealed windows on every engine: what a set of windows promises must not hang on the one that the other tests use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Matcher, MatchType } from '../../model/index.ts';
import type { StoreEngine } from '../engine.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { testedEngines } from '../testing/tested_engines.ts';
import { windowMs } from './limits.ts';
import { ArrayModel, printColumns, printExport, type Row, seriesOf } from './testing/array_model.ts';
import { everything, windowDeps } from './testing/fixtures.ts';
import { WindowSet } from './window_set.ts';

const shard = 5;
const metricA = Matcher.create(MatchType.Equal, '__name__', 'm1');

/** Enough for several pages; targets share their times, which are no steady interval. */
function rowsOf(startMs: number, salt: number): Row[] {
  const rows: Row[] = [];
  const bits = new BigUint64Array(1);
  const value = new Float64Array(bits.buffer);
  for (let metric = 0; metric < 6; metric++) {
    for (let target = 0; target < 8; target++) {
      for (let i = 0; i < 60; i++) {
        value[0] = Math.sin(i * (metric + 1) + target + salt);
        const isHistogram = metric === 4 && i % 2 === 0;
        rows.push({
          name: `m${metric}`,
          zone: `z${target}`,
          t: startMs + i * 15_000 + ((i * (target + 3)) % 11),
          bits: isHistogram ? 0n : (bits[0] ?? 0n),
          start: metric === 5 ? startMs + 1 + (i > 30 ? 5 : 0) : 0,
          histogram: isHistogram ? i + 1 : 0,
        });
      }
    }
  }
  return rows;
}

async function open(engine: StoreEngine): Promise<WindowSet> {
  return WindowSet.open(shard, await windowDeps(new MemoryDisk(), { engine }));
}

async function keysOf(engine: StoreEngine): Promise<number> {
  let keys = 0;
  const range = { from: new Uint8Array([0, shard]), to: new Uint8Array([0, shard + 1]) };
  for await (const _entry of engine.entries(range)) keys++;
  return keys;
}

for (const tested of testedEngines) {
  test(
    `${tested.name}: windows are sealed, read, deleted from, joined, copied and dropped`,
    {
      skip: tested.skip,
    },
    () =>
      tested.withFolder(async (path, openEngine) => {
        const model = new ArrayModel();
        let engine = await openEngine(path);
        let set = await open(engine);
        for (let at = 0; at < 3; at++) {
          const rows = rowsOf(at * windowMs, at);
          await set.seal({ startMs: at * windowMs, epoch: 1, series: seriesOf(rows) });
          model.follow(set.windows(), rows);
        }
        const check = async (): Promise<void> => {
          const whole = model.print([], ...everything);
          assert.deepEqual(printColumns(await set.select([], ...everything)), whole);
          const part = [[metricA], windowMs + 100_000, 2 * windowMs + 50_000] as const;
          assert.deepEqual(printColumns(await set.select(...part)), model.print(...part));
          assert.deepEqual(await printExport(set.exportSeries()), whole);
        };
        await check();
        await set.delete([metricA], 30_000, windowMs + 200_000);
        model.delete([metricA], 30_000, windowMs + 200_000);
        await check();
        await engine.close();
        engine = await openEngine(path);
        set = await open(engine);
        await check();
        while (await set.compact(100 * windowMs)) model.follow(set.windows(), []);
        await set.settle();
        assert.equal(set.stats().windows, 1);
        await check();
        const copy = await new MemoryDisk().openEngine('');
        for await (const [key, value] of set.snapshot())
          await copy.write([{ type: 'put', key, value }], true);
        assert.deepEqual(
          printColumns(await (await open(copy)).select([], ...everything)),
          model.print([], ...everything),
        );
        assert.ok((await keysOf(engine)) > 5);
        await set.dropAll();
        await set.settle();
        assert.equal(await keysOf(engine), 0);
        await engine.close();
      }),
  );
}
