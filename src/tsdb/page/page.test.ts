import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { crc32, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { CounterResetHint, FloatHistogram } from '../../model/index.ts';
import { PageFormatError } from '../codec/page_format_error.ts';
import { openPage, type Page } from './page.ts';
import { PageBuilder, type SeriesBlock } from './page_builder.ts';
import { SharedTimes } from './shared_times.ts';
import { openTimesPage, TimesColumns } from './times_columns.ts';

function bitsOf(column: Float64Array, from: number, to: number): bigint[] {
  const copy = column.slice(from, to);
  return [...new BigUint64Array(copy.buffer)];
}

/** Series `i` as it was added. */
function read(page: Page, i: number, shared: TimesColumns = new TimesColumns()): SeriesBlock {
  const values = new Float64Array(page.samples(i));
  page.values(i, values, 0);
  return {
    times: page.times(i, shared),
    values,
    histograms: page.histograms(i),
    startTimes: page.startTimes(i),
  };
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
    fc.option(fc.func(fc.constantFrom(0, 1, 1_700_000_000_000)), { nil: undefined }),
  )
  .map(([start, gaps, bitsAt, startAt]) => {
    let time = start;
    const times = Float64Array.from(gaps, (gap) => {
      time += gap + 1;
      return time;
    });
    const values = new Float64Array(BigUint64Array.from(gaps.map((_, i) => bitsAt(i))).buffer);
    const startTimes = startAt === undefined ? undefined : Float64Array.from(gaps, (_, i) => startAt(i));
    const isKnown = startTimes?.some((one) => one !== 0) === true;
    return { times, values, startTimes: isKnown ? startTimes : undefined };
  });

test('a page gives back every sample of every series, bit for bit', () => {
  const builder = new PageBuilder();
  fc.assert(
    fc.property(fc.array(seriesArbitrary, { minLength: 1, maxLength: 12 }), (all) => {
      for (const [i, series] of all.entries()) builder.add(i * 3, series, 0, series.times.length);
      const page = openPage(builder.finish());
      assert.equal(page.count, all.length);
      for (const [i, { times, values, startTimes }] of all.entries()) {
        assert.equal(page.ordinal(i), i * 3);
        const was = read(page, i);
        assert.equal(was.histograms, undefined);
        assert.deepEqual(was.times, times);
        assert.deepEqual(was.startTimes, startTimes);
        assert.deepEqual(bitsOf(was.values, 0, was.values.length), bitsOf(values, 0, values.length));
      }
    }),
    { numRuns: 60 },
  );
});

test('histograms and start times come back beside the floats that have none', () => {
  const builder = new PageBuilder();
  const times = Float64Array.of(0, 1000, 2000, 3000);
  const values = Float64Array.of(9, 0, 5, 0);
  const histograms = [null, histogramOf(4), null, histogramOf(7)];
  const startTimes = Float64Array.of(0, 0, 1500, 1500);
  builder.add(1, { times, values, histograms, startTimes }, 1, 4);
  builder.add(2, { times, values, histograms, startTimes }, 0, 1);
  const page = openPage(builder.finish());
  assert.deepEqual(read(page, 1), {
    times: Float64Array.of(0),
    values: Float64Array.of(9),
    histograms: undefined,
    startTimes: undefined,
  });
  const mixed = read(page, 0);
  assert.deepEqual(mixed.histograms, histograms.slice(1));
  assert.deepEqual(mixed.startTimes, startTimes.slice(1));
  assert.deepEqual(mixed.times, times.slice(1));
});

/** As a target scrapes: hardly any two gaps alike. */
function jittered(target: number, count: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: count }, (_, i) => i * 15_000 + ((i * (7919 + target)) % 13));
}

