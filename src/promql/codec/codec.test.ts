import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteFormatError } from '../../base/index.ts';
import { Labels, type SeriesColumns, setStaleNaN } from '../../model/index.ts';
import { decodeLabelSets, encodeLabelSets } from './label_table.ts';
import { decodePartial } from './partial.ts';
import { decodeSeries, encodeSeries } from './series.ts';

const labels = fc
  .dictionary(fc.stringMatching(/^[a-c]{1,2}$/), fc.string({ minLength: 1, maxLength: 4 }))
  .map((record) => Labels.fromRecord(record));

const columns: fc.Arbitrary<SeriesColumns> = fc
  .tuple(
    labels,
    fc.array(fc.tuple(fc.integer({ min: 0, max: 1e9 }), fc.double(), fc.boolean()), { maxLength: 20 }),
  )
  .map(([set, samples]) => {
    let at = -5e8;
    const timestamps = Float64Array.from(samples, ([gap]) => {
      at += gap;
      return at;
    });
    const values = Float64Array.from(samples, ([, value]) => value);
    for (const [i, [, , stale]] of samples.entries()) if (stale) setStaleNaN(values, i);
    return { labels: set, timestamps, values };
  });

const bits = (values: Float64Array): BigUint64Array => new BigUint64Array(values.slice().buffer);

test('series come back bit for bit, staleness markers too', () => {
  fc.assert(
    fc.property(fc.array(columns, { maxLength: 5 }), (series) => {
      const decoded = decodeSeries(encodeSeries(series));
      assert.equal(decoded.length, series.length);
      for (const [i, one] of decoded.entries()) {
        assert.ok(one.labels.equals(series[i]?.labels ?? Labels.empty));
        assert.deepEqual(one.timestamps, series[i]?.timestamps);
        assert.deepEqual(bits(one.values), bits(series[i]?.values ?? new Float64Array(0)));
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
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, known) => {
        if (known && bytes.length > 0) bytes[0] = 1;
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof ByteFormatError, String(error));
        }
      }),
    );
  }
});
