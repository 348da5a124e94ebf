import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HistogramError } from '../errors.ts';
import { HistogramAccumulator } from './accumulator.ts';
import { exponentialBound } from './bounds.ts';
import { CounterResetHint, type HistogramFields, type Span } from './fields.ts';
import { FloatHistogram, supportedSchema } from './float_histogram.ts';
import { countsFromDeltas, deltasFromCounts, indicesOf, spansOf } from './spans.ts';

const spans = (...pairs: [offset: number, length: number][]): Span[] =>
  pairs.map(([offset, length]) => ({ offset, length }));

const mixed = new FloatHistogram({
  schema: 0,
  count: 12,
  sum: 18.4,
  zeroThreshold: 0.001,
  zeroCount: 2,
  positiveSpans: spans([0, 2], [1, 2]),
  positiveBuckets: Float64Array.of(2, 1, 0, 3),
  negativeSpans: spans([1, 2]),
  negativeBuckets: Float64Array.of(1, 3),
});

const custom = (bounds: number[], counts: number[]): FloatHistogram =>
  new FloatHistogram({
    schema: -53,
    count: counts.reduce((sum, count) => sum + count, 0),
    sum: 7,
    positiveSpans: spans([0, counts.length]),
    positiveBuckets: Float64Array.from(counts),
    customValues: Float64Array.from(bounds),
  });

/** A model of an exponential histogram: bucket index to count, per side. */
interface Model {
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  positive: Map<number, number>;
  negative: Map<number, number>;
}

const buckets = fc
  .array(fc.tuple(fc.integer({ min: -12, max: 12 }), fc.integer({ min: 0, max: 9 })), { maxLength: 6 })
  .map((entries) => new Map(entries.sort((a, b) => a[0] - b[0])));

const model: fc.Arbitrary<Model> = fc.record({
  schema: fc.integer({ min: -2, max: 4 }),
  zeroThreshold: fc.constantFrom(0, 2 ** -128, 0.001, 0.5, 0.7071067811865475, 1.5, 8),
  zeroCount: fc.integer({ min: 0, max: 9 }),
  positive: buckets,
  negative: buckets,
});

const total = (side: Map<number, number>): number =>
  [...side.values()].reduce((sum, count) => sum + count, 0);

function histogramOf(from: Model, more: Partial<HistogramFields> = {}): FloatHistogram {
  return new FloatHistogram({
    schema: from.schema,
    zeroThreshold: from.zeroThreshold,
    zeroCount: from.zeroCount,
    count: from.zeroCount + total(from.positive) + total(from.negative),
    sum: 1,
    positiveSpans: spansOf(Int32Array.from(from.positive.keys())),
    positiveBuckets: Float64Array.from(from.positive.values()),
    negativeSpans: spansOf(Int32Array.from(from.negative.keys())),
    negativeBuckets: Float64Array.from(from.negative.values()),
    ...more,
  });
}

/** Buckets of the model that do not overlap its zero bucket, as a real source would have them. */
const clean: fc.Arbitrary<Model> = model.map((from) => {
  const outside = (side: Map<number, number>): Map<number, number> =>
    new Map([...side].filter(([index]) => exponentialBound(index - 1, from.schema) >= from.zeroThreshold));
  return { ...from, positive: outside(from.positive), negative: outside(from.negative) };
});

const counted = (histogram: FloatHistogram): number =>
  histogram.zeroCount +
  [...histogram.positiveBuckets, ...histogram.negativeBuckets].reduce((sum, count) => sum + count, 0);

/** How many observations lie at or below the value, when the value is a bucket bound of the histogram. */
function countUpTo(histogram: FloatHistogram, value: number): number {
  return histogram.allBuckets().reduce((sum, bucket) => sum + (bucket.upper <= value ? bucket.count : 0), 0);
}

test('printed as Prometheus prints it, buckets ascending and empty ones left out', () => {
  const text = '{count:12, sum:18.4, [-4,-2):3, [-2,-1):1, [-0.001,0.001]:2, (0.5,1]:2, (1,2]:1, (8,16]:3}';
  assert.equal(mixed.toString(), text);
  assert.equal(custom([1, 5], [2, 0, 1]).toString(), '{count:3, sum:7, [-Inf,1]:2, (5,+Inf]:1}');
  assert.equal(new FloatHistogram({}).toString(), '{count:0, sum:0}');
});

