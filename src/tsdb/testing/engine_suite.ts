/** What every store engine must do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyOperation, StoreEngine } from '../engine.ts';
import type { TestedEngine } from './tested_engines.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const put = (key: Uint8Array, value: Uint8Array): KeyOperation => ({ type: 'put', key, value });
const all = { from: bytes(0), to: bytes(0xff, 0xff) };

async function keysOf(engine: StoreEngine, ...args: Parameters<StoreEngine['entries']>): Promise<number[][]> {
  const keys: number[][] = [];
  for await (const [key] of engine.entries(...args)) keys.push([...key]);
  return keys;
}

export function engineSuite(tested: TestedEngine): void {
  const rule = (
    title: string,
    run: (engine: StoreEngine, reopen: () => Promise<StoreEngine>) => Promise<void>,
  ) =>
    test(`${tested.name}: ${title}`, { skip: tested.skip }, () =>
      tested.withFolder(async (path, openEngine) => {
        let engine = await openEngine(path);
        const reopen = async (): Promise<StoreEngine> => {
          await engine.close();
          engine = await openEngine(path);
          return engine;
        };
        await run(engine, reopen);
        await engine.close();
      }),
    );

  rule('entries come in the order of their keys as unsigned bytes, a shorter key first', async (engine) => {
    const keys = [bytes(0x80), bytes(0x7f, 0xff), bytes(1), bytes(1, 0), bytes(0xfe), bytes(1, 0, 0)];
    await engine.write(
      keys.map((key) => put(key, key)),
      false,
    );
    const sorted = [[1], [1, 0], [1, 0, 0], [0x7f, 0xff], [0x80], [0xfe]];
    assert.deepEqual(await keysOf(engine, all), sorted);
    assert.deepEqual(await keysOf(engine, all, { reverse: true }), [...sorted].reverse());
    assert.deepEqual(await keysOf(engine, all, { limit: 2 }), sorted.slice(0, 2));
    assert.deepEqual(await keysOf(engine, all, { reverse: true, limit: 1 }), [[0xfe]]);
    assert.deepEqual(await keysOf(engine, { from: bytes(1, 0), to: bytes(0x80) }), sorted.slice(1, 4));
    assert.deepEqual(await keysOf(engine, { from: bytes(2), to: bytes(2) }), []);
    assert.deepEqual(await engine.firstKey({ from: bytes(2), to: bytes(0xff) }), bytes(0x7f, 0xff));
    assert.equal(await engine.firstKey({ from: bytes(0xff), to: bytes(0xff, 1) }), undefined);
  });

  rule('values come back byte by byte, as plain arrays that are nobody else’s', async (engine, reopen) => {
    const value = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) & 0xff);
    await engine.write([put(bytes(1), value), put(bytes(2), bytes())], true);
    const again = await reopen();
    const [first, second, none] = await again.getMany([bytes(1), bytes(2), bytes(3)]);
    assert.deepEqual(first, value);
    assert.deepEqual(second, bytes());
    assert.equal(none, undefined);
    assert.equal(await again.get(bytes(3)), undefined);
    const read = await again.get(bytes(1));
    assert.equal(Object.getPrototypeOf(read), Uint8Array.prototype);
    read?.fill(0);
    assert.deepEqual(await again.get(bytes(1)), value);
  });

  rule('more entries than one block holds all come', async (engine) => {
    const count = 2500;
    const key = (i: number): Uint8Array => bytes(1, i >> 8, i & 0xff);
    await engine.write(
      Array.from({ length: count }, (_, i) => put(key(i), new Uint8Array(2000).fill(i & 0xff))),
      false,
    );
    let next = 0;
    for await (const [found, value] of engine.entries(all)) {
      assert.deepEqual(found, key(next));
      assert.equal(value[1999], next & 0xff);
      next++;
    }
    assert.equal(next, count);
    const last = await keysOf(engine, all, { reverse: true, limit: 1500 });
    assert.deepEqual([last.length, last.at(-1)], [1500, [...key(1000)]]);
  });

  rule('what is read does not change while it is read', async (engine) => {
    await engine.write([put(bytes(1), bytes(1)), put(bytes(2), bytes(1)), put(bytes(3), bytes(1))], false);
    const seen: number[][] = [];
    for await (const [key, value] of engine.entries(all)) {
      if (seen.length === 0) {
        await engine.write(
          [put(bytes(2), bytes(9)), put(bytes(4), bytes(9)), { type: 'del', key: bytes(3) }],
          false,
        );
      }
      seen.push([...key, ...value]);
    }
    assert.deepEqual(seen, [
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    assert.deepEqual(await keysOf(engine, all), [[1], [2], [4]]);
  });

  rule('of two operations on a key the later counts, and a reader may stop early', async (engine) => {
    await engine.write(
      [put(bytes(1), bytes(1)), { type: 'del', key: bytes(1) }, put(bytes(2), bytes(2))],
      false,
    );
    for await (const [key] of engine.entries(all)) {
      assert.deepEqual(key, bytes(2));
      break;
    }
  });

  rule(
    'a cleared range is gone, its neighbours stay, and it can be written again',
    async (engine, reopen) => {
      await engine.write(
        [1, 2, 3, 4].map((key) => put(bytes(key), bytes(key))),
        false,
      );
      await engine.clear({ from: bytes(2), to: bytes(4) });
      assert.deepEqual(await keysOf(engine, all), [[1], [4]]);
      await engine.write([put(bytes(3), bytes(7))], true);
      const again = await reopen();
      assert.deepEqual(await keysOf(again, all), [[1], [3], [4]]);
      assert.deepEqual(await again.get(bytes(3)), bytes(7));
    },
  );

  rule('the size of a range is about what is in it', async (engine, reopen) => {
    const noise = (seed: number): Uint8Array =>
      Uint8Array.from({ length: 60_000 }, (_, i) => Math.imul(i + seed * 7919, 2654435761) >>> 24);
    await engine.write(
      Array.from({ length: 100 }, (_, i) => put(bytes(1, i), noise(i))),
      true,
    );
    const again = await reopen();
    assert.equal(await again.approximateSize({ from: bytes(2), to: bytes(3) }), 0);
    const size = await again.approximateSize({ from: bytes(1), to: bytes(2) });
    assert.ok(size > 500_000 && size < 9_000_000, `${size}`);
  });

  rule('a range that is compacted keeps what was not deleted', async (engine) => {
    await engine.write([put(bytes(1), bytes(1)), put(bytes(2), bytes(2)), put(bytes(3), bytes(3))], true);
    await engine.write([{ type: 'del', key: bytes(2) }], true);
    await engine.compact({ from: bytes(1), to: bytes(4) });
    assert.deepEqual(await keysOf(engine, all), [[1], [3]]);
  });
}
