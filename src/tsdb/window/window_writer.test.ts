import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../base/index.ts';
import { systemClock } from '../../base/index.ts';
import { Matcher, MatchType } from '../../model/index.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { sliceBudgetMs } from './limits.ts';
import { everything, inOrder, oneSeries, openSet } from './testing/fixtures.ts';

/** Time that goes on by a millisecond whenever it is asked for. */
class TickingClock implements Clock {
  ticks = 0;
  readonly after = systemClock.after;

  nowMs(): number {
    return this.ticks;
  }

  monotonicMs(): number {
    return this.ticks++;
  }
}

const series = inOrder(
  Array.from({ length: 300 }, (_, i) => oneSeries({ __name__: `m${i % 9}`, i: `${i}` }, [1, i], [2, i])),
);

test('sealing and compaction pause when their slice is over', async () => {
  const clock = new TickingClock();
  let pauses = 0;
  let lastTick = 0;
  const breathe = async (): Promise<void> => {
    pauses++;
    assert.ok(clock.ticks - lastTick <= sliceBudgetMs + 3, `${clock.ticks - lastTick} steps in one slice`);
    lastTick = clock.ticks;
  };
  const set = await openSet(new MemoryDisk(), { clock, breathe });
  await set.seal({ startMs: 0, epoch: 1, series: series.flatMap((one) => [undefined, one]) });
  assert.ok(pauses >= (2 * 300) / (sliceBudgetMs + 1), `${pauses} pauses in sealing`);
  lastTick = clock.ticks;
  await set.seal({ startMs: 0, epoch: 1, series });
  const sealed = pauses;
  lastTick = clock.ticks;
  await set.compact(0);
  assert.ok(pauses - sealed >= 300 / (sliceBudgetMs + 1), `${pauses - sealed} pauses in compaction`);
});

test('selections and lists of labels pause when their slice is over', async () => {
  const many = inOrder(
    Array.from({ length: 9000 }, (_, i) => oneSeries({ __name__: `m${i % 9}`, i: `${i}` }, [1, i], [2, i])),
  );
  const clock = new TickingClock();
  let pauses = 0;
  const breathe = async (): Promise<void> => {
    pauses++;
  };
  const set = await openSet(new MemoryDisk(), { clock, breathe });
  for (let round = 0; round < 2; round++) await set.seal({ startMs: 0, epoch: 1, series: many });
  const job = [Matcher.create(MatchType.Regexp, 'i', '.*[02468]')];
  const pausesOf = async (run: () => Promise<unknown>): Promise<number> => {
    pauses = 0;
    await run();
    return pauses;
  };
  // Time goes on by a millisecond with each look at the clock, so that pauses count the looks.
  assert.ok((await pausesOf(() => set.select([], ...everything))) > 1000);
  assert.ok((await pausesOf(() => set.series(job, ...everything))) > 100);
  assert.ok((await pausesOf(() => set.labelNames(job, ...everything))) > 100);
  assert.ok((await pausesOf(() => set.labelValues('i', [], ...everything))) > 5);
  await set.delete(job, ...everything);
  assert.ok((await pausesOf(() => set.select([], ...everything))) > 2000);
});

test('the header is written last, alone synced, and before it there is no window', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  await set.seal({ startMs: 0, epoch: 1, series });
  const synced = disk.writes.map(({ sync }) => sync);
  assert.deepEqual(synced, [...synced.slice(1).fill(false), true].slice(-synced.length));
  const last = disk.writes.at(-1)?.operations ?? [];
  assert.deepEqual(
    last.map(({ key }) => Buffer.from(key).toString('hex')),
    ['0003490000000000000000000000'],
  );
  disk.delete('0003490000000000000000000000');
  assert.equal((await openSet(disk)).stats().windows, 0);
  assert.deepEqual(disk.keys, []);
});

test('series out of order, twice or outside the window are not sealed', async () => {
  const set = await openSet();
  const [a, b] = [oneSeries({ a: '1' }, [1, 1]), oneSeries({ a: '2' }, [1, 1])];
  for (const wrong of [[b, a], [a, a], [oneSeries({ a: '1' }, [7_200_000, 1])]]) {
    await assert.rejects(set.seal({ startMs: 0, epoch: 1, series: wrong }), { name: 'AssertionError' });
  }
  assert.equal(set.stats().windows, 0);
  await set.seal({ startMs: 0, epoch: 1, series: [a, b] });
  assert.equal(set.stats().windows, 1);
});
