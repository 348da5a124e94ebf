import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdSet } from './id_set.ts';

test('property: it has what was added, near and far, and says what is new', () => {
  const near = fc.integer({ min: 1, max: 9000 });
  const id = fc.oneof(near, fc.integer({ min: 1, max: 2 ** 32 - 1 }), fc.constantFrom(2 ** 31, 2 ** 32 - 1));
  fc.assert(
    fc.property(fc.array(id), fc.array(id), (added, asked) => {
      const ids = new IdSet();
      const expected = new Set<number>();
      for (const one of added) {
        assert.equal(ids.add(one), !expected.has(one));
        expected.add(one);
      }
      for (const one of [...asked, ...added]) assert.equal(ids.has(one), expected.has(one));
    }),
  );
});
