import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteFormatError } from '../base/index.ts';
import { CounterResetHint } from './histogram/fields.ts';
import { FloatHistogram } from './histogram/float_histogram.ts';
import { Labels } from './labels.ts';
import { setStaleNaN, staleNaNBits } from './stale.ts';
import { type WriteBatch, WriteBatchBuilder } from './write_batch.ts';
import { decodeWriteBatch, encodeWriteBatch, writeBatchVersion } from './write_batch_codec.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const labels = fc
  .array(fc.tuple(text, text), { maxLength: 4 })
  .map((pairs) => Labels.fromPairs(new Map(pairs)));
const sample = fc.tuple(
  labels,
  fc.integer({ min: -1e14, max: 1e14 }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

test('property: every sample comes back with its labels, time and bits', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 150 }), (samples) => {
      const builder = new WriteBatchBuilder();
      for (const [of, timeMs, bits] of samples) {
        builder.addFrom(of, timeMs, new Float64Array(BigUint64Array.of(bits).buffer), 0);
      }
      const batch = decodeWriteBatch(encodeWriteBatch(builder.finish()));
      const bits = new BigUint64Array(batch.values.buffer);
      assert.equal(batch.refs.length, samples.length);
      for (const [i, [of, timeMs, value]] of samples.entries()) {
        assert.ok(batch.series[batch.refs[i] as number]?.equals(of));
        assert.equal(batch.timestamps[i], timeMs);
        assert.equal(bits[i], value);
      }
      assert.equal(batch.series.length, new Set(samples.map(([of]) => of.key())).size);
    }),
    { numRuns: 100 },
  );
});

test('the staleness marker survives', () => {
  const builder = new WriteBatchBuilder();
  const values = new Float64Array(2);
  setStaleNaN(values, 1);
  builder.addFrom(Labels.fromRecord({ a: '1' }), 5, values, 1);
  const { values: decoded } = decodeWriteBatch(encodeWriteBatch(builder.finish()));
  assert.equal(new BigUint64Array(decoded.buffer)[0], staleNaNBits);
});

const timeMs = fc.integer({ min: -1e14, max: 1e14 });
const floats = fc.array(fc.double(), { maxLength: 4 }).map((values) => Float64Array.from(values));
const histogram = fc
  .record({
    schema: fc.integer({ min: -4, max: 8 }),
    count: fc.double(),
    sum: fc.double(),
    zeroThreshold: fc.double({ min: 0, noNaN: true }),
    zeroCount: fc.double(),
    positiveBuckets: floats,
    counterResetHint: fc.constantFrom(...Object.values(CounterResetHint)),
    isInteger: fc.boolean(),
    isStale: fc.boolean(),
  })
  .map(
    (fields) =>
      new FloatHistogram({
        ...fields,
        positiveSpans: [{ offset: -3, length: fields.positiveBuckets.length }],
      }),
  );
const anySample = fc.record({
  of: labels,
  timeMs,
  bits: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  histogram: fc.option(histogram, { freq: 2 }),
  startTimeMs: fc.oneof(fc.constant(0), timeMs),
});
const exemplar = fc.record({ of: labels, labels, value: fc.double(), timestampMs: timeMs });
const metadata = fc.record({ metric: text, type: text, unit: text, help: text }, { noNullPrototype: true });

test('property: histograms, start times, exemplars and metadata come back, and only where there are any', () => {
  fc.assert(
    fc.property(
      fc.array(anySample, { maxLength: 150 }),
      fc.array(exemplar, { maxLength: 5 }),
      fc.uniqueArray(metadata, { maxLength: 5, selector: ({ metric }) => metric }),
      (samples, exemplars, described) => {
        const builder = new WriteBatchBuilder();
        for (const one of samples) {
          if (one.histogram !== null)
            builder.addHistogram(one.of, one.timeMs, one.histogram, one.startTimeMs);
          else {
            const values = new Float64Array(BigUint64Array.of(one.bits).buffer);
            builder.addFrom(one.of, one.timeMs, values, 0, one.startTimeMs);
          }
        }
        for (const { of, ...one } of exemplars) builder.addExemplar(of, one);
        for (const one of described) builder.addMetadata(one);
        const batch = decodeWriteBatch(encodeWriteBatch(builder.finish()));
        const bits = new BigUint64Array(batch.values.buffer);
        assert.equal(batch.refs.length, samples.length);
        for (const [i, one] of samples.entries()) {
          assert.ok(batch.series[batch.refs[i] as number]?.equals(one.of));
          assert.equal(batch.timestamps[i], one.timeMs);
          assert.equal(batch.startTimes?.[i] ?? 0, one.startTimeMs);
          assert.equal(bits[i], one.histogram === null ? one.bits : 0n);
          assert.deepEqual(batch.histograms?.[i] ?? null, one.histogram);
        }
        assert.equal(
          batch.histograms !== undefined,
          samples.some((one) => one.histogram !== null),
        );
        assert.equal(
          batch.startTimes !== undefined,
          samples.some((one) => one.startTimeMs !== 0),
        );
        const found = batch.exemplars?.map(({ ref, ...one }) => ({ of: batch.series[ref], ...one }));
        assert.deepEqual(
          found?.map(({ of, ...one }) => [of?.key(), one.labels.key(), one.value, one.timestampMs]),
          exemplars.length === 0
            ? undefined
            : exemplars.map((one) => [one.of.key(), one.labels.key(), one.value, one.timestampMs]),
        );
        assert.deepEqual(batch.metadata, described.length === 0 ? undefined : described);
      },
    ),
    { numRuns: 100 },
  );
});

