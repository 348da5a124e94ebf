import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DurationError } from './errors.ts';
import {
  formatGoTime,
  formatTimestamp,
  parseSecondsOrDuration,
  parseTimestamp,
  TimestampError,
} from './timestamps.ts';

test('times are unix seconds or RFC 3339', () => {
  const cases: [string, number][] = [
    ['0', 0],
    ['1700000000.5', 1_700_000_000_500],
    ['-1.001', -1001],
    ['1.7e9', 1_700_000_000_000],
    ['2015-06-03T13:21:58.555Z', 1_433_337_718_555],
    ['2015-06-03T14:21:58.5559+01:00', 1_433_337_718_555],
    ['2015-06-03T13:21:58Z', 1_433_337_718_000],
    ['-292273086-05-16T16:47:06Z', -8.64e15],
    ['292277025-08-18T07:12:54.999999999Z', 8.64e15],
    ['1e300', 8.64e15],
    ['-Inf', -8.64e15],
  ];
  for (const [text, ms] of cases) assert.equal(parseTimestamp(text), ms, text);
});

test('what is no time is refused by name', () => {
  for (const text of [
    '',
    'now',
    'NaN',
    '2015-06-03',
    '2015-02-30T00:00:00Z',
    '2015-06-03T13:21:58',
    '2015-06-03 13:21:58Z',
    '12h',
    '0x1',
  ]) {
    assert.throws(() => parseTimestamp(text), TimestampError, text);
  }
  assert.throws(() => parseTimestamp('"'), {
    message: 'cannot parse "\\"" to a valid timestamp',
    code: 'bad_timestamp',
  });
});

test('times are written as seconds with three decimals or none', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [1, '0.001'],
    [1500, '1.500'],
    [-50, '-0.050'],
    [1_700_000_000_010, '1700000000.010'],
  ];
  for (const [ms, text] of cases) assert.equal(formatTimestamp(ms), text);
});

test('property: a time written reads back the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e14, max: 1e14 }), (ms) =>
      assert.equal(parseTimestamp(formatTimestamp(ms)), ms),
    ),
  );
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date(253402300799000), noInvalidDate: true }),
      (date) => {
        assert.equal(parseTimestamp(date.toISOString()), date.getTime());
      },
    ),
  );
});

test('steps and timeouts are seconds or a duration', () => {
  assert.equal(parseSecondsOrDuration('15'), 15_000);
  assert.equal(parseSecondsOrDuration('0.5'), 500);
  assert.equal(parseSecondsOrDuration('-1'), -1000);
  assert.equal(parseSecondsOrDuration('1m30s'), 90_000);
  for (const text of ['', 'x', 'NaN', 'Inf', '1e300', '1m1h']) {
    assert.throws(() => parseSecondsOrDuration(text), DurationError, text);
  }
  assert.throws(() => parseSecondsOrDuration('1e300'), {
    message: 'cannot parse "1e300" to a valid duration. It overflows int64',
  });
});

test("Go's times have the fractional digits they need, and a zero time for none", () => {
  assert.equal(formatGoTime(undefined), '0001-01-01T00:00:00Z');
  assert.equal(formatGoTime(0), '1970-01-01T00:00:00Z');
  assert.equal(formatGoTime(1_200), '1970-01-01T00:00:01.2Z');
  assert.equal(formatGoTime(10_010), '1970-01-01T00:00:10.01Z');
});