test('written in the notation of unit tests, gaps as zeros', () => {
  assert.equal(
    mixed.withHint(CounterResetHint.Gauge).toNotation(),
    '{{count:12 sum:18.4 z_bucket:2 z_bucket_w:0.001 counter_reset_hint:gauge buckets:[2 1 0 0 3] n_offset:1 n_buckets:[1 3]}}',
  );
  assert.equal(
    custom([1, 5], [2, 0, 1]).toNotation(),
    '{{schema:-53 count:3 sum:7 custom_values:[1 5] buckets:[2 0 1]}}',
  );
});

test('a bucket that reaches into the zero bucket is shown as ending at its threshold', () => {
  const histogram = new FloatHistogram({
    zeroThreshold: 0.75,
    zeroCount: 1,
    positiveSpans: spans([0, 1]),
    positiveBuckets: Float64Array.of(2),
    negativeSpans: spans([0, 1]),
    negativeBuckets: Float64Array.of(3),
  });
  const bounds = histogram.allBuckets().map((bucket) => [bucket.lower, bucket.upper, bucket.count]);
  assert.deepEqual(bounds, [
    [-1, -0.75, 3],
    [-0.75, 0.75, 1],
    [0.75, 1, 2],
  ]);
});

test('property: spans and indices describe each other', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -50, max: 50 })), (list) => {
      const indices = Int32Array.from(list).sort();
      assert.deepEqual(indicesOf(spansOf(indices), indices.length), indices);
    }),
  );
  assert.deepEqual(
    indicesOf(spans([2, 4_000_000_000]), 2),
    Int32Array.of(2, 3),
    'no more than there are buckets',
  );
  assert.deepEqual(indicesOf(spans([2, 1], [3, 0], [0, 1]), 5), Int32Array.of(2, 6));
});

test('property: a sum holds every observation, in buckets of the coarser layout', () => {
  fc.assert(
    fc.property(clean, clean, (a, b) => {
      const left = histogramOf(a);
      const right = histogramOf(b);
      const { histogram } = left.add(right);
      assert.equal(histogram.schema, Math.min(a.schema, b.schema));
      assert.equal(counted(histogram), counted(left) + counted(right));
      assert.equal(histogram.count, left.count + right.count);
      assert.ok(histogram.zeroThreshold >= Math.max(a.zeroThreshold, b.zeroThreshold));
      // Bounds of the result are bounds of both operands, except for what is inside its zero bucket.
      for (const bucket of histogram.allBuckets()) {
        if (Math.abs(bucket.upper) <= histogram.zeroThreshold && bucket.upper !== histogram.zeroThreshold)
          continue;
        const expected = countUpTo(left, bucket.upper) + countUpTo(right, bucket.upper);
        assert.equal(countUpTo(histogram, bucket.upper), expected, `${left}\n${right}\n${histogram}`);
      }
    }),
    { numRuns: 1000 },
  );
});

test('property: addition commutes, and subtraction undoes it', () => {
  fc.assert(
    fc.property(clean, clean, (a, b) => {
      const left = histogramOf(a);
      const right = histogramOf(b);
      const sum = left.add(right).histogram;
      assert.ok(sum.compact().equals(right.add(left).histogram.compact()));
      const back = sum.sub(right).histogram.compact();
      const coarse = left.add(right.scale(0)).histogram;
      if (coarse.zeroThreshold === back.zeroThreshold)
        assert.ok(back.equals(coarse.compact()), `${back}\n${coarse}`);
      assert.equal(counted(back), counted(left));
    }),
    { numRuns: 500 },
  );
});

test('property: operands are never changed', () => {
  fc.assert(
    fc.property(model, model, (a, b) => {
      const left = histogramOf(a);
      const right = histogramOf(b);
      const before = JSON.stringify([left, right]);
      const accumulator = new HistogramAccumulator(left);
      accumulator.add(right);
      accumulator.add(left);
      left.add(right).histogram.compact(2);
      left.sub(right);
      left.detectReset(right);
      left.scale(-2);
      assert.equal(JSON.stringify([left, right]), before);
    }),
  );
});

