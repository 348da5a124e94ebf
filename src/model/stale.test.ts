import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStaleNaN, normalizeNaN, normalNaNBits, setNormalNaN, setStaleNaN, staleNaNBits } from './stale.ts';

const bitsOf = (values: Float64Array): bigint[] => [...new BigUint64Array(values.buffer)];

test('both NaNs are written bit for bit, and only the marker is the marker', () => {
  const values = new Float64Array(4);
  setStaleNaN(values, 1);
  setNormalNaN(values, 2);
  values[3] = Number.NaN;
  assert.deepEqual(bitsOf(values).slice(0, 3), [0n, 0x7ff0000000000002n, 0x7ff8000000000001n]);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => isStaleNaN(values, i)),
    [false, true, false, false],
  );
});

test('other NaNs become the ordinary one; marker and numbers stay', () => {
  const bits = [
    0x7ff8000000000000n,
    0xfff8dead00000002n,
    0x7ff0000000000003n,
    staleNaNBits,
    normalNaNBits,
    0x3ff0000000000000n,
  ];
  const values = new Float64Array(new BigUint64Array(bits).buffer);
  for (let i = 0; i < values.length; i++) normalizeNaN(values, i);
  assert.deepEqual(bitsOf(values), [
    normalNaNBits,
    normalNaNBits,
    normalNaNBits,
    staleNaNBits,
    normalNaNBits,
    bits[5],
  ]);
});

test('the marker survives hot code', () => {
  const values = new Float64Array(1);
  const plain = Float64Array.of(1.5);
  setStaleNaN(values, 0);
  let found = 0;
  for (let i = 0; i < 50_000; i++) found += Number(isStaleNaN(values, 0)) + Number(isStaleNaN(plain, 0));
  assert.equal(found, 50_000);
  assert.deepEqual(bitsOf(values), [staleNaNBits]);
});

test('an index outside is not stale', () => {
  assert.equal(isStaleNaN(new Float64Array(1), 5), false);
});
