import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { crc32, zstdDecompressSync } from 'node:zlib';
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

/** A series for each form of times and values. */
const goldenValues: readonly Float64Array<ArrayBuffer>[] = [
  Float64Array.from({ length: 30 }, () => Math.PI),
  Float64Array.from({ length: 30 }, (_, i) => 1000 + i * 7 + (i % 5)),
  Float64Array.from({ length: 30 }, (_, i) => (2150 + ((i * 37) % 200)) / 100),
  Float64Array.from({ length: 30 }, (_, i) => (300 + ((i * 7) % 11)) * 4096),
  Float64Array.from({ length: 30 }, (_, i) => (i < 20 ? 1e12 : 0) + ((i * i) % 17)),
  Float64Array.from({ length: 30 }, (_, i) => (((i + 1) * 2_654_435_761) % 2 ** 32) / (i + 3)),
  Float64Array.from({ length: 30 }, (_, i) => 1 / (3 + (i % 2))),
];

/** All forms several times, which compresses; without repeats the one that doesn't compress. */
function goldenBuilder(repeats: number): PageBuilder {
  const builder = new PageBuilder();
  const steady = Float64Array.from({ length: 30 }, (_, i) => 1_700_000_000_123 + i * 15_000);
  const jittered = Float64Array.from(
    { length: 30 },
    (_, i) => 1_700_000_000_123 + i * 15_000 + ((i * 7) % 11),
  );
  const fractions = Float64Array.from({ length: 30 }, (_, i) => i + 0.5);
  const odd = goldenValues.map((values) => values.slice());
  new BigUint64Array((odd[1] ?? new Float64Array(0)).buffer)[29] = 0x7ff0000000000002n;
  if (repeats === 0) builder.add(0, jittered, goldenValues[5] ?? steady, 0, 30);
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [i, values] of odd.entries()) {
      const times = i === 3 ? fractions : i % 2 === 0 ? steady : jittered;
      builder.add(repeat * 10 + i, times, values, 0, 30, i === 2 ? [null, histogramOf(6)] : undefined);
    }
  }
  return builder;
}

test('pages of version 1 are read as they were written', async () => {
  const text = await readFile(new URL('../testdata/page-v1.hex', import.meta.url), 'utf8');
  const [plain, compressed] = text
    .trim()
    .split('\n')
    .map((line) => new Uint8Array(Buffer.from(line, 'hex')));
  assert.ok(plain !== undefined && compressed !== undefined);
  assert.deepEqual([plain[5], compressed[5]], [0, 1]);
  for (const [bytes, repeats] of [
    [plain, 0],
    [compressed, 6],
  ] as const) {
    const page = openPage(bytes);
    // What the writer of today makes is equal once decoded; compressors may differ.
    const today = openPage(goldenBuilder(repeats).finish());
    assert.equal(page.count, Math.max(1, goldenValues.length * repeats));
    for (let i = 0; i < page.count; i++) {
      const [was, is] = [new ColumnBuffer(30), new ColumnBuffer(30)];
      page.read(i, was);
      today.read(i, is);
      assert.equal(page.ordinal(i), today.ordinal(i));
      assert.deepEqual(was.times, is.times);
      assert.deepEqual(bitsOf(was.values, 0, 30), bitsOf(is.values, 0, 30));
      assert.deepEqual(was.histograms, is.histograms);
    }
  }
  const buffer = new ColumnBuffer(30);
  openPage(compressed).read(1, buffer);
  assert.equal(buffer.times[1], 1_700_000_015_130);
  assert.equal(buffer.values[1], 1008);
  assert.equal(bitsOf(buffer.values, 29, 30)[0], 0x7ff0000000000002n);
});

test('a damaged body under a right checksum is refused or gives some numbers', () => {
  const packed = goldenBuilder(6).finish();
  // Without compression, so that damage reaches the directory and the columns.
  const bytes = Uint8Array.of(...packed.subarray(0, 20), ...zstdDecompressSync(packed.subarray(20)));
  const view = new DataView(bytes.buffer);
  view.setUint8(5, 0);
  let refused = 0;
  const buffer = new ColumnBuffer();
  fc.assert(
    fc.property(fc.integer({ min: 12, max: bytes.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
      const before = bytes[at] ?? 0;
      bytes[at] = byte;
      view.setUint32(8, crc32(bytes.subarray(12), crc32(bytes.subarray(0, 8))), true);
      try {
        const page = openPage(bytes);
        for (let i = 0; i < page.count; i++) {
          buffer.clear();
          page.read(i, buffer);
        }
      } catch (error) {
        assert.ok(error instanceof PageFormatError, String(error));
        refused++;
      }
      bytes[at] = before;
    }),
    { numRuns: 1500 },
  );
  assert.ok(refused > 50, String(refused));
});
