/** Columns of ids and times: they come back, bit by bit, and damaged ones are refused or read as some others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteFormatError, ByteWriter } from '../../base/index.ts';
import { ColumnReader, readIds, readTimes, writeIds, writeTimes } from './columns.ts';

const id = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  fc.constantFrom(1, 2 ** 32 - 1, 2 ** 31, 127, 128),
);
/** Runs and loose ids, mixed. */
const ids = fc
  .array(fc.tuple(id, fc.integer({ min: 1, max: 20 })), { minLength: 1, maxLength: 40 })
  .map((runs) =>
    runs.flatMap(([first, length]) =>
      Array.from({ length }, (_, i) => first + i).filter((one) => one < 2 ** 32),
    ),
  );
const time = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, 2 ** 50, -(2 ** 50), 2 ** 50 + 1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY),
);

function bytesOf(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(8);
  writer.u8(0xee);
  write(writer);
  return writer.finish();
}

test('property: ids come back, and so does the highest of them', () => {
  fc.assert(
    fc.property(ids, (some) => {
      const bytes = bytesOf((writer) => writeIds(writer, Uint32Array.from([...some, 7]), some.length));
      const out = new Uint32Array(some.length + 1).fill(9);
      const reader = new ColumnReader(bytes, 1);
      assert.equal(
        readIds(reader, out, some.length),
        some.reduce((a, b) => Math.max(a, b)),
      );
      assert.deepEqual([...out], [...some, 9]);
      assert.equal(reader.at, bytes.length);
    }),
  );
});

test('property: times come back', () => {
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 50 }), (times) => {
      const bytes = bytesOf((writer) => writeTimes(writer, Float64Array.from([...times, 7]), times.length));
      const out = new Float64Array(times.length + 1).fill(9);
      const reader = new ColumnReader(bytes, 1);
      readTimes(reader, out, times.length);
      assert.deepEqual([...out], [...times, 9]);
      assert.equal(reader.at, bytes.length);
    }),
  );
});

test('a scrape of any size takes a few bytes', () => {
  const scrape = Uint32Array.from({ length: 5000 }, (_, i) => 70_000 + i);
  assert.ok(bytesOf((writer) => writeIds(writer, scrape, 5000)).length <= 9);
  const times = new Float64Array(5000).fill(1_700_000_000_123);
  assert.equal(bytesOf((writer) => writeTimes(writer, times, 5000)).length, 10);
  // One series out of five is new and has an id far behind.
  const mixed = scrape.map((one, i) => (i % 5 === 0 ? one + 100_000 : one));
  assert.ok(bytesOf((writer) => writeIds(writer, mixed, 5000)).length <= 5000 * 1.9);
});

test('property: any bytes give ids from 1 to 2^32 - 1, or a ByteFormatError', () => {
  const head = fc.constantFrom(0, 1, 2);
  fc.assert(
    fc.property(
      head,
      fc.uint8Array({ maxLength: 30 }),
      fc.integer({ min: 1, max: 300 }),
      (kind, tail, count) => {
        const out = new Uint32Array(count + 1).fill(5);
        try {
          const highest = readIds(new ColumnReader(Uint8Array.of(kind, ...tail), 0), out, count);
          assert.ok(out.subarray(0, count).every((one) => one >= 1 && one <= highest));
        } catch (error) {
          assert.ok(error instanceof ByteFormatError, String(error));
        }
        assert.equal(out[count], 5);
        try {
          readTimes(new ColumnReader(Uint8Array.of(kind, ...tail), 0), new Float64Array(count), count);
        } catch (error) {
          assert.ok(error instanceof ByteFormatError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('a claim of more ids or bytes than there are is refused at once', () => {
  const out = new Uint32Array(4);
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  assert.throws(() => readIds(new ColumnReader(Uint8Array.of(0, 1, 2, ...huge), 0), out, 4), ByteFormatError);
  assert.throws(() => readIds(new ColumnReader(Uint8Array.of(0, ...huge, 2, 0), 0), out, 4), ByteFormatError);
  assert.throws(() => readIds(new ColumnReader(Uint8Array.of(1, ...huge, 0xff), 0), out, 4), ByteFormatError);
});
