import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compareNatural } from './natural_order.ts';

test('runs of digits compare as numbers', () => {
  const sorted = ['', 'a', 'node1', 'node9', 'node10', 'node010x', 'node100', 'z'];
  assert.deepEqual([...sorted].reverse().sort(compareNatural), sorted);
});

test('it is an order', () => {
  const text = fc.stringMatching(/^[ab01]{0,5}$/);
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      assert.equal(Math.sign(compareNatural(a, b)), -Math.sign(compareNatural(b, a)) || 0);
      if (compareNatural(a, b) === 0) assert.equal(a, b);
      if (compareNatural(a, b) < 0 && compareNatural(b, c) < 0) assert.ok(compareNatural(a, c) < 0);
    }),
  );
});
