import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { windowMs } from './limits.ts';
import { enforceSize } from './size_retention.ts';
import { oneSeries, windowDeps } from './testing/fixtures.ts';
import { WindowSet } from './window_set.ts';

test('the oldest windows of all shards go until the rest fits', async () => {
  const deps = await windowDeps(new MemoryDisk());
  const sets = [await WindowSet.open(1, deps), await WindowSet.open(2, deps)];
  for (const [shard, set] of sets.entries()) {
    for (const window of [shard, shard + 2]) {
      const startMs = window * windowMs;
      await set.seal({ startMs, epoch: 1, series: [oneSeries({ a: 'b' }, [startMs, 1])] });
    }
  }
  const bytes = (): number => sets.reduce((sum, set) => sum + set.bytes, 0);
  const total = bytes();
  assert.equal(await enforceSize(sets, total), 0);
  const dropped = await enforceSize(sets, total * 0.6);
  assert.equal(bytes(), total - dropped);
  const starts = sets.map((set) => set.windows().map(({ startMs }) => startMs / windowMs));
  assert.deepEqual(starts, [[2], [3]]);
  await enforceSize(sets, -1);
  assert.equal(bytes(), 0);
});
