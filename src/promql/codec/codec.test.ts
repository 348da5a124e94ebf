import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteFormatError } from '../../base/index.ts';
import { FloatHistogram, Labels, type SeriesColumns, setStaleNaN } from '../../model/index.ts';
import { decodeLabelSets, encodeLabelSets } from './label_table.ts';
import { decodePartial } from './partial.ts';
import { decodeSeries, encodeSeries } from './series.ts';

const labels = fc
  .dictionary(fc.stringMatching(/^[a-c]{1,2}$/), fc.string({ minLength: 1, maxLength: 4 }))
  .map((record) => Labels.fromRecord(record));

const histogram = fc.oneof(
  fc.constant(null),
  fc.constant(FloatHistogram.stale),
  fc
    .tuple(fc.double({ noNaN: true }), fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 3 }))
    .map(([sum, buckets]) => {
      const positiveSpans = [{ offset: -2, length: buckets.length }];
      return new FloatHistogram({
        sum,
        count: 3,
        positiveSpans,
        positiveBuckets: Float64Array.from(buckets),
      });
    }),
);

const columns: fc.Arbitrary<SeriesColumns> = fc
  .tuple(
    labels,
    fc.array(
      fc.record({
        gap: fc.integer({ min: 0, max: 1e9 }),
        value: fc.double(),
        stale: fc.boolean(),
        histogram,
        startsBefore: fc.integer({ min: -1e9, max: 1e9 }),
      }),
      { maxLength: 20 },
    ),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([set, samples, hasHistograms, hasStartTimes]) => {
    let at = -5e8;
    const timestamps = Float64Array.from(samples, ({ gap }) => {
      at += gap;
      return at;
    });
    const values = Float64Array.from(samples, ({ value }) => value);
    for (const [i, { stale }] of samples.entries()) if (stale) setStaleNaN(values, i);
    const startTimes = timestamps.map((timestamp, i) => timestamp - (samples[i]?.startsBefore ?? 0));
    return {
      labels: set,
      timestamps,
      values,
      ...(hasHistograms ? { histograms: samples.map((sample) => sample.histogram) } : {}),
      ...(hasStartTimes ? { startTimes } : {}),
    };
  });

const bits = (values: Float64Array): BigUint64Array => new BigUint64Array(values.slice().buffer);

test('series come back bit for bit: staleness markers, histograms and start times too', () => {
  fc.assert(
    fc.property(fc.array(columns, { maxLength: 5 }), (series) => {
      const decoded = decodeSeries(encodeSeries(series));
      assert.equal(decoded.length, series.length);
      for (const [i, one] of decoded.entries()) {
        assert.ok(one.labels.equals(series[i]?.labels ?? Labels.empty));
        assert.deepEqual(one.timestamps, series[i]?.timestamps);
        assert.deepEqual(bits(one.values), bits(series[i]?.values ?? new Float64Array(0)));
        assert.deepEqual(one.histograms, series[i]?.histograms);
        assert.deepEqual(one.startTimes, series[i]?.startTimes);
      }
    }),
  );
});

test('label sets come back equal', () => {
  fc.assert(
    fc.property(fc.array(labels), (sets) => {
      const decoded = decodeLabelSets(encodeLabelSets(sets));
      assert.deepEqual(
        decoded.map((set) => set.key()),
        sets.map((set) => set.key()),
      );
    }),
  );
});

test('bytes that are malformed are refused and nothing else happens', () => {
  for (const decode of [decodeSeries, decodeLabelSets, decodePartial]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (bytes, version) => {
        if (bytes.length > 0) bytes[0] = version;
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof ByteFormatError, String(error));
        }
      }),
    );
  }
});
