import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { groupOffsetMs, groupSchedule, nextSlot, slotBefore } from './schedule.ts';

test('slots are interval apart, at the offset hashed from file and name, and never in the future', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 1, max: 3_600_000 }),
      fc.integer({ min: 0, max: 2e12 }),
      (name, intervalMs, nowMs) => {
        const schedule = groupSchedule('rules.yml', name, intervalMs);
        const slotMs = slotBefore(schedule, nowMs);
        assert.ok(slotMs <= nowMs && nowMs - slotMs < intervalMs);
        assert.ok(schedule.offsetMs >= 0 && schedule.offsetMs < intervalMs);
        assert.equal((((slotMs - schedule.offsetMs) % intervalMs) + intervalMs) % intervalMs, 0);
      },
    ),
  );
});

test('the offset is the one that Prometheus 3.x was seen to use', () => {
  assert.equal(groupOffsetMs('rules.yml', 'grp', 3000), 2581);
});

test('the offset differs between groups of a file', () => {
  const offsets = new Set(Array.from({ length: 50 }, (_, i) => groupOffsetMs('rules.yml', `g${i}`, 60_000)));
  assert.ok(offsets.size > 45);
});

test('the first slot lies after now; later ones follow by one interval', () => {
  const schedule = { intervalMs: 1000, offsetMs: 300 };
  assert.deepEqual(nextSlot(schedule, undefined, 5400), { slotMs: 6300, missed: 0 });
  assert.deepEqual(nextSlot(schedule, 6300, 6350), { slotMs: 7300, missed: 0 });
  assert.deepEqual(nextSlot(schedule, 6300, 7300), { slotMs: 7300, missed: 0 });
});

test('a slow group leaves out slots and counts them', () => {
  const schedule = { intervalMs: 1000, offsetMs: 300 };
  assert.deepEqual(nextSlot(schedule, 6300, 9900), { slotMs: 9300, missed: 2 });
});
