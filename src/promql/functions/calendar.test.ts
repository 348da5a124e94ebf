import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { civilTime, dayOfWeek, dayOfYear, daysInMonth } from './calendar.ts';

test('dates are those of the Gregorian calendar', () => {
  fc.assert(
    fc.property(fc.integer({ min: -8_600_000_000_000, max: 8_600_000_000_000 }), (seconds) => {
      const date = new Date(seconds * 1000);
      const time = civilTime(seconds);
      const { year, month, day, secondOfDay } = time;
      assert.deepEqual(
        [year, month, day, dayOfWeek(time)],
        [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCDay()],
      );
      assert.equal(Math.floor(secondOfDay / 3600), date.getUTCHours());
      const last = new Date(date);
      last.setUTCMonth(date.getUTCMonth() + 1, 0);
      assert.equal(daysInMonth(time), last.getUTCDate());
      const newYear = new Date(date);
      newYear.setUTCMonth(0, 1);
      newYear.setUTCHours(0, 0, 0, 0);
      assert.equal(dayOfYear(time), Math.floor((date.getTime() - newYear.getTime()) / 86_400_000) + 1);
    }),
  );
});

test('beyond what dates hold they are those that Prometheus gives', () => {
  for (const [seconds, expected] of [
    [1e15, [31_690_708, 7, 5, 0, 187, 31, 1, 46]],
    [9e18, [285_198_648_531, 4, 21, 6, 111, 30, 16, 0]],
    [-9e18, [-285_198_644_592, 9, 12, 1, 256, 30, 8, 0]],
    [2 ** 63 - 1024, [292_277_026_596, 12, 4, 0, 339, 31, 15, 13]],
    [Number.NaN, [292_277_026_596, 12, 4, 0, 339, 31, 15, 30]],
    [1e300, [292_277_026_596, 12, 4, 0, 339, 31, 15, 30]],
    [Number.NEGATIVE_INFINITY, [292_277_026_596, 12, 4, 0, 339, 31, 15, 30]],
  ] as const) {
    const time = civilTime(seconds);
    const { year, month, day, secondOfDay } = time;
    const clock = [Math.floor(secondOfDay / 3600), Math.floor(secondOfDay / 60) % 60];
    assert.deepEqual(
      [year, month, day, dayOfWeek(time), dayOfYear(time), daysInMonth(time), ...clock],
      expected,
    );
  }
});
