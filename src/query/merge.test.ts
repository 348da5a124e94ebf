import assert from 'node:assert/strict';
import test from 'node:test';
import { FloatHistogram, Labels, type SeriesColumns } from '../model/index.ts';
import { mergeSeries } from './merge.ts';

const histogram = new FloatHistogram({ count: 3, sum: 1 });

function column(times: number[], more: Partial<SeriesColumns> = {}): SeriesColumns {
  return {
    labels: Labels.fromRecord({ a: 'b' }),
    timestamps: Float64Array.from(times),
    values: Float64Array.from(times),
    ...more,
  };
}

test('histograms and start times of all holders are joined, whichever has them', () => {
  const native = column([1, 3], { histograms: [null, histogram], values: Float64Array.of(1, 0) });
  const started = column([2, 3], { startTimes: Float64Array.of(1, 2) });
  const [merged] = mergeSeries([[native], [started]]);
  assert.deepEqual([...(merged?.timestamps ?? [])], [1, 2, 3]);
  assert.deepEqual([...(merged?.values ?? [])], [1, 2, 0]);
  assert.deepEqual(merged?.histograms, [null, null, histogram]);
  // The sample of the first holder stands, and so does that it has no start time.
  assert.deepEqual([...(merged?.startTimes ?? [])], [0, 1, 0]);
});

test('columns that no holder has stay away', () => {
  const [merged] = mergeSeries([[column([1])], [column([2])]]);
  assert.equal(merged?.histograms, undefined);
  assert.equal(merged?.startTimes, undefined);
});
