/**
 * For property tests: series with floats of all sizes, native histograms of many layouts, and gaps.
 */
import fc from 'fast-check';
import {
  CounterResetHint,
  FloatHistogram,
  Labels,
  type SeriesColumns,
  type Span,
} from '../../model/index.ts';

/** Samples of one series, a minute apart; null where there is none. */
export interface GivenSeries {
  readonly name: string;
  readonly group: string;
  readonly samples: readonly (number | FloatHistogram | null)[];
}

const float: fc.Arbitrary<number> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((v) => (Math.abs(v) < 1e-100 ? 0 : v)),
  },
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 2, 1e9 + 0.1, 1e9 + 0.2, 0.1) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
  },
  { weight: 1, arbitrary: fc.constantFrom(1.7e308, -1.7e308, 1e300, 1e-300) },
);

const count: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 1000 }) },
  { weight: 2, arbitrary: fc.constantFrom(0.1, 2.7, 0) },
  { weight: 1, arbitrary: fc.constantFrom(1.7e308) },
);

const hint = fc.constantFrom(...Object.values(CounterResetHint));

interface Side {
  readonly spans: Span[];
  readonly buckets: Float64Array;
}

/** Buckets from `first` on. */
function side(first: number): fc.Arbitrary<Side> {
  const run = fc.record({ gap: fc.nat({ max: 3 }), counts: fc.array(count, { minLength: 1, maxLength: 3 }) });
  return fc.array(run, { maxLength: 2 }).map((runs) => ({
    spans: runs.map(({ gap, counts }, i) => ({
      offset: i === 0 ? first + gap : gap + 1,
      length: counts.length,
    })),
    buckets: Float64Array.from(runs.flatMap(({ counts }) => counts)),
  }));
}

/** The zero bucket ends below 2^-3 or at 1/2, and buckets begin outside it. */
const exponential: fc.Arbitrary<FloatHistogram> = fc
  .record({
    schema: fc.constantFrom(-1, 0, 1, 3),
    zeroThreshold: fc.constantFrom(0, 0.001, 0.5),
    sum: float,
    hint,
  })
  .chain(({ schema, zeroThreshold, sum, hint: counterResetHint }) => {
    const first = zeroThreshold === 0.5 ? 1 : schema < 0 ? 0 : -2;
    return fc.tuple(side(first), side(first), count, count).map(
      ([positive, negative, total, zeroCount]) =>
        new FloatHistogram({
          schema,
          zeroThreshold,
          zeroCount,
          count: total,
          sum,
          positiveSpans: positive.spans,
          positiveBuckets: positive.buckets,
          negativeSpans: negative.spans,
          negativeBuckets: negative.buckets,
          counterResetHint,
        }),
    );
  });

const custom: fc.Arbitrary<FloatHistogram> = fc
  .tuple(
    fc.constantFrom([1, 2, 3], [1, 3], [0.5, 2, 3, 4]),
    fc.array(count, { minLength: 3, maxLength: 3 }),
    float,
    hint,
  )
  .map(
    ([bounds, counts, sum, counterResetHint]) =>
      new FloatHistogram({
        schema: -53,
        count: 10,
        sum,
        positiveSpans: [{ offset: 0, length: counts.length }],
        positiveBuckets: Float64Array.from(counts),
        customValues: Float64Array.from(bounds),
        counterResetHint,
      }),
  );

/** `kinds` says what is mixed. */
function given(samples: number, kinds: fc.Arbitrary<number | FloatHistogram>): fc.Arbitrary<GivenSeries> {
  return fc.record({
    name: fc.constantFrom('x', 'y'),
    group: fc.constantFrom('a', 'b'),
    samples: fc.array(fc.option(kinds, { freq: 6 }), { minLength: samples, maxLength: samples }),
  });
}

/** Sums of these lose everything that is not compensated, or go beyond a float and come back. */
const cancelling = fc.constantFrom(1e16, -1e16, 0.1, 2.5, 1);
const overflowing = fc.constantFrom(1.7e308, -1.7e308, 1e308, 3);
const tied = fc.constantFrom(0, -0, 0, Number.NaN);

/** Up to `seriesMax` series, or but a few, of floats, of histograms of one kind, or of everything. */
export function mixedSeries(samples: number, seriesMax: number): fc.Arbitrary<GivenSeries[]> {
  const everything = fc.oneof(exponential, custom, float);
  const lists = [
    float,
    cancelling,
    overflowing,
    tied,
    exponential,
    custom,
    fc.oneof(float, exponential),
    everything,
  ];
  return fc.oneof(
    ...lists.flatMap((kinds) =>
      [3, seriesMax].map((maxLength) => fc.array(given(samples, kinds), { minLength: 1, maxLength })),
    ),
  );
}

/** As a storage has it; `index` tells it from the others. */
export function columnsOf({ name, group, samples }: GivenSeries, index: number): SeriesColumns {
  const kept = samples.flatMap((sample, i) => (sample === null ? [] : [[i * 60_000, sample] as const]));
  return {
    labels: Labels.fromRecord({ __name__: name, group, i: String(index) }),
    timestamps: Float64Array.from(kept, ([at]) => at),
    values: Float64Array.from(kept, ([, sample]) => (typeof sample === 'number' ? sample : 0)),
    ...(kept.some(([, sample]) => typeof sample !== 'number')
      ? { histograms: kept.map(([, sample]) => (typeof sample === 'number' ? null : sample)) }
      : {}),
  };
}
