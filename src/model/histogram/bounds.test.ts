import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketBound, exponentialBound, intersectBounds, targetIndex } from './bounds.ts';

test('bounds are those that every Prometheus shows, to the last digit', () => {
  const cases: [index: number, schema: number, bound: number][] = [
    [0, 0, 1],
    [1, 0, 2],
    [-1, 0, 0.5],
    [3, 1, 2.82842712474619],
    [-1, 1, 0.7071067811865475],
    [1, 2, 1.189207115002721],
    [3, 2, 1.6817928305074288],
    [255, 8, 1.9945921121709396],
    [-2, -1, 0.0625],
    [1, -4, 65536],
  ];
  for (const [index, schema, bound] of cases)
    assert.equal(exponentialBound(index, schema), bound, `${index} ${schema}`);
});

test('the last bucket before infinity ends at the largest number, in every schema', () => {
  for (let schema = -4; schema <= 8; schema++) {
    const last = schema < 0 ? 1024 / 2 ** -schema : 1024 * 2 ** schema;
    assert.equal(exponentialBound(last, schema), Number.MAX_VALUE);
    assert.equal(exponentialBound(last + 1, schema), Number.POSITIVE_INFINITY);
  }
});

test('the smallest bounds are subnormal, then zero', () => {
  assert.equal(exponentialBound(-1074, 0), 5e-324);
  assert.equal(exponentialBound(-1040, 0), 2 ** -1040);
  assert.equal(exponentialBound(-(2 ** 31), 8), 0);
  assert.equal(exponentialBound(2 ** 31 - 1, -4), Number.POSITIVE_INFINITY);
});

test('powers of two are exact', () => {
  let power = 1;
  for (let i = 0; i < 1024; i++, power *= 2) assert.equal(exponentialBound(i, 0), power);
});

test('property: bounds rise, and are near the exact power', () => {
  const schema = fc.integer({ min: -4, max: 8 });
  fc.assert(
    fc.property(schema, fc.double({ min: -1000, max: 1000, noNaN: true }), (n, exponent) => {
      const index = Math.floor(exponent * 2 ** n);
      const bound = exponentialBound(index, n);
      assert.ok(bound > exponentialBound(index - 1, n));
      assert.ok(Math.abs(bound / 2 ** (index / 2 ** n) - 1) < 1e-12);
    }),
  );
});

test('property: a bucket lies inside the bucket it is merged into', () => {
  const schemas = fc.tuple(fc.integer({ min: -4, max: 8 }), fc.integer({ min: -4, max: 8 }));
  fc.assert(
    fc.property(schemas, fc.integer({ min: -3000, max: 3000 }), ([a, b], index) => {
      const [from, to] = [Math.max(a, b), Math.min(a, b)];
      const target = targetIndex(index, from, to);
      assert.ok(exponentialBound(index, from) <= exponentialBound(target, to));
      assert.ok(exponentialBound(index - 1, from) >= exponentialBound(target - 1, to));
    }),
  );
});

test('custom bounds have an infinite bucket at each end', () => {
  const bounds = Float64Array.of(1, 5);
  assert.deepEqual(
    [-1, 0, 1, 2].map((i) => bucketBound(i, -53, bounds)),
    [Number.NEGATIVE_INFINITY, 1, 5, Number.POSITIVE_INFINITY],
  );
  assert.deepEqual(
    intersectBounds(Float64Array.of(1, 2, 5), Float64Array.of(2, 3, 5)),
    Float64Array.of(2, 5),
  );
});
