import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../base/index.ts';
import { PageFormatError } from './page_format_error.ts';
import { decodeTimestamps, encodeTimestamps } from './timestamps.ts';

function roundTrip(times: Float64Array): Uint8Array<ArrayBuffer> {
  const sink = new ByteWriter(1);
  encodeTimestamps(times, 0, times.length, sink);
  const bytes = sink.finish();
  const out = new Float64Array(times.length + 1);
  assert.equal(decodeTimestamps(Buffer.from(bytes), 0, times.length, out, 1), bytes.length);
  assert.deepEqual(new Uint32Array(out.buffer, 8, 2 * times.length), new Uint32Array(times.slice().buffer));
  return bytes;
}

test('ascending times come back', () => {
  const gaps = fc.array(
    fc.oneof(fc.nat({ max: 20 }), fc.integer({ min: 14_990, max: 15_010 }), fc.maxSafeNat()),
    {
      maxLength: 100,
    },
  );
  fc.assert(
    fc.property(gaps, fc.integer({ min: -(2 ** 42), max: 2 ** 42 }), (all, start) => {
      let time = start;
      roundTrip(
        Float64Array.from(all, (gap) => {
          time += gap + 1;
          return time;
        }),
      );
    }),
  );
});

test('any doubles come back', () => {
  fc.assert(
    fc.property(fc.float64Array({ maxLength: 30 }), (times) => void roundTrip(new Float64Array(times))),
  );
});

test('a constant interval costs a header, jitter up to a byte per sample, a gap an exception', () => {
  const startMs = 1_700_000_000_123;
  const column = (next: (i: number) => number): Float64Array =>
    Float64Array.from({ length: 480 }, (_, i) => startMs + next(i));
  assert.ok(roundTrip(column((i) => i * 15_000)).length <= 14);
  assert.ok(roundTrip(column((i) => i * 15_000 + ((i * 37) % 50))).length <= 480 + 14);
  assert.ok(roundTrip(column((i) => i * 15_000 + ((i * 37) % 16))).length <= 240 + 14);
  assert.ok(roundTrip(column((i) => i * 15_000 + (i > 100 ? 60_000 : 0))).length <= 22);
});

test('bytes that end early, and any others, are refused or give some numbers', () => {
  const bytes = roundTrip(
    Float64Array.from({ length: 30 }, (_, i) => i * 15_000 + (i % 7) + (i > 9 ? 1e9 : 0)),
  );
  const out = new Float64Array(40);
  for (let end = 0; end < bytes.length; end++)
    assert.throws(() => decodeTimestamps(bytes.subarray(0, end), 0, 30, out, 0), PageFormatError);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 40 }),
      (any, count) => {
        any[0] = (any[0] ?? 0) % 3;
        try {
          assert.ok(decodeTimestamps(any, 0, count, out, 0) <= any.length);
        } catch (error) {
          assert.ok(error instanceof PageFormatError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});