test('the zero buckets meet at a threshold that cuts no populated bucket', () => {
  const wide = new FloatHistogram({ zeroThreshold: 1.5, zeroCount: 1, count: 1 });
  const narrow = new FloatHistogram({
    count: 7,
    positiveSpans: spans([1, 2]),
    positiveBuckets: Float64Array.of(3, 4),
  });
  for (const sum of [wide.add(narrow).histogram, narrow.add(wide).histogram]) {
    assert.equal(sum.zeroThreshold, 2);
    assert.equal(sum.zeroCount, 4);
    assert.equal(sum.compact().toString(), '{count:8, sum:0, [-2,2]:4, (2,4]:4}');
  }
});

test('observations swallowed by the zero bucket are not counted again in a coarser bucket', () => {
  const fine = new FloatHistogram({
    schema: 1,
    count: 5,
    positiveSpans: spans([1, 2]),
    positiveBuckets: Float64Array.of(2, 3),
  });
  const wide = new FloatHistogram({ schema: 0, zeroThreshold: exponentialBound(1, 1), count: 0 });
  assert.equal(counted(wide.add(fine).histogram), 5);
  assert.equal(counted(fine.add(wide).histogram), 5);
});

test('custom buckets that differ meet at the bounds they share', () => {
  const { histogram, boundsReconciled } = custom([1, 2, 5], [1, 2, 3, 4]).add(
    custom([2, 3, 5], [10, 20, 30, 40]),
  );
  assert.equal(boundsReconciled, true);
  assert.deepEqual([...histogram.customValues], [2, 5]);
  assert.deepEqual([...histogram.positiveBuckets], [13, 53, 44]);
  const apart = custom([1], [1, 2]).sub(custom([2], [3, 4])).histogram;
  assert.deepEqual([[...apart.customValues], [...apart.positiveBuckets]], [[], [-4]]);
  assert.equal(custom([1], [1, 2]).add(custom([1], [3, 4])).boundsReconciled, false);
});

test('exponential and custom buckets do not mix', () => {
  assert.throws(() => mixed.add(custom([1], [1])), HistogramError);
  assert.throws(() => new HistogramAccumulator(mixed).add(custom([1], [1])), HistogramError);
  assert.throws(() => custom([1], [1]).reduceResolution(-1), HistogramError);
});

test('hints: a gauge wins, a contradiction is unknown and reported', () => {
  const { Unknown, Reset, NotReset, Gauge } = CounterResetHint;
  const cases: [CounterResetHint, CounterResetHint, CounterResetHint, boolean][] = [
    [Reset, Reset, Reset, false],
    [Reset, NotReset, Unknown, true],
    [NotReset, Unknown, Unknown, false],
    [Gauge, Reset, Gauge, false],
    [Unknown, Gauge, Gauge, false],
  ];
  for (const [a, b, hint, collision] of cases) {
    for (const sum of [mixed.withHint(a).add(mixed.withHint(b)), mixed.withHint(b).sub(mixed.withHint(a))]) {
      assert.deepEqual([sum.histogram.counterResetHint, sum.counterResetCollision], [hint, collision]);
    }
  }
  assert.equal(mixed.scale(-1).counterResetHint, Gauge);
});

test('division by zero leaves totals without buckets', () => {
  assert.equal(mixed.divide(0).toString(), '{count:+Inf, sum:+Inf, [-0.001,0.001]:+Inf}');
  assert.equal(mixed.divide(2).toString(), mixed.scale(0.5).toString());
  assert.equal(mixed.divide(0).hasOverflow, true);
  assert.equal(mixed.hasOverflow, false);
});

test('property: compacting changes the layout and no count', () => {
  fc.assert(
    fc.property(model, fc.integer({ min: 0, max: 4 }), (from, emptyMax) => {
      const histogram = histogramOf(from);
      const compact = histogram.compact(emptyMax);
      assert.equal(compact.toString(), histogram.toString());
      let run = 0;
      for (const count of compact.positiveBuckets) {
        run = count === 0 ? run + 1 : 0;
        assert.ok(run <= emptyMax);
      }
      assert.notEqual(compact.positiveBuckets.at(0), 0);
      assert.notEqual(compact.positiveBuckets.at(-1), 0);
      for (const span of compact.positiveSpans.slice(1)) assert.ok(span.offset > emptyMax);
    }),
  );
});

