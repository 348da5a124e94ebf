import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RawRefs } from './raw_refs.ts';

test('the reference noted last for exactly these bytes is found', () => {
  const key = fc.uint8Array({ maxLength: 3, max: 2 });
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.nat(1e9)), { maxLength: 300 }), (steps) => {
      const refs = new RawRefs(7, { keysMax: 1000, bytesMax: 10_000 });
      const model = new Map<string, number>();
      for (const [bytes, ref] of steps) {
        assert.equal(refs.find(bytes, 0, bytes.length), model.get(bytes.join()) ?? -1);
        refs.set(Uint8Array.of(9, ...bytes, 9), 1, bytes.length + 1, ref);
        model.set(bytes.join(), ref);
        assert.equal(refs.find(bytes, 0, bytes.length), ref);
      }
      assert.equal(refs.size, model.size);
    }),
  );
});

test('keys and bytes are bounded; a table that is full starts afresh', () => {
  const refs = new RawRefs(7, { keysMax: 500, bytesMax: 4000 });
  const key = (n: number): Uint8Array => new Uint8Array(Buffer.from(`key ${n}`));
  for (let n = 0; n < 10_000; n++) {
    refs.set(key(n), 0, key(n).length, n);
    assert.equal(refs.find(key(n), 0, key(n).length), n);
    assert.ok(refs.size <= 500);
  }
  assert.ok(refs.heldBytes < 30_000);
  const long = new Uint8Array(5000);
  refs.set(long, 0, long.length, 1);
  assert.equal(refs.find(long, 0, long.length), -1);
});