test('columns of times that come again in a later page are stored once for all pages', () => {
  const shared = new SharedTimes();
  const builder = new PageBuilder(shared);
  const timesPages = new Map<number, Uint8Array>();
  const pages: Uint8Array[] = [];
  for (let number = 0; number < 6; number++) {
    for (let target = 0; target < 5; target++) {
      // The last page has a column of its own.
      const times = jittered(number === 5 && target === 4 ? 99 : target, 100);
      builder.add(number * 5 + target, { times, values: new Float64Array(100) }, 0, 100);
    }
    const closed = shared.close();
    if (closed !== undefined) timesPages.set(closed.number, closed.bytes);
    pages.push(builder.finish());
  }
  assert.deepEqual([...timesPages.keys()], [0]);
  const opened = pages.map(openPage);
  assert.deepEqual(
    opened.map((page) => page.timesPages.map(({ number }) => number)),
    [[], [0], [0], [0], [0], [0]],
  );
  const columns = new TimesColumns();
  const bytes = timesPages.get(0) ?? new Uint8Array(0);
  for (const page of opened) for (const { crc } of page.timesPages) assert.equal(crc, crc32(bytes));
  assert.equal(columns.has(0), false);
  columns.add(0, openTimesPage(bytes));
  for (const [number, page] of opened.entries()) {
    for (let target = 0; target < 5; target++) {
      const expected = jittered(number === 5 && target === 4 ? 99 : target, 100);
      assert.deepEqual(read(page, target, columns).times, expected);
    }
  }
  // Series of one target have one array.
  assert.equal(opened[2]?.times(1, columns), opened[3]?.times(1, columns));
  assert.throws(() => opened[2]?.times(1, new TimesColumns()), PageFormatError);
  assert.throws(() => openTimesPage(pages[0] ?? bytes), PageFormatError);
});

test('shared columns of equal bytes and different lengths, or of equal checksums, are not taken for each other', () => {
  const shared = new SharedTimes();
  const builder = new PageBuilder(shared);
  // Irregular at first, then steady: what is encoded does not say how long it goes on.
  const irregular = (count: number): Float64Array<ArrayBuffer> =>
    Float64Array.from({ length: count }, (_, i) => i * 15_000 + (i < 12 ? i * i * 97 : 12_000));
  for (const number of [0, 1]) {
    for (const [i, count] of [400, 500].entries()) {
      builder.add(number * 2 + i, { times: irregular(count), values: new Float64Array(count) }, 0, count);
    }
    const closed = shared.close();
    const page = openPage(builder.finish());
    if (closed === undefined) continue;
    const columns = new TimesColumns();
    columns.add(closed.number, openTimesPage(closed.bytes));
    assert.equal(page.timesKey(0), page.timesKey(1));
    assert.equal(page.timesPages.length, 1);
    assert.deepEqual(read(page, 0, columns).times, irregular(400));
    assert.deepEqual(read(page, 1, columns).times, irregular(500));
  }
  const [one, other] = [new Uint8Array(40).fill(1), new Uint8Array(40).fill(2)];
  shared.place(one, 7);
  assert.ok(shared.place(one, 7) !== undefined);
  assert.equal(shared.place(other, 7), undefined);
});

test('a steady interval is no reason to refer to another page', () => {
  const shared = new SharedTimes();
  const builder = new PageBuilder(shared);
  for (let number = 0; number < 3; number++) {
    const times = Float64Array.from({ length: 100 }, (_, i) => i * 15_000);
    builder.add(number, { times, values: new Float64Array(100) }, 0, 100);
    assert.equal(shared.close(), undefined);
    assert.deepEqual(openPage(builder.finish()).timesPages, []);
  }
});

test('equal columns of times are stored once', () => {
  const builder = new PageBuilder();
  const block = { times: jittered(0, 100), values: new Float64Array(100) };
  builder.add(0, block, 0, 100);
  const first = builder.size;
  builder.add(1, block, 0, 100);
  assert.ok(builder.size - first < first, `${builder.size - first} and ${first} bytes`);
});

function somePage(): Uint8Array<ArrayBuffer> {
  const builder = new PageBuilder();
  for (let series = 0; series < 3; series++) {
    const times = Float64Array.from({ length: 20 }, (_, i) => i * 1000 + series);
    const values = Float64Array.from({ length: 20 }, (_, i) => Math.sin(i + series));
    const startTimes = Float64Array.from({ length: 20 }, (_, i) => (i < 9 ? 0 : 900 + series));
    builder.add(
      series,
      { times, values, startTimes, histograms: series === 1 ? [histogramOf(3)] : undefined },
      0,
      20,
    );
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
function goldenBuilder(repeats: number, shared?: SharedTimes): PageBuilder {
  const builder = new PageBuilder(shared);
  const hasStartTimes = shared !== undefined;
  const steady = Float64Array.from({ length: 30 }, (_, i) => 1_700_000_000_123 + i * 15_000);
  const jittered = Float64Array.from(
    { length: 30 },
    (_, i) => 1_700_000_000_123 + i * 15_000 + ((i * 7) % 11),
  );
  const fractions = Float64Array.from({ length: 30 }, (_, i) => i + 0.5);
  const odd = goldenValues.map((values) => values.slice());
  new BigUint64Array((odd[1] ?? new Float64Array(0)).buffer)[29] = 0x7ff0000000000002n;
  if (repeats === 0) builder.add(0, { times: jittered, values: goldenValues[5] ?? steady }, 0, 30);
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [i, values] of odd.entries()) {
      const times = i === 3 ? fractions : i % 2 === 0 ? steady : jittered;
      const histograms = i === 2 ? [null, histogramOf(6)] : undefined;
      const startTimes =
        hasStartTimes && i === 1 ? steady.map((time, at) => (at < 3 ? 0 : time - 7)) : undefined;
      builder.add(repeat * 10 + i, { times, values, histograms, startTimes }, 0, 30);
    }
  }
  return builder;
}

