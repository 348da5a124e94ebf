import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labels, Matcher, MatchType, SymbolTable } from '../../model/index.ts';
import { type HeadOptions, HeadStore } from './head_store.ts';
import { Verdict } from './verdict.ts';

const one = Float64Array.of(1, 2);

function newHead(options: Partial<HeadOptions> = {}): HeadStore {
  return new HeadStore({
    symbols: new SymbolTable({ symbolsMax: 100_000, bytesMax: 1e8 }),
    hashSeed: 3,
    seriesPerShardMax: 100_000,
    outOfOrderSamplesMax: 10,
    ...options,
  });
}

function series(n: number): Labels {
  return Labels.fromRecord({ __name__: `m${n % 10}`, n: String(n) });
}

test('a reference lives as long as its series has samples; its slot then serves another series', () => {
  const head = newHead();
  const old = head.ref(1, series(1));
  assert.equal(head.append(old, 100, one, 0), Verdict.ok);
  head.setId(old, 77);
  assert.deepEqual([...head.dropBefore(1, 101)].flat(), [77]);
  assert.equal(head.append(old, 200, one, 0), Verdict.unknown);
  assert.equal(head.labelsOf(old), undefined);
  const next = head.ref(1, series(2));
  assert.notEqual(next, old);
  assert.equal(head.append(old, 200, one, 0), Verdict.unknown);
  assert.equal(head.append(next, 150, one, 0), Verdict.ok);
  assert.equal(head.labelsOf(next)?.get('n'), '2');
  assert.equal(head.append(12345, 50, one, 0), Verdict.unknown);
});

test('references are small positive integers through hundreds of generations', () => {
  const head = newHead();
  const seen = new Set<number>();
  for (let n = 0; n < 512; n++) {
    const ref = head.ref(1, series(n));
    assert.ok(ref >= 0 && ref < 2 ** 31 && !seen.has(ref));
    seen.add(ref);
    head.dropShard(1);
  }
});

test('limits of series, symbols and labels answer -1 and leave nothing behind', () => {
  const symbols = new SymbolTable({ symbolsMax: 6, bytesMax: 1e6 });
  const head = newHead({ symbols, seriesPerShardMax: 2 });
  assert.ok(head.ref(1, series(1)) >= 0);
  const used = symbols.size;
  const wide = Labels.fromRecord({ a: '1', b: '2', c: '3' });
  assert.equal(head.ref(1, wide), -1);
  assert.equal(symbols.size, used);
  assert.ok(head.ref(1, series(11)) >= 0);
  assert.equal(head.ref(1, Labels.empty), -1);
  assert.ok(head.ref(2, Labels.empty) >= 0);
  const many = Array.from({ length: 2000 }, (_, k): [string, string] => [`l${k}`, 'v']);
  assert.equal(newHead().ref(1, Labels.fromPairs(many)), -1);
});

test('samples kept aside are bounded over all shards', () => {
  const head = newHead();
  for (const shard of [1, 2]) head.append(head.ref(shard, series(1)), 1000, one, 0);
  for (let t = 0; t < 10; t++)
    assert.equal(head.appendLate(head.ref(t % 2 === 0 ? 1 : 2, series(1)), t, one, 0, 0), Verdict.ok);
  assert.equal(head.appendLate(head.ref(1, series(1)), 500, one, 0, 0), Verdict.limited);
  assert.equal(head.appendLate(head.ref(1, series(1)), 0, one, 0, 0), Verdict.duplicate);
  assert.equal(head.appendLate(head.ref(1, series(1)), 0, one, 1, 0), Verdict.conflict);
  for (const _ of head.dropBefore(1, 500));
  assert.equal(head.stats(1).samples, 1);
  assert.equal(head.appendLate(head.ref(2, series(1)), 500, one, 0, 0), Verdict.ok);
});

test('a window goes on while series come and go', () => {
  const head = newHead();
  for (let n = 0; n < 5; n++) head.append(head.ref(1, series(n)), 100, one, 0);
  const seen: string[] = [];
  const cut = head.cut(1, 150);
  for (const part of head.window(cut, 0, 7_200_000, 0)) {
    seen.push(part?.labels.get('n') ?? 'pause');
    if (seen.length > 1) continue;
    head.dropShard(1);
    for (let n = 3; n < 12; n++) head.append(head.ref(1, series(n)), 200, one, 0);
  }
  assert.deepEqual(seen, ['0']);
});

test('thousands of series over many shards are found by label, and memory follows what is held', () => {
  const head = newHead();
  const shards = 16;
  const count = 20_000;
  const noise = Float64Array.from({ length: 40 }, (_, k) => Math.sin(k) * 1e6);
  for (let n = 0; n < count; n++) {
    const ref = head.ref(n % shards, series(n));
    for (let t = 0; t < noise.length; t++) head.append(ref, t * 15_000, noise, t);
  }
  const byName = [Matcher.create(MatchType.Equal, '__name__', 'm3')];
  let found = 0;
  for (let shard = 0; shard < shards; shard++) found += head.labelSets(shard, byName, 0, 1e9).length;
  assert.equal(found, count / 10);
  const byNumber = [Matcher.create(MatchType.Regexp, 'n', '1234.')];
  assert.deepEqual(head.labelValues(12_345 % shards, 'n', byNumber, 0, 1e9), ['12345']);
  const { runsHeld } = head.memory();
  for (let shard = 0; shard < shards; shard++) for (const _ of head.dropBefore(shard, 1e9));
  assert.ok(head.memory().runsHeld < runsHeld / 3, 'slabs are given back');
  assert.equal(head.memory().runsLive, 0);
  for (let n = 0; n < 100; n++) assert.equal(head.find(n % shards, series(n)), -1);
});
