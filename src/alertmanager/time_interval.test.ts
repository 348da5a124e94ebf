import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTimeInterval, zoneFormatter } from './time_interval.ts';

test('a zone keeps its formatter, and only so many zones do', () => {
  const first = zoneFormatter('Europe/Berlin');
  assert.equal(zoneFormatter('Europe/Berlin'), first);
  for (const zone of Intl.supportedValuesOf('timeZone').slice(0, 200)) zoneFormatter(zone);
  assert.notEqual(zoneFormatter('Europe/Berlin'), first);
});

test('minutes are those on the wall of the zone', () => {
  const noon = {
    times: [{ startMinute: 12 * 60, endMinute: 12 * 60 + 1 }],
    weekdays: undefined,
    daysOfMonth: undefined,
    months: undefined,
    years: undefined,
  };
  const atMs = Date.UTC(2026, 6, 1, 10, 0);
  assert.ok(inTimeInterval({ ...noon, location: 'Europe/Berlin' }, atMs));
  assert.ok(!inTimeInterval({ ...noon, location: '' }, atMs));
  assert.ok(inTimeInterval({ ...noon, location: '' }, atMs + 2 * 3_600_000));
});
