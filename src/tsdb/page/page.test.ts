import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CounterResetHint, FloatHistogram } from '../../model/index.ts';
import { PageFormatError } from '../codec/page_format_error.ts';
import { ColumnBuffer } from './column_buffer.ts';
import { openPage } from './page.ts';
import { PageBuilder } from './page_builder.ts';

function bitsOf(column: Float64Array, from: number, to: number): bigint[] {
  const copy = column.slice(from, to);
  return [...new BigUint64Array(copy.buffer)];
}

function histogramOf(count: number): FloatHistogram {
  return new FloatHistogram({
    schema: 1,
    count,
    sum: count / 3,
    zeroThreshold: 0.001,
    zeroCount: 1,
    positiveSpans: [{ offset: -2, length: 2 }],
    positiveBuckets: Float64Array.of(count, 0.5),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    counterResetHint: CounterResetHint.NotReset,
  });
}

const seriesArbitrary = fc
  .tuple(
    fc.nat({ max: 2 ** 41 }),
    fc.array(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 40 }),
    fc.func(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  )
  .map(([start, gaps, bitsAt]) => {
    let time = start;
    const times = Float64Array.from(gaps, (gap) => {
      time += gap + 1;
      return time;
    });
    const values = new Float64Array(BigUint64Array.from(gaps.map((_, i) => bitsAt(i))).buffer);
    return { times, values };
  });

test('a page gives back every sample of every series, bit for bit', () => {
  const builder = new PageBuilder();
  const buffer = new ColumnBuffer(1);
  fc.assert(
    fc.property(fc.array(seriesArbitrary, { minLength: 1, maxLength: 12 }), (all) => {
      for (const [i, { times, values }] of all.entries()) builder.add(i * 3, times, values, 0, times.length);
      const page = openPage(builder.finish());
      assert.equal(page.count, all.length);
      for (const [i, { times, values }] of all.entries()) {
        assert.equal(page.ordinal(i), i * 3);
        assert.equal(page.find(i * 3), i);
        assert.equal(page.find(i * 3 + 1), -1);
        buffer.clear();
        page.read(i, buffer);
        assert.equal(buffer.length, times.length);
        assert.equal(buffer.histograms, undefined);
        assert.deepEqual(buffer.times.slice(0, buffer.length), times);
        assert.deepEqual(bitsOf(buffer.values, 0, buffer.length), bitsOf(values, 0, values.length));
      }
    }),
    { numRuns: 60 },
  );
});

test('histograms come back beside the floats, and pages follow each other in a buffer', () => {
  const builder = new PageBuilder();
  const times = Float64Array.of(0, 1000, 2000, 3000);
  const values = Float64Array.of(9, 0, 5, 0);
  const histograms = [null, histogramOf(4), null, histogramOf(7)];
  builder.add(1, times, values, 1, 4, histograms);
  builder.add(2, times, values, 0, 1, histograms);
  const page = openPage(builder.finish());
  const buffer = new ColumnBuffer();
  page.read(1, buffer);
  assert.equal(buffer.histograms, undefined);
  page.read(0, buffer);
  assert.deepEqual(buffer.histograms, histograms);
  assert.deepEqual([...buffer.times.subarray(0, 4)], [...times]);
  assert.deepEqual([...buffer.values.subarray(0, 4)], [...values]);
});

test('equal columns of times are stored once', () => {
  const builder = new PageBuilder();
  const times = Float64Array.from({ length: 100 }, (_, i) => i * 15_000 + ((i * 7919) % 13));
  builder.add(0, times, new Float64Array(100), 0, 100);
  const first = builder.size;
  builder.add(1, times, new Float64Array(100), 0, 100);
  assert.ok(builder.size - first < first, `${builder.size - first} and ${first} bytes`);
});

function somePage(): Uint8Array<ArrayBuffer> {
  const builder = new PageBuilder();
  for (let series = 0; series < 3; series++) {
    const times = Float64Array.from({ length: 20 }, (_, i) => i * 1000 + series);
    const values = Float64Array.from({ length: 20 }, (_, i) => Math.sin(i + series));
    builder.add(series, times, values, 0, 20, series === 1 ? [histogramOf(3)] : undefined);
  }
  return builder.finish();
}

test('any changed, missing or added byte of a page is noticed', () => {
  const bytes = somePage();
  openPage(bytes);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x20;
    assert.throws(() => openPage(damaged), PageFormatError, `byte ${at}`);
    assert.throws(() => openPage(bytes.subarray(0, at)), PageFormatError);
  }
  assert.throws(() => openPage(Uint8Array.of(...bytes, 0)), PageFormatError);
});
