import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashModulusMax, Labels, xxHash64 } from '../../model/index.ts';
import { placementKey, placementShard } from './placement.ts';
import { preferenceOrders } from './preference.ts';
import { computeTable, emptyTable, loadMax, type ShardTable } from './table.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `node-${i + 1}`);

function loads(table: ShardTable): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { owner } of table.shards) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return counts;
}
const moved = (a: ShardTable, b: ShardTable): number[] =>
  a.shards.flatMap(({ owner }, shard) => (owner === b.shards[shard]?.owner ? [] : [shard]));

function assertBalanced(table: ShardTable, members: readonly string[]): void {
  const max = loadMax(table.shards.length, members.length);
  for (const [owner, load] of loads(table)) {
    assert.ok(members.includes(owner), `${owner} is alive`);
    assert.ok(load <= max, `${owner} owns ${load} of at most ${max}`);
  }
}

test('series that differ only in name share a shard, and job and instance alone decide where instance is set', () => {
  const a = Labels.fromRecord({ __name__: 'up', job: 'node', instance: 'a:9100' });
  const b = Labels.fromRecord({ __name__: 'load1', job: 'node', instance: 'a:9100', cpu: '1' });
  assert.equal(placementShard(a, 128), placementShard(b, 128));
  assert.deepEqual(placementKey(b), ['node', 'a:9100']);
  const c = Labels.fromRecord({ __name__: 'job:x:sum', job: 'node' });
  assert.deepEqual(placementKey(c), ['job', 'node']);
});

test('series without instance that differ in what functions drop share a shard', () => {
  const [a, b] = ['counter', 'gauge'].map((type) =>
    Labels.fromRecord({
      __name__: `${type}_of`,
      __type__: type,
      __unit__: `${type}s`,
      job: 'node',
      zone: 'eu',
    }),
  );
  assert.ok(a !== undefined && b !== undefined);
  assert.equal(placementShard(a, 128), placementShard(b, 128));
  assert.deepEqual(placementKey(a), ['job', 'node', 'zone', 'eu']);
});

test('a shard number never changes between versions', () => {
  assert.equal(placementShard(Labels.fromRecord({ job: 'node', instance: 'a:9100' }), 128), 81);
  assert.equal(placementShard(Labels.fromRecord({ __name__: 'x', zone: 'eu' }), 128), 15);
});

test("a shard is the key's 64-bit hash modulo the number of shards", () => {
  const text = fc.string({ minLength: 1, maxLength: 40, unit: 'binary' });
  const record = fc.dictionary(fc.constantFrom('__name__', 'job', 'instance', 'zone', 'x'), text);
  fc.assert(
    fc.property(record, fc.integer({ min: 1, max: hashModulusMax }), (pairs, shards) => {
      const labels = Labels.fromRecord(pairs);
      const expected = Number(xxHash64(placementKey(labels)) % BigInt(shards));
      assert.equal(placementShard(labels, shards), expected);
    }),
    { numRuns: 2_000 },
  );
});

test('a preference order does not depend on the order of the members, and a joiner only inserts itself', () => {
  const three = preferenceOrders(names(3), 128);
  assert.deepEqual(preferenceOrders(names(3).reverse(), 128), three);
  const four = preferenceOrders(names(4), 128);
  for (const [shard, order] of four.entries()) {
    assert.deepEqual(
      order.filter((member) => member !== 'node-4'),
      three[shard],
    );
  }
});

test('every owner has at most ceil(1.1 × the mean), for 1 to 50 members and any history', () => {
  const sets = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 50 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(sets, (history) => {
      let table = emptyTable(128);
      for (const alive of history) {
        const members = alive.map((i) => `node-${i}`);
        const next = computeTable(table, members, names(50));
        assertBalanced(next, members);
        assert.ok(next.version >= table.version);
        for (const [shard, entry] of next.shards.entries()) {
          const before = table.shards[shard];
          assert.equal(entry.holders[0], entry.owner);
          assert.equal(entry.epoch, (before?.epoch ?? 0) + (entry.owner === before?.owner ? 0 : 1));
          for (const holder of before?.holders ?? []) assert.ok(entry.holders.includes(holder));
        }
        assert.equal(computeTable(next, members, names(50)), next, 'the same members change nothing');
        table = next;
      }
    }),
    { numRuns: 40 },
  );
});

test('one member joining moves at most 1.3 × the ideal share, and at least most of it', () => {
  for (let count = 2; count <= 50; count++) {
    const before = computeTable(emptyTable(128), names(count - 1), names(count - 1));
    const after = computeTable(before, names(count), names(count));
    const movement = moved(before, after);
    assert.ok(movement.length <= (1.3 * 128) / count, `${movement.length} moved on the join of ${count}`);
    assert.ok(movement.length >= Math.floor(128 / count), `the joiner gets its share of ${count}`);
    assertBalanced(after, names(count));
  }
});

test("only a dead member's shards move, and it gets them back when it returns", () => {
  for (let count = 2; count <= 50; count++) {
    const before = computeTable(emptyTable(128), names(count), names(count));
    const without = computeTable(before, names(count).slice(1), names(count));
    for (const shard of moved(before, without)) assert.equal(before.shards[shard]?.owner, 'node-1');
    const back = computeTable(without, names(count), names(count));
    const own = (table: ShardTable): number[] =>
      table.shards.flatMap((entry, shard) => (entry.owner === 'node-1' ? [shard] : []));
    assert.deepEqual(own(back), own(before));
    assertBalanced(back, names(count));
  }
});

test('a forgotten member is no holder any more', () => {
  const before = computeTable(emptyTable(8), ['a', 'b'], ['a', 'b']);
  const dead = computeTable(before, ['b'], ['a', 'b']);
  assert.ok(dead.shards.some(({ holders }) => holders.includes('a')));
  const forgotten = computeTable(dead, ['b'], ['b']);
  assert.ok(forgotten.shards.every(({ holders }) => holders.length === 1));
  assert.equal(forgotten.version, dead.version + 1);
});
