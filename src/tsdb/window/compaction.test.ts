import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Matcher, MatchType } from '../../model/index.ts';
import { planCompaction } from './compaction.ts';
import { joinedWindowMs, windowMs } from './limits.ts';
import { covers, type Tombstone } from './tombstone.ts';
import type { WindowHeader } from './window_header.ts';

interface Planned {
  readonly header: WindowHeader;
}

const perDay = joinedWindowMs / windowMs;

function windowOf(startMs: number, lengthMs: number, epoch: number, sequence: number): Planned {
  const range = { startMs, lengthMs, minTimeMs: startMs, maxTimeMs: startMs + lengthMs - 1 };
  const counts = { series: 1, samples: 1, names: 1, pairs: 1, pages: 1, pageBytes: 1, indexBytes: 1 };
  const none = { firstChunk: 1, firstItems: [] };
  const sections = { 1: none, 2: none, 3: none, 4: none, 5: none };
  return { header: { ...range, ...counts, epoch, sequence, generation: sequence, sections } };
}

const windows = fc
  .array(
    fc.record({
      day: fc.nat({ max: 3 }),
      at: fc.nat({ max: perDay - 1 }),
      length: fc.integer({ min: 1, max: perDay }),
      epoch: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 16 },
  )
  .map((all) =>
    all.map(({ day, at, length, epoch }, i) => {
      const startMs = day * joinedWindowMs + at * windowMs;
      return windowOf(startMs, Math.min(length, perDay - at) * windowMs, epoch, i + 1);
    }),
  );
const tombstones = fc.array(
  fc.record({
    from: fc.nat({ max: 4 * perDay }),
    length: fc.nat({ max: perDay }),
    throughSequence: fc.nat({ max: 16 }),
  }),
  { maxLength: 2 },
);
const nowAt = fc.nat({ max: 6 * perDay });

function tombstoneOf(from: number, length: number, throughSequence: number, number: number): Tombstone {
  const matchers = [Matcher.create(MatchType.Equal, 'a', 'b')];
  const fromMs = from * windowMs;
  return { number, matchers, fromMs, toMs: fromMs + length * windowMs, throughSequence };
}

const endOf = ({ header }: Planned): number => header.startMs + header.lengthMs;
const overlap = (a: Planned, b: Planned): boolean =>
  a.header.startMs < endOf(b) && b.header.startMs < endOf(a);
const dayOf = ({ header }: Planned): number => Math.floor(header.startMs / joinedWindowMs);

/** Whether windows of several epochs may become one now. */
function isSettled(group: readonly Planned[], nowMs: number): boolean {
  return Math.max(...group.map(endOf)) + joinedWindowMs + windowMs <= nowMs;
}

function joined(group: readonly Planned[], sequence: number): Planned {
  const startMs = Math.min(...group.map(({ header }) => header.startMs));
  const epoch = Math.max(...group.map(({ header }) => header.epoch));
  return windowOf(startMs, Math.max(...group.map(endOf)) - startMs, epoch, sequence);
}

test('what is compacted lies in a day, is of one epoch unless it is old, and leaves no sibling that it overlaps', () => {
  const property = fc.property(windows, tombstones, nowAt, (all, deletions, at) => {
    const nowMs = at * windowMs;
    // A deletion covers windows that are there.
    const active = deletions.map((one, i) =>
      tombstoneOf(one.from, one.length, Math.min(one.throughSequence, all.length), i),
    );
    let left: Planned[] = all;
    let rounds = 0;
    for (;;) {
      const group = planCompaction(left, active, nowMs);
      if (group.length === 0) break;
      assert.ok(rounds++ < all.length + 1, 'compaction ends');
      assert.equal(new Set(group.map(dayOf)).size, 1);
      const isOfOneEpoch = new Set(group.map(({ header }) => header.epoch)).size === 1;
      assert.ok(isOfOneEpoch || isSettled(group, nowMs));
      const [first] = group as [Planned];
      const others = left.filter((one) => !group.includes(one) && one.header.epoch === first.header.epoch);
      for (const one of group) assert.ok(!others.some((other) => overlap(one, other)));
      left = [...left.filter((one) => !group.includes(one)), joined(group, all.length + rounds)];
    }
    for (const [i, a] of left.entries()) {
      assert.ok(!active.some((one) => covers(one, a.header)), 'no deletion is left to be done');
      for (const b of left.slice(i + 1)) {
        if (dayOf(a) !== dayOf(b)) continue;
        const ofDay = left.filter((one) => dayOf(one) === dayOf(a));
        assert.ok(!isSettled(ofDay, nowMs), 'an old day is one window');
        if (a.header.epoch !== b.header.epoch) continue;
        assert.ok(!overlap(a, b));
        assert.ok((dayOf(a) + 1) * joinedWindowMs + windowMs > nowMs, 'a day that is over is one window');
      }
    }
  });
  fc.assert(property, { numRuns: 500 });
});

test('windows that can not be read hold up their own group only, and the oldest group comes first', () => {
  const [a, b, c, d] = [
    windowOf(0, windowMs, 1, 1),
    windowOf(0, windowMs, 1, 2),
    windowOf(windowMs, windowMs, 1, 3),
    windowOf(windowMs, windowMs, 1, 4),
  ] as const;
  assert.deepEqual(planCompaction([d, c, b, a], [], 0), [b, a]);
  assert.deepEqual(
    planCompaction([d, c, b, a], [], 0, (one) => one === a),
    [d, c],
  );
  assert.deepEqual(
    planCompaction([a, b, c, d], [], 0, (one) => one === a || one === c),
    [],
  );
});
