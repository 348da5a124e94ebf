import assert from 'node:assert/strict';
import test from 'node:test';
import type { ShardEntry, ShardTable } from '../cluster/index.ts';
import { assignmentOf, shardsMoved, shardsToHandOver } from './table_view.ts';

const entry = (owner: string, holders: readonly string[], epoch = 1): ShardEntry => ({
  owner,
  epoch,
  holders,
});
const table: ShardTable = {
  version: 7,
  shards: [
    entry('a', ['a']),
    entry('b', ['b', 'a']),
    entry('b', ['b', 'dead']),
    entry('a', ['a', 'b', 'dead']),
    entry('dead', ['dead']),
    entry('a', ['a']),
  ],
};
const live = new Set(['a', 'b']);

test('a shard is read whole where one living node holds it, raw where several do, and what is away is missing', () => {
  const { tableVersion, whole, scattered, missing } = assignmentOf(table, live, (shard) => shard === 2);
  assert.equal(tableVersion, 7);
  assert.deepEqual(whole, [
    { nodeId: 'a', shards: [0, 5] },
    { nodeId: 'b', shards: [2] },
  ]);
  assert.deepEqual(scattered, [
    { nodeId: 'b', shards: [1, 3] },
    { nodeId: 'a', shards: [1, 3] },
  ]);
  assert.deepEqual(missing, [
    { nodeId: 'dead', shards: [2], isSettled: true },
    { nodeId: 'dead', shards: [3, 4], isSettled: false },
  ]);
});

test('no shard is read at one place whole and at another raw', () => {
  const { whole, scattered } = assignmentOf(table, live, () => true);
  const raw = new Set(scattered.flatMap(({ shards }) => shards));
  assert.ok(whole.every(({ shards }) => shards.every((shard) => !raw.has(shard))));
});

test('what another living node owns is to be handed over, by whoever holds it', () => {
  assert.deepEqual(shardsToHandOver(table, 'a', live), [1]);
  assert.deepEqual(shardsToHandOver(table, 'b', live), [3]);
  assert.deepEqual(shardsToHandOver(table, 'b', new Set(['b'])), []);
});

test('a shard has moved when its epoch has changed, not when its holders have', () => {
  const after = {
    version: 8,
    shards: [entry('a', ['a', 'b']), entry('a', ['a', 'b'], 2), ...table.shards.slice(2)],
  };
  assert.equal(shardsMoved(table, after, [0, 2, 5]), false);
  assert.equal(shardsMoved(table, after, [0, 1]), true);
});
