import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labels, Matcher, MatchType, SymbolTable } from '../../model/index.ts';
import { HeadStore } from './head_store.ts';

const column = Float64Array.of(1);

function newHead(): HeadStore {
  const symbols = new SymbolTable({ symbolsMax: 100_000, bytesMax: 1e8 });
  return new HeadStore({ symbols, hashSeed: 3, seriesPerShardMax: 100_000, outOfOrderSamplesMax: 10 });
}

function append(head: HeadStore, shard: number, i: string, timeMs: number): void {
  head.append(head.ref(shard, Labels.fromRecord({ __name__: 'm', i })), timeMs, column, 0);
}

function found(head: HeadStore, shard: number, matchers: readonly Matcher[]): string[] {
  return head.select(shard, matchers, 0, 1e9).map(({ labels }) => labels.get('i'));
}

test('what was matched before is matched anew when series come, leave and come back, or the shard is forgotten', () => {
  const head = newHead();
  const matchers = [Matcher.create(MatchType.Regexp, 'i', '[0-9]')];
  append(head, 1, '2', 1000);
  append(head, 2, '7', 1000);
  assert.deepEqual(found(head, 1, matchers), ['2']);
  assert.deepEqual(found(head, 2, matchers), ['7']);
  append(head, 1, '1', 2000);
  append(head, 1, 'x', 2000);
  assert.deepEqual(found(head, 1, matchers), ['1', '2']);
  assert.deepEqual(found(head, 2, matchers), ['7']);
  for (const _ of head.dropBefore(1, 1500));
  assert.deepEqual(found(head, 1, [...matchers]), ['1']);
  append(head, 1, '3', 3000);
  append(head, 1, '0', 3000);
  assert.deepEqual(found(head, 1, matchers), ['0', '1', '3']);
  head.dropShard(1);
  assert.deepEqual(found(head, 1, matchers), []);
  for (const i of ['5', '4', '6', '9']) append(head, 1, i, 4000);
  assert.deepEqual(found(head, 1, matchers), ['4', '5', '6', '9']);
});

test('thousands of different matchers are answered right whatever of them is still known', () => {
  const head = newHead();
  for (let i = 0; i < 300; i++) append(head, 1, String(i), 1000);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 6000; i++) {
      const matchers = [Matcher.create(MatchType.NotEqual, 'i', String(i))];
      assert.equal(head.select(1, matchers, 1000, 1000).length, i < 300 ? 299 : 300);
    }
  }
});
