import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteFormatError } from '../base/index.ts';
import { Labels } from './labels.ts';
import { setStaleNaN, staleNaNBits } from './stale.ts';
import { decodeWriteBatch, encodeWriteBatch, WriteBatchBuilder } from './write_batch.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const labels = fc
  .array(fc.tuple(text, text), { maxLength: 4 })
  .map((pairs) => Labels.fromPairs(new Map(pairs)));
const sample = fc.tuple(
  labels,
  fc.integer({ min: -1e14, max: 1e14 }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

test('property: every sample comes back with its labels, time and bits', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 150 }), (samples) => {
      const builder = new WriteBatchBuilder();
      for (const [of, timeMs, bits] of samples) {
        builder.addFrom(of, timeMs, new Float64Array(BigUint64Array.of(bits).buffer), 0);
      }
      const batch = decodeWriteBatch(encodeWriteBatch(builder.finish()));
      const bits = new BigUint64Array(batch.values.buffer);
      assert.equal(batch.refs.length, samples.length);
      for (const [i, [of, timeMs, value]] of samples.entries()) {
        assert.ok(batch.series[batch.refs[i] as number]?.equals(of));
        assert.equal(batch.timestamps[i], timeMs);
        assert.equal(bits[i], value);
      }
      assert.equal(batch.series.length, new Set(samples.map(([of]) => of.key())).size);
    }),
    { numRuns: 100 },
  );
});

test('the staleness marker survives', () => {
  const builder = new WriteBatchBuilder();
  const values = new Float64Array(2);
  setStaleNaN(values, 1);
  builder.addFrom(Labels.fromRecord({ a: '1' }), 5, values, 1);
  const { values: decoded } = decodeWriteBatch(encodeWriteBatch(builder.finish()));
  assert.equal(new BigUint64Array(decoded.buffer)[0], staleNaNBits);
});

test('property: damaged bytes are refused as such or read as some batch, never worse', () => {
  const builder = new WriteBatchBuilder();
  for (let i = 0; i < 5; i++) builder.add(Labels.fromRecord({ __name__: 'up', i: String(i % 3) }), i, i);
  const bytes = encodeWriteBatch(builder.finish());
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 3 });
  fc.assert(
    fc.property(damage, fc.nat(bytes.length), (changes, length) => {
      const damaged = bytes.slice(0, length);
      for (const [at, value] of changes) if (at < length) damaged[at] = value;
      try {
        const batch = decodeWriteBatch(damaged);
        for (const ref of batch.refs) assert.ok(batch.series[ref] !== undefined);
      } catch (error) {
        assert.ok(error instanceof ByteFormatError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('an unknown version is refused', () => {
  assert.throws(() => decodeWriteBatch(Uint8Array.of(9, 0, 0)), ByteFormatError);
});