test('property: resolution may be reduced in one step or in several', () => {
  fc.assert(
    fc.property(model, (from) => {
      const histogram = histogramOf({ ...from, schema: 4 });
      const atOnce = histogram.reduceResolution(-1);
      assert.ok(atOnce.equals(histogram.reduceResolution(2).reduceResolution(-1)));
      assert.equal(counted(atOnce), counted(histogram));
    }),
  );
  assert.throws(() => mixed.reduceResolution(0), HistogramError);
});

test('property: adding something is no reset, taking away from a populated bucket is one', () => {
  fc.assert(
    fc.property(clean, clean, (a, b) => {
      const before = histogramOf(a);
      const after = before.add(histogramOf(b)).histogram;
      assert.equal(after.detectReset(before), false, `${before}\n${after}`);
      assert.equal(
        before.detectReset(after),
        after.count > before.count ||
          after.schema < before.schema ||
          after.zeroThreshold > before.zeroThreshold,
      );
    }),
    { numRuns: 500 },
  );
});

test('a reset is trusted from the hint, and found in bucket, zero bucket, count and bounds', () => {
  assert.equal(mixed.withHint(CounterResetHint.Reset).detectReset(mixed), true);
  assert.equal(new FloatHistogram({}).withHint(CounterResetHint.NotReset).detectReset(mixed), false);
  const moved = new FloatHistogram({ ...mixed, positiveBuckets: Float64Array.of(1, 2, 0, 3) });
  assert.equal(moved.detectReset(mixed), true);
  assert.equal(new FloatHistogram({ ...mixed, zeroCount: 1 }).detectReset(mixed), true);
  assert.equal(new FloatHistogram({ ...mixed, count: 11 }).detectReset(mixed), true);
  assert.equal(
    new FloatHistogram({ ...mixed, zeroThreshold: 0.75 }).detectReset(mixed),
    true,
    'cuts (0.5,1]',
  );
  assert.equal(custom([1, 5], [1, 1, 1]).detectReset(custom([1], [1, 2])), false);
  assert.equal(custom([1, 5], [0, 2, 1]).detectReset(custom([1], [1, 2])), true);
  assert.equal(custom([1], [20]).detectReset(mixed), true);
});

test('property: the accumulator gives the exact sum where single additions lose digits', () => {
  const big = new FloatHistogram({
    count: 1e16,
    sum: 1e100,
    zeroCount: 1e16,
    positiveSpans: spans([0, 1]),
    positiveBuckets: Float64Array.of(1e16),
  });
  const one = new FloatHistogram({
    count: 1,
    sum: 1,
    zeroCount: 1,
    positiveSpans: spans([0, 2]),
    positiveBuckets: Float64Array.of(1, 1),
  });
  const accumulator = new HistogramAccumulator(big);
  for (let i = 0; i < 4; i++) accumulator.add(one);
  accumulator.add(big.scale(-1));
  const sum = accumulator.result();
  assert.deepEqual([sum.count, sum.sum, sum.zeroCount, ...sum.positiveBuckets], [4, 4, 4, 4, 4]);
  // Also when the large one comes after the small one.
  const smallFirst = new HistogramAccumulator(one);
  smallFirst.add(big);
  smallFirst.add(big.scale(-1));
  assert.deepEqual([smallFirst.result().count, smallFirst.result().sum], [1, 1]);
  fc.assert(
    fc.property(fc.array(clean, { minLength: 1, maxLength: 5 }), (models) => {
      const [first, ...rest] = models.map((from) => histogramOf(from));
      assert.ok(first !== undefined);
      const running = new HistogramAccumulator(first);
      let plain = first;
      for (const histogram of rest) {
        running.add(histogram);
        plain = plain.add(histogram).histogram;
      }
      assert.ok(running.result().compact().equals(plain.compact()), `${running.result()}\n${plain}`);
    }),
    { numRuns: 300 },
  );
});

test('the accumulator reconciles custom bounds', () => {
  const accumulator = new HistogramAccumulator(custom([1, 2, 5], [1, 2, 3, 4]));
  assert.equal(accumulator.add(custom([1, 2, 5], [1, 1, 1, 1])).boundsReconciled, false);
  assert.equal(accumulator.add(custom([2, 3, 5], [10, 20, 30, 40])).boundsReconciled, true);
  assert.equal(accumulator.result().toString(), '{count:114, sum:21, [-Inf,2]:15, (2,5]:54, (5,+Inf]:45}');
});

