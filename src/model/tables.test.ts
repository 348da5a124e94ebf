import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteTable } from './byte_table.ts';
import { TextCache } from './text_cache.ts';

test('a table of bytes behaves as a map does, also after keys are dropped', () => {
  const keys = fc.array(fc.uint8Array({ maxLength: 6, max: 2 }), { maxLength: 60 });
  fc.assert(
    fc.property(keys, fc.integer(), (list, seed) => {
      let table = new ByteTable(seed);
      const model = new Map<string, number>();
      const check = (): void => {
        for (const key of list) {
          const found = table.find(key, 0, key.length);
          assert.equal(found, model.get(key.toString()) ?? -1);
          if (found >= 0) assert.deepEqual([...table.key(found)], [...key]);
          const body = Uint8Array.of(9, ...key);
          for (let id = 0; id < table.size; id++) {
            const end = table.matchEnd(id, body, 1);
            assert.equal(table.matchEndIn(id, new DataView(body.buffer), 1), end);
            if (id === found) assert.equal(end, body.length);
          }
        }
        assert.equal(table.size, model.size);
      };
      for (const key of list) {
        if (model.has(key.toString())) continue;
        model.set(key.toString(), table.add(key, 0, key.length));
      }
      check();
      table = table.retain((id) => id % 3 !== 0);
      const kept = [...model].filter(([, id]) => id % 3 !== 0);
      model.clear();
      for (const [index, [key]] of kept.entries()) model.set(key, index);
      check();
    }),
    { numRuns: 200 },
  );
});

test('equal bytes are the same string, and the cache stays bounded', () => {
  const cache = new TextCache(1);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  assert.equal(cache.text(encode('xaby'), 1, 3), 'ab');
  assert.equal(cache.text(encode('ab'), 0, 2), 'ab');
  assert.equal(cache.text(Uint8Array.of(0xff), 0, 1), undefined);
  for (let i = 0; i < 120_000; i++) {
    const body = encode(`v${i}`);
    assert.equal(cache.text(body, 0, body.length), `v${i}`);
  }
  assert.ok(cache.size <= 50_000);
});

test('a key is recognised by its bits, also where eight of its bytes are a zero or no number', () => {
  const table = new ByteTable(1);
  const zero = new Uint8Array(17);
  const minusZero = Uint8Array.from(zero, (_, i) => (i === 7 ? 0x80 : 0));
  const noNumber = new Uint8Array(17).fill(0xff);
  const otherNoNumber = Uint8Array.from(noNumber, (byte, i) => (i === 3 ? 0xfe : byte));
  const all = [zero, minusZero, noNumber, otherNoNumber];
  for (const key of all) table.add(key, 0, key.length);
  for (const [id] of all.entries()) {
    for (const [other, body] of all.entries()) {
      const end = table.matchEndIn(id, new DataView(body.buffer), 0);
      assert.equal(end, id === other ? body.length : -1, `key ${id} in body ${other}`);
    }
  }
});
