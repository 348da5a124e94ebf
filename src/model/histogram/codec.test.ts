import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import { readHistogram, writeHistogram } from './codec.ts';
import { CounterResetHint } from './fields.ts';
import { FloatHistogram } from './float_histogram.ts';

function bytesOf(histogram: FloatHistogram): Uint8Array {
  const writer = new ByteWriter();
  writeHistogram(writer, histogram);
  return writer.finish();
}

const span = fc.record(
  {
    offset: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    length: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  },
  { noNullPrototype: true },
);
const floats = fc.array(fc.double(), { maxLength: 40 }).map((values) => Float64Array.from(values));
const shared = {
  count: fc.double(),
  sum: fc.double(),
  positiveSpans: fc.array(span, { maxLength: 5 }),
  positiveBuckets: floats,
  counterResetHint: fc.constantFrom(...Object.values(CounterResetHint)),
  isInteger: fc.boolean(),
  isStale: fc.boolean(),
};
const exponential = fc.record({
  ...shared,
  schema: fc.integer({ min: -4, max: 8 }),
  zeroThreshold: fc.double(),
  zeroCount: fc.double(),
  negativeSpans: fc.array(span, { maxLength: 5 }),
  negativeBuckets: floats,
});
/** Zero counts other than 0 come of operators alone: 0 / 0. */
const custom = fc.record({
  ...{ ...shared, schema: fc.constant(-53), customValues: floats },
  zeroCount: fc.constantFrom(0, 0, Number.NaN, -0),
});

test('property: a histogram comes back in all its fields', () => {
  fc.assert(
    fc.property(fc.oneof(exponential, custom), (fields) => {
      const histogram = new FloatHistogram(fields);
      const reader = new ByteReader(bytesOf(histogram));
      assert.deepStrictEqual({ ...readHistogram(reader) }, { ...histogram });
      assert.equal(reader.remaining, 0);
    }),
  );
});

test('property: damaged bytes are refused as such or read as some histogram, and every operation on it ends', () => {
  const bytes = bytesOf(
    new FloatHistogram({
      zeroThreshold: 0.5,
      positiveSpans: [{ offset: 1, length: 3 }],
      positiveBuckets: Float64Array.of(1, 2, 3),
      negativeSpans: [{ offset: -5, length: 1 }],
      negativeBuckets: Float64Array.of(4),
    }),
  );
  const whole = readHistogram(new ByteReader(bytes));
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(damage, (changes) => {
      const damaged = bytes.slice();
      for (const [at, value] of changes) damaged[at] = value;
      try {
        const histogram = readHistogram(new ByteReader(damaged));
        histogram.toString();
        histogram.compact(1_000_000);
        histogram.detectReset(whole);
        if (!histogram.usesCustomBuckets && histogram.schema >= -4 && histogram.schema <= 8)
          histogram.add(whole);
      } catch (error) {
        assert.ok(error instanceof ByteFormatError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