test('equality is of layout and bits: empty spans do not count, -0 does', () => {
  const split = new FloatHistogram({ ...mixed, positiveSpans: spans([0, 1], [0, 1], [0, 0], [1, 2]) });
  assert.equal(mixed.equals(split), true);
  assert.equal(mixed.equals(mixed.compact()), false);
  assert.equal(
    mixed.equals(new FloatHistogram({ ...mixed, positiveBuckets: Float64Array.of(2, 1, -0, 3) })),
    false,
  );
  assert.equal(mixed.equals(new FloatHistogram({ ...mixed, sum: Number.NaN })), false);
  const nan = new FloatHistogram({ sum: Number.NaN });
  assert.equal(nan.equals(new FloatHistogram({ sum: Number.NaN })), true);
  assert.equal(nan.equals(FloatHistogram.stale), false);
  assert.equal(FloatHistogram.stale.isStale, true);
});

test('property: what the operations make of valid histograms is valid', () => {
  fc.assert(
    fc.property(clean, clean, (a, b) => {
      const left = histogramOf(a, { isInteger: true });
      left.validate();
      left.add(histogramOf(b)).histogram.validate();
      left.compact(1).validate();
      const deltas = deltasFromCounts(left.positiveBuckets);
      assert.deepEqual(countsFromDeltas(deltas), left.positiveBuckets);
    }),
  );
});

test('validation names what is wrong', () => {
  const cases: [Partial<HistogramFields>, RegExp][] = [
    [{ schema: 9 }, /invalid schema.*got schema 9/],
    [{ schema: 0.5 }, /invalid schema/],
    [{ count: -1 }, /observation count is -1/],
    [{ zeroCount: -1 }, /zero bucket has observation count of -1/],
    [{ zeroThreshold: Number.NaN }, /zero threshold of NaN/],
    [
      { positiveSpans: spans([0, 2]), positiveBuckets: Float64Array.of(1) },
      /positive side: spans need 2 buckets, have 1/,
    ],
    [
      { negativeSpans: spans([0, 1], [-1, 1]), negativeBuckets: Float64Array.of(1, 1) },
      /negative side: span number 2 with offset -1/,
    ],
    [
      { positiveSpans: spans([0, 2]), positiveBuckets: Float64Array.of(1, -1) },
      /positive side: bucket number 2/,
    ],
    [{ positiveSpans: spans([2 ** 31 - 1, 1]), positiveBuckets: Float64Array.of(1) }, /32-bit/],
    [{ customValues: Float64Array.of(1) }, /must not have custom bounds/],
    [{ isInteger: true, count: 3 }, /0 observations found in buckets, but the count is 3/],
    [{ schema: -53, customValues: Float64Array.of(1, 1) }, /strictly increasing/],
    [{ schema: -53, customValues: Float64Array.of(Number.NaN) }, /NaN/],
    [{ schema: -53, customValues: Float64Array.of(Number.POSITIVE_INFINITY) }, /\+Inf/],
    [{ schema: -53, zeroCount: 1 }, /zero count/],
    [{ schema: -53, positiveSpans: spans([1, 1]), positiveBuckets: Float64Array.of(1) }, /too few/],
    [{ schema: -53, positiveSpans: spans([-1, 1]), positiveBuckets: Float64Array.of(1) }, /offset -1/],
    [{ schema: -53, negativeSpans: spans([0, 0]) }, /negative spans/],
  ];
  for (const [fields, message] of cases) {
    assert.throws(
      () => new FloatHistogram(fields).validate(),
      (error) => error instanceof HistogramError && message.test(error.message),
    );
  }
  new FloatHistogram({ isInteger: true, sum: Number.NaN, count: 3 }).validate();
});

test('reserved schemas are read at the finest supported resolution', () => {
  assert.deepEqual(
    [supportedSchema(9), supportedSchema(52), supportedSchema(-53), supportedSchema(3)],
    [8, 8, -53, 3],
  );
  assert.deepEqual(
    [supportedSchema(53), supportedSchema(-5), supportedSchema(1.5)],
    [undefined, undefined, undefined],
  );
});
