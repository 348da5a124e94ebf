import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import { CounterResetHint } from './fields.ts';
import { FloatHistogram } from './float_histogram.ts';
import { HistogramTotal } from './total.ts';

function exponential(
  schema: number,
  zeroThreshold: number,
  first: number,
  counts: readonly number[],
): FloatHistogram {
  return new FloatHistogram({
    schema,
    zeroThreshold,
    zeroCount: 1,
    count: counts.reduce((a, b) => a + b, 1),
    sum: 5,
    positiveSpans: [{ offset: first, length: counts.length }],
    positiveBuckets: Float64Array.from(counts),
  });
}

function custom(bounds: readonly number[], counts: readonly number[]): FloatHistogram {
  return new FloatHistogram({
    schema: -53,
    count: 3,
    sum: 4,
    positiveSpans: [{ offset: 0, length: counts.length }],
    positiveBuckets: Float64Array.from(counts),
    customValues: Float64Array.from(bounds),
  });
}

function totalOf(histograms: readonly FloatHistogram[]): HistogramTotal {
  const total = new HistogramTotal();
  for (const histogram of histograms) total.add(histogram);
  return total;
}

function travelled(total: HistogramTotal): HistogramTotal {
  const writer = new ByteWriter();
  total.write(writer);
  const reader = new ByteReader(writer.finish());
  const read = HistogramTotal.read(reader);
  assert.equal(reader.remaining, 0);
  return read;
}

const layouts = fc.constantFrom(
  exponential(3, 0, -4, [1, 2, 3]),
  exponential(0, 0.001, 0, [4, 0, 5]),
  exponential(1, 0.4, 1, [0.1, 0.2]),
  exponential(-1, 0.3, 1, [7]),
);

test('the sum does not depend on how it was made of parts', () => {
  fc.assert(
    fc.property(
      fc.array(layouts, { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 6 }),
      fc.boolean(),
      (all, cut, swap) => {
        const parts = [all.slice(0, cut), all.slice(cut)].map((part) => travelled(totalOf(part)));
        const [first, second] = (swap ? parts.toReversed() : parts) as [HistogramTotal, HistogramTotal];
        first.merge(second);
        const merged = travelled(first).sum();
        const whole = totalOf(all).sum();
        assert.equal(merged?.zeroThreshold, whole?.zeroThreshold);
        assert.deepEqual(merged?.positiveSpans, whole?.positiveSpans);
        for (const [i, count] of (whole?.positiveBuckets ?? []).entries()) {
          assert.ok(Math.abs((merged?.positiveBuckets[i] ?? 0) - count) < 1e-12);
        }
      },
    ),
  );
});

test('one alone stays as it came; the mean of the largest counts does not overflow', () => {
  const tiny = new FloatHistogram({ count: 1, sum: 5e-324 });
  assert.equal(totalOf([tiny]).sum()?.sum, 5e-324);
  const huge = new FloatHistogram({ count: 1.7e308, sum: -1.7e308 });
  const total = totalOf([huge, huge]);
  assert.equal(total.mean()?.count, 1.7e308);
  assert.equal(total.sum()?.count, Number.POSITIVE_INFINITY);
});

test('the two kinds have no sum, whatever the order', () => {
  const mixed = [custom([1, 2], [1, 2]), exponential(0, 0, 0, [1])];
  for (const all of [mixed, mixed.toReversed()]) {
    const total = travelled(totalOf(all));
    assert.equal(total.isIncompatible, true);
    assert.equal(total.sum(), undefined);
  }
});

test('custom bounds that differ meet at those in common, and it is said', () => {
  const same = totalOf([custom([1, 2], [1, 2]), custom([1, 2], [1, 2])]);
  assert.equal(same.boundsReconciled, false);
  const different = travelled(totalOf([custom([1, 2], [1, 2]), custom([2, 3], [1, 2, 3])]));
  assert.equal(different.boundsReconciled, true);
  assert.deepEqual(different.sum()?.customValues, Float64Array.of(2));
});

test('hints meet as often as they like: opposite ones collide, a gauge makes a gauge', () => {
  const { Reset, NotReset, Gauge, Unknown } = CounterResetHint;
  const hinted = (...hints: CounterResetHint[]): HistogramTotal =>
    travelled(totalOf(hints.map((counterResetHint) => new FloatHistogram({ counterResetHint }))));
  assert.equal(hinted(Reset, Unknown, NotReset).counterResetCollision, true);
  assert.equal(hinted(Reset, Reset, Unknown).counterResetCollision, false);
  assert.equal(hinted(Reset, NotReset, Reset).sum()?.counterResetHint, Unknown);
  assert.equal(hinted(Reset, Gauge, Reset).sum()?.counterResetHint, Gauge);
  assert.equal(hinted(NotReset, NotReset).sum()?.counterResetHint, NotReset);
});

test('bytes that are no total are refused, or give one that can be added to', () => {
  fc.assert(
    fc.property(
      fc.array(layouts, { maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
      (all, damages) => {
        const writer = new ByteWriter();
        totalOf(all).write(writer);
        const bytes = writer.finish();
        for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
        try {
          const total = totalOf([exponential(0, 0.001, 0, [4, 0, 5])]);
          total.merge(HistogramTotal.read(new ByteReader(bytes)));
          total.sum();
        } catch (error) {
          assert.ok(error instanceof ByteFormatError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
