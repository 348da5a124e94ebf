import assert from 'node:assert/strict';
import test from 'node:test';
import type { ShardEntry, ShardTable } from '../../cluster/index.ts';
import { StaleTableError } from '../../query/index.ts';
import { VirtualClock } from '../../runtime/testing/index.ts';
import { ClusterView } from './cluster_view.ts';

const entry = (owner: string, epoch: number, holders = [owner]): ShardEntry => ({ owner, epoch, holders });
const tableOf = (version: number, ...shards: ShardEntry[]): ShardTable => ({ version, shards });

function world(): {
  clock: VirtualClock;
  view: ClusterView;
  set: (table: ShardTable, live?: string[]) => void;
} {
  const clock = new VirtualClock();
  const view = new ClusterView('a', 2, clock);
  view.setSettleTime(30_000);
  return { clock, view, set: (table, live = ['a', 'b']) => view.update({ self: 'a', table, live }) };
}

test('what a dead node held is settled once its living successor has owned it long enough', () => {
  const { clock, view, set } = world();
  set(tableOf(1, entry('dead', 1), entry('b', 1)), ['a', 'b', 'dead']);
  clock.advance(100_000);
  set(tableOf(2, entry('b', 2, ['b', 'dead']), entry('b', 1)));
  assert.deepEqual(view.assignment.missing, [{ nodeId: 'dead', shards: [0], isSettled: false }]);
  clock.advance(29_999);
  assert.equal(view.assignment.missing[0]?.isSettled, false);
  clock.advance(1);
  assert.equal(view.assignment.missing[0]?.isSettled, true);
});

test('a successor that is away itself settles nothing; a change elsewhere leaves the time running', () => {
  const { clock, view, set } = world();
  const moved = entry('b', 2, ['b', 'dead']);
  set(tableOf(2, moved, entry('b', 1)), ['a']);
  clock.advance(60_000);
  assert.ok(view.assignment.missing.every(({ isSettled }) => !isSettled));
  set(tableOf(3, moved, entry('a', 2)));
  assert.equal(view.assignment.missing[0]?.isSettled, true);
});

test('a request is stale when one of its shards has changed hands since, or when nobody remembers', () => {
  const { view, set } = world();
  set(tableOf(5, entry('a', 1), entry('b', 1)));
  set(tableOf(6, entry('a', 1), entry('a', 2)));
  view.checkFresh(5, [0]);
  assert.throws(() => view.checkFresh(5, [0, 1]), StaleTableError);
  assert.throws(() => view.checkFresh(4, [0]), StaleTableError);
  view.checkFresh(6, [0, 1]);
  view.checkFresh(99, [0, 1]);
});

test('a version that was skipped here is judged by the one before it', () => {
  const { view, set } = world();
  set(tableOf(5, entry('a', 1), entry('b', 1)));
  set(tableOf(9, entry('a', 1), entry('a', 2)));
  view.checkFresh(7, [0]);
  assert.throws(() => view.checkFresh(7, [1]), StaleTableError);
});

test('only so many past tables are remembered', () => {
  const { view, set } = world();
  for (let version = 1; version <= 200; version++) set(tableOf(version, entry('a', 1), entry('b', 1)));
  view.checkFresh(150, [0]);
  assert.throws(() => view.checkFresh(100, [0]), StaleTableError);
});

test('a table older than the known one is no news, but who is there with it is', () => {
  const { view, set } = world();
  set(tableOf(6, entry('a', 2), entry('b', 1)));
  set(tableOf(5, entry('b', 1), entry('b', 1)), ['a']);
  assert.equal(view.table.version, 6);
  assert.equal(view.owns(0), true);
  assert.equal(view.isLive('b'), false);
});

test('who waits for news is woken by the next update, by time, or by the signal, and leaves no timer', async () => {
  const { clock, view, set } = world();
  const byUpdate = view.changed(1_000);
  set(tableOf(1, entry('a', 1), entry('b', 1)));
  await byUpdate;
  const byTime = view.changed(1_000);
  clock.advance(1_000);
  await byTime;
  const abort = new AbortController();
  const bySignal = view.changed(1_000, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(bySignal, /enough/);
  await assert.rejects(view.changed(1_000, abort.signal), /enough/);
  assert.equal(clock.pending, 0);
});