test('a batch of floats is written as version 1, and the store’s references never', () => {
  const builder = new WriteBatchBuilder();
  builder.add(Labels.fromRecord({ __name__: 'up' }), 5, 1);
  const bytes = encodeWriteBatch(builder.finish());
  assert.equal(bytes[0], 1);
  assert.deepEqual(encodeWriteBatch({ ...builder.finish(), storeRefs: Int32Array.of(7) }), bytes);
  builder.addHistogram(Labels.empty, 6, FloatHistogram.stale);
  assert.equal(encodeWriteBatch(builder.finish())[0], writeBatchVersion);
});

function fullBatch(): WriteBatch {
  const builder = new WriteBatchBuilder();
  const series = (i: number): Labels => Labels.fromRecord({ __name__: 'up', i: String(i % 3) });
  for (let i = 0; i < 5; i++) builder.add(series(i), i, i, i);
  const buckets = { positiveSpans: [{ offset: 1, length: 2 }], positiveBuckets: Float64Array.of(1, 2) };
  builder.addHistogram(series(0), 9, new FloatHistogram({ count: 3, sum: 4, ...buckets }));
  builder.addExemplar(series(1), { labels: series(2), value: 1, timestampMs: 2 });
  builder.addMetadata({ metric: 'up', type: 'gauge', unit: '', help: 'Whether.' });
  return builder.finish();
}

test('property: damaged bytes are refused as such or read as some batch, never worse', () => {
  const bytes = encodeWriteBatch(fullBatch());
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 3 });
  fc.assert(
    fc.property(damage, fc.nat(bytes.length), (changes, length) => {
      const damaged = bytes.slice(0, length);
      for (const [at, value] of changes) if (at < length) damaged[at] = value;
      try {
        const batch = decodeWriteBatch(damaged);
        for (const ref of batch.refs) assert.ok(batch.series[ref] !== undefined);
        for (const { ref } of batch.exemplars ?? []) assert.ok(batch.series[ref] !== undefined);
        assert.equal(batch.histograms?.length ?? batch.refs.length, batch.refs.length);
        assert.equal(batch.startTimes?.length ?? batch.refs.length, batch.refs.length);
        for (const one of batch.series) assert.ok(Labels.fromPairs(one).equals(one));
      } catch (error) {
        assert.ok(error instanceof ByteFormatError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test('an unknown version is refused', () => {
  assert.throws(() => decodeWriteBatch(Uint8Array.of(9, 0, 0)), ByteFormatError);
});

test('labels that no label set can have are refused', () => {
  const label = (name: string, value: string): number[] => [
    1,
    name.charCodeAt(0),
    value.length,
    ...Buffer.from(value),
  ];
  const batch = (...pairs: number[][]): Uint8Array =>
    Uint8Array.from([1, 1, pairs.length, ...pairs.flat(), 0]);
  assert.equal(decodeWriteBatch(batch(label('a', 'x'), label('b', 'y'))).series.length, 1);
  assert.throws(() => decodeWriteBatch(batch(label('b', 'x'), label('a', 'y'))), ByteFormatError);
  assert.throws(() => decodeWriteBatch(batch(label('a', 'x'), label('a', 'y'))), ByteFormatError);
  assert.throws(() => decodeWriteBatch(batch(label('a', ''))), ByteFormatError);
});

test('a batch with bytes behind it is refused', () => {
  const bytes = encodeWriteBatch(fullBatch());
  assert.throws(() => decodeWriteBatch(Uint8Array.of(...bytes, 0)), ByteFormatError);
});

test('a long batch keeps every column', () => {
  const builder = new WriteBatchBuilder();
  const count = 500;
  for (let i = 0; i < count; i++) {
    if (i === 300) builder.addHistogram(Labels.empty, i, FloatHistogram.stale, i);
    else builder.add(Labels.empty, i, i / 2, i);
  }
  const batch = decodeWriteBatch(encodeWriteBatch(builder.finish()));
  assert.deepEqual([...(batch.startTimes ?? [])], [...Array(count).keys()]);
  assert.deepEqual(
    [...batch.values],
    [...Array(count).keys()].map((i) => (i === 300 ? 0 : i / 2)),
  );
  assert.equal(
    batch.histograms?.findIndex((one) => one !== null),
    300,
  );
});

test('what refers to a series or a sample that is not there, and an unknown flag, are refused', () => {
  const { exemplars = [], histograms = [], ...batch } = fullBatch();
  const wrong = (changes: Partial<WriteBatch>) => () =>
    decodeWriteBatch(encodeWriteBatch({ ...batch, ...changes }));
  assert.equal(wrong({ exemplars, histograms })().exemplars?.length, 1);
  assert.throws(wrong({ exemplars: exemplars.map((one) => ({ ...one, ref: 3 })) }), ByteFormatError);
  assert.throws(wrong({ refs: batch.refs.map(() => 3) }), ByteFormatError);
  assert.throws(wrong({ histograms: [...histograms, FloatHistogram.stale] }), ByteFormatError);
  const bytes = encodeWriteBatch({ ...batch, exemplars });
  bytes[1] = (bytes[1] ?? 0) | 16;
  assert.throws(() => decodeWriteBatch(bytes), ByteFormatError);
});