async function goldenPages(name: string): Promise<Uint8Array[]> {
  const text = await readFile(new URL(`../testdata/${name}`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => new Uint8Array(Buffer.from(line, 'hex')));
}

/** Every series of both is the same; compressors may differ, so that bytes are not compared. */
function assertSamePages(
  [was, wasTimes]: readonly [Page, TimesColumns?],
  [is, isTimes]: readonly [Page, TimesColumns?],
): void {
  assert.equal(was.count, is.count);
  for (let i = 0; i < was.count; i++) {
    assert.equal(was.ordinal(i), is.ordinal(i));
    const [a, b] = [read(was, i, wasTimes), read(is, i, isTimes)];
    assert.deepEqual(a.times, b.times);
    assert.deepEqual(bitsOf(a.values, 0, 30), bitsOf(b.values, 0, 30));
    assert.deepEqual(a.histograms, b.histograms);
    assert.deepEqual(a.startTimes, b.startTimes);
  }
}

test('pages of version 1 are read as they were written', async () => {
  const [plain, compressed] = await goldenPages('page-v1.hex');
  assert.ok(plain !== undefined && compressed !== undefined);
  assert.deepEqual([plain[4], plain[5], compressed[4], compressed[5]], [1, 0, 1, 1]);
  assertSamePages([openPage(plain)], [openPage(goldenBuilder(0).finish())]);
  assertSamePages([openPage(compressed)], [openPage(goldenBuilder(6).finish())]);
  const { times, values } = read(openPage(compressed), 1);
  assert.equal(times[1], 1_700_000_015_130);
  assert.equal(values[1], 1008);
  assert.equal(bitsOf(values, 29, 30)[0], 0x7ff0000000000002n);
});

/** A page of times, and two pages of the same columns, the second of which refers to it. */
function goldenTrio(): Uint8Array[] {
  const shared = new SharedTimes();
  const first = goldenBuilder(6, shared).finish();
  const builder = goldenBuilder(6, shared);
  return [shared.close()?.bytes ?? new Uint8Array(0), first, builder.finish()];
}

test('pages of version 2 are read as they were written', async () => {
  const [wasTimes, ...was] = await goldenPages('page-v2.hex');
  const [isTimes, ...is] = goldenTrio();
  assert.ok(wasTimes !== undefined && isTimes !== undefined);
  const columns = (bytes: Uint8Array): TimesColumns => {
    const times = new TimesColumns();
    times.add(0, openTimesPage(bytes));
    return times;
  };
  assert.equal(was.length, 2);
  for (const [i, bytes] of was.entries()) {
    const page = openPage(bytes);
    assert.equal(page.timesPages.length, i);
    assertSamePages([page, columns(wasTimes)], [openPage(is[i] ?? bytes), columns(isTimes)]);
    assert.equal(page.timesPages[0]?.crc, i === 0 ? undefined : crc32(wasTimes));
  }
  const { times, startTimes } = read(openPage(was[1] ?? wasTimes), 1, columns(wasTimes));
  assert.deepEqual([times[1], startTimes?.[2], startTimes?.[3]], [1_700_000_015_130, 0, 1_700_000_045_116]);
});

test('a damaged body under a right checksum is refused or gives some numbers', () => {
  const [timesPage, , packed] = goldenTrio();
  assert.ok(timesPage !== undefined && packed !== undefined);
  // Without compression, so that damage reaches the directory and the columns.
  const bytes = Uint8Array.of(...packed.subarray(0, 20), ...zstdDecompressSync(packed.subarray(20)));
  const view = new DataView(bytes.buffer);
  view.setUint8(5, 0);
  let refused = 0;
  fc.assert(
    fc.property(fc.integer({ min: 12, max: bytes.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
      const before = bytes[at] ?? 0;
      bytes[at] = byte;
      view.setUint32(8, crc32(bytes.subarray(12), crc32(bytes.subarray(0, 8))), true);
      try {
        const page = openPage(bytes);
        const columns = new TimesColumns();
        columns.add(0, openTimesPage(timesPage));
        for (let i = 0; i < page.count; i++) read(page, i, columns);
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
