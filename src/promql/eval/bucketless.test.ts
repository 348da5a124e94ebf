import assert from 'node:assert/strict';
import test from 'node:test';
import { CounterResetHint, FloatHistogram, Labels } from '../../model/index.ts';
import { parseExpr } from '../parse/parser.ts';
import { bucketlessSelectors, withoutBuckets } from './bucketless.ts';

function bucketless(text: string): string[] {
  return [...bucketlessSelectors(parseExpr(text))].map(({ matchers }) => String(matchers[0]?.value)).sort();
}

test('buckets are left out where only counts and sums are read', () => {
  assert.deepEqual(bucketless('histogram_count(sum(rate(a[5m]))) + histogram_avg(b) + c'), ['a', 'b']);
});

test('buckets stay where anything looks at them, and below subqueries', () => {
  assert.deepEqual(bucketless('histogram_sum(a </ 1)'), []);
  assert.deepEqual(bucketless('histogram_count(rate(a[5m:1m]))'), []);
  assert.deepEqual(bucketless('histogram_quantile(0.5, histogram_count(a))'), []);
  assert.deepEqual(bucketless('max_over_time(histogram_count(a)[5m:1m])'), []);
});

test('what buckets tell of counter resets becomes a hint', () => {
  const histogram = (...buckets: number[]): FloatHistogram =>
    new FloatHistogram({
      count: 9,
      sum: 1,
      positiveSpans: [{ offset: 0, length: buckets.length }],
      positiveBuckets: Float64Array.from(buckets),
    });
  const { histograms } = withoutBuckets({
    labels: Labels.empty,
    timestamps: Float64Array.of(1, 2, 3, 4),
    values: new Float64Array(4),
    histograms: [histogram(4, 5), histogram(5, 4), FloatHistogram.stale, histogram(5, 4)],
  });
  const { Unknown, Reset, NotReset } = CounterResetHint;
  assert.deepEqual(
    histograms?.map((one) => [one?.positiveBuckets.length, one?.counterResetHint, one?.isStale]),
    [
      [0, Unknown, false],
      [0, Reset, false],
      [0, Unknown, true],
      [0, NotReset, false],
    ],
  );
});
