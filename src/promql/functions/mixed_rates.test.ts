import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../base/index.ts';
import { FloatHistogram, Labels, type SeriesColumns } from '../../model/index.ts';
import { Engine } from '../engine.ts';
import { GivenStorage } from '../testing/storage.ts';
import type { QueryResult } from '../types.ts';

const engine = new Engine({
  limits: { samplesMax: 100_000, timeoutMs: 60_000, lookbackMs: 300_000 },
  features: { useStartTimestamps: true, extendedRangeSelectors: true, experimentalFunctions: true },
  clock: systemClock,
});

async function evaluate(query: string, series: SeriesColumns): Promise<QueryResult> {
  const range = { startMs: 0, endMs: 600_000, stepMs: 60_000, instant: false };
  return engine.evaluate(query, range, { storage: new GivenStorage([series]) }, new AbortController().signal);
}

function points(
  result: QueryResult,
  read: (value: number, histogram?: FloatHistogram | null) => number,
): unknown {
  if (result.value.type !== 'matrix') throw new TypeError('a range query gives a matrix');
  return result.value.series.map(({ timestamps, values, histograms }) =>
    Array.from(timestamps, (at, i) => [at, read(values[i] as number, histograms?.[i])]),
  );
}

const samples = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 120_000 }), fc.integer({ min: 0, max: 50 })), {
    minLength: 1,
    maxLength: 30,
  })
  .map((pairs) => {
    let at = -100_000;
    const timestamps = Float64Array.from(pairs, ([gap]) => {
      at += gap;
      return at;
    });
    const values = Float64Array.from(pairs, ([, value]) => value);
    return { labels: Labels.fromRecord({ __name__: 'x_total' }), timestamps, values };
  });

const windows = ['[3m]', '[3m] anchored', '[3m] smoothed', '[3m] offset 1m'];
const ofFloats = [
  'rate',
  'increase',
  'delta',
  'irate',
  'idelta',
  'resets',
  'changes',
  'sum_over_time',
  'last_over_time',
];

/** The combinations that the language allows. */
const queries = ofFloats.flatMap((func) =>
  windows
    .filter((window) => {
      if (window.includes('smoothed')) return ['rate', 'increase', 'delta'].includes(func);
      return (
        !window.includes('anchored') || ['rate', 'increase', 'delta', 'resets', 'changes'].includes(func)
      );
    })
    .map((window) => `${func}(x_total${window})`),
);

test('floats give the same on the path of series with histograms, and with start times that are not known', async () => {
  await fc.assert(
    fc.asyncProperty(samples, fc.constantFrom(...queries), async (plain, query) => {
      const expected = points(await evaluate(query, plain), (value) => value);
      const unknownStarts = { ...plain, startTimes: new Float64Array(plain.timestamps.length) };
      const nullColumn = { ...plain, histograms: Array.from(plain.values, () => null) };
      for (const other of [unknownStarts, nullColumn]) {
        assert.deepEqual(
          points(await evaluate(query, other), (value) => value),
          expected,
        );
      }
    }),
    { numRuns: 200 },
  );
});

test('a histogram whose counts are those of a float changes as the float does', async () => {
  const histogramOf = (value: number): FloatHistogram =>
    new FloatHistogram({
      count: value,
      sum: value,
      positiveSpans: [{ offset: 1, length: 1 }],
      positiveBuckets: Float64Array.of(value),
    });
  await fc.assert(
    fc.asyncProperty(samples, fc.constantFrom(...queries), async (plain, query) => {
      const native = {
        ...plain,
        values: new Float64Array(plain.values.length),
        histograms: Array.from(plain.values, histogramOf),
      };
      const expected = points(await evaluate(query, plain), (value) => value) as number[][][];
      const got = points(
        await evaluate(query, native),
        (value, histogram) => histogram?.sum ?? value,
      ) as number[][][];
      assert.equal(got.length, expected.length);
      for (const [s, series] of expected.entries()) {
        assert.equal(got[s]?.length, series.length);
        for (const [i, [at, value]] of series.entries()) {
          assert.equal(got[s]?.[i]?.[0], at);
          const difference = Math.abs((got[s]?.[i]?.[1] ?? Number.NaN) - (value ?? Number.NaN));
          assert.ok(
            difference <= 1e-9 * Math.max(1, Math.abs(value ?? 0)),
            `${query}: ${got[s]?.[i]} ${value}`,
          );
        }
      }
    }),
    { numRuns: 300 },
  );
});
