import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { durationMaxMs, formatDuration, parseDuration, parseSignedDuration } from './durations.ts';
import { DurationError } from './errors.ts';

test('durations add up their units', () => {
  const cases: [string, number][] = [
    ['0', 0],
    ['0s', 0],
    ['0w', 0],
    ['324ms', 324],
    ['3s', 3000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['4d', 345_600_000],
    ['4d1h', 349_200_000],
    ['3w2d1h', 1_990_800_000],
    ['10y', 315_360_000_000],
    ['0000000000000000000000000000001s', 1000],
    ['106751d23h47m16s854ms', durationMaxMs],
  ];
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text);
});

test('units go from big to small, once each, and nothing else is let through', () => {
  const refused = [
    '1',
    '-1s',
    '1.5h',
    '1d1d',
    '1m1d',
    '1d 1h',
    ' 1s',
    '1s ',
    's',
    'h1',
    '1h1',
    '1M',
    '1µs',
    '1ns',
    '5m3',
    '+1s',
  ];
  for (const text of [...refused, '18446744073709551616s'])
    assert.throws(() => parseDuration(text), DurationError, text);
});

test('the error says what is wrong', () => {
  assert.throws(() => parseDuration(''), { message: 'empty duration string' });
  assert.throws(() => parseDuration('1x'), { message: 'unknown unit "x" in duration "1x"' });
  assert.throws(() => parseDuration('1.5h'), { message: 'unknown unit "." in duration "1.5h"' });
  assert.throws(() => parseDuration('1m1d'), { message: 'not a valid duration string: "1m1d"' });
});

test('what does not fit 63 bits of nanoseconds is out of range', () => {
  for (const text of ['293y', '9223372036855ms', '106751d23h47m16s855ms', '99999999999999999s']) {
    assert.throws(
      () => parseDuration(text),
      { message: 'duration out of range', code: 'bad_duration' },
      text,
    );
  }
});

test('years and weeks are written only when nothing is left over', () => {
  const day = 86_400_000;
  assert.equal(formatDuration(0), '0s');
  assert.equal(formatDuration(90 * day), '90d');
  assert.equal(formatDuration(14 * day), '2w');
  assert.equal(formatDuration(365 * day), '1y');
  assert.equal(formatDuration(366 * day), '366d');
  assert.equal(formatDuration(5_400_000), '1h30m');
  assert.equal(formatDuration(-1001), '-1s1ms');
  assert.equal(formatDuration(0.5), '0s');
});

test('property: what is written reads back the same', () => {
  const anyMs = fc.oneof(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 0, max: durationMaxMs }));
  fc.assert(
    fc.property(anyMs, (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
      assert.equal(parseSignedDuration(formatDuration(-ms)), ms === 0 ? 0 : -ms);
    }),
  );
});

test('property: any text gives whole milliseconds or a DurationError', () => {
  const near = fc.array(fc.constantFrom('1', '20', 'y', 'w', 'd', 'h', 'm', 's', 'ms', '-', '.', ' '), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        near.map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          assert.ok(Number.isSafeInteger(parseDuration(text)));
        } catch (error) {
          assert.ok(error instanceof DurationError);
        }
      },
    ),
  );
});
