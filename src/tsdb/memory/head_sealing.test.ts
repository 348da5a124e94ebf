import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labels, Matcher, MatchType, SymbolTable } from '../../model/index.ts';
import { compareMetricFirst } from '../window/order.ts';
import { HeadStore } from './head_store.ts';

const values = Float64Array.of(1, 2, 3);
const windowMs = 7_200_000;
const shard = 3;

function newHead(): { head: HeadStore; symbols: SymbolTable } {
  const symbols = new SymbolTable({ symbolsMax: 100_000, bytesMax: 1e8 });
  const limits = { seriesPerShardMax: 100_000, outOfOrderSamplesMax: 1000 };
  return { head: new HeadStore({ symbols, hashSeed: 3, ...limits }), symbols };
}

function series(n: number, metrics = 13): Labels {
  return Labels.fromRecord({
    __name__: `m${(n * 7) % metrics}`,
    job: 'j',
    n: String((n * 31) % 1009),
    k: String(n),
  });
}

/** Series with a sample in the first window, every other one with one in the second. */
function fill(head: HeadStore, count: number, metrics?: number): void {
  for (let n = 0; n < count; n++) {
    const ref = head.ref(shard, series(n, metrics));
    head.setId(ref, n + 1);
    head.append(ref, 1000, values, 0);
    if (n % 2 === 1) head.append(ref, windowMs, values, 1);
  }
}

test('sorting, reading and dropping pause again and again, and each series comes once in order', () => {
  const { head } = newHead();
  const count = 6000;
  fill(head, count);
  const cut = head.cut(shard, windowMs);
  assert.deepEqual(cut.windows(windowMs), [{ startMs: 0, epoch: 0 }]);
  let pauses = 0;
  const seen: Labels[] = [];
  for (const part of head.window(cut, 0, windowMs, 0)) {
    if (part === undefined) pauses++;
    else seen.push(part.labels);
  }
  assert.equal(seen.length, count);
  assert.ok(seen.every((labels, k) => k === 0 || compareMetricFirst(seen[k - 1] as Labels, labels) < 0));
  assert.ok(pauses > 30, `${pauses} pauses`);
  const gone = [...head.drop(cut)];
  assert.ok(gone.length > 20, `${gone.length} steps`);
  assert.deepEqual(
    gone.flat(),
    Array.from({ length: count / 2 }, (_, k) => k * 2 + 1),
  );
  assert.deepEqual(head.stats(shard), { series: count / 2, samples: count / 2 });
});

test('a sort starts anew when slots change hands under it', () => {
  for (let run = 0; run < 16; run++) {
    const { head } = newHead();
    fill(head, 3000, run % 2 === 0 ? 13 : 3000);
    const cut = head.cut(shard, windowMs);
    const steps = head.window(cut, 0, windowMs, 0);
    for (let k = 0; k < 1 + run / 4; k++) assert.equal(steps.next().value, undefined);
    head.delete(shard, [Matcher.create(MatchType.Regexp, 'k', '.*5')], 0, 2 * windowMs);
    assert.equal(head.collectEmpty(shard).length, 300);
    for (let n = 4000; n < 4500; n++) head.append(head.ref(shard + 1, series(n)), 1000, values, 0);
    const seen = [...steps].flatMap((part) => (part === undefined ? [] : [part.labels]));
    assert.equal(seen.length, 2700);
    assert.ok(seen.every((labels) => !labels.get('k').endsWith('5') && Number(labels.get('k')) < 3000));
    assert.ok(seen.every((labels, k) => k === 0 || compareMetricFirst(seen[k - 1] as Labels, labels) < 0));
  }
});

test('a drop that was broken off anywhere leaves nothing behind once the next is through', () => {
  for (let steps = 1; steps < 40; steps++) {
    const { head, symbols } = newHead();
    fill(head, 3000);
    const cut = head.cut(shard, windowMs);
    const broken = head.drop(cut);
    for (let k = 0; k < steps; k++) broken.next();
    fill(head, 100);
    head.dropShard(shard);
    assert.equal(symbols.size, 0);
    assert.equal(head.memory().runsLive, 0);
    // It goes on although what it worked on is gone.
    fill(head, 100);
    for (const _ of broken);
    assert.equal(head.stats(shard).samples, 150);
    assert.equal(head.select(shard, [], 0, windowMs).length, 100);
  }
});

test('cardinality counts series, values and pairs of the shards asked for', () => {
  const { head } = newHead();
  for (let n = 0; n < 60; n++) {
    const labels = Labels.fromRecord({ __name__: n < 40 ? 'a' : 'b', le: String(n % 4), job: 'é' });
    head.append(head.ref(n % 3, labels), 1, values, 0);
    head.append(head.ref(7, series(n)), 1, values, 0);
  }
  let step = head.cardinality([0, 1, 2], 3).next();
  assert.ok(step.done === true);
  assert.deepEqual(step.value, {
    series: 24,
    labelPairs: 7,
    seriesByMetric: [
      { name: 'a', count: 12 },
      { name: 'b', count: 12 },
    ],
    valuesByLabel: [
      { name: 'le', count: 4 },
      { name: '__name__', count: 2 },
      { name: 'job', count: 1 },
    ],
    valueBytesByLabel: [
      { name: 'le', count: 4 },
      { name: '__name__', count: 2 },
      { name: 'job', count: 1 },
    ],
    seriesByPair: [
      { name: 'job=é', count: 24 },
      { name: '__name__=a', count: 12 },
      { name: '__name__=b', count: 12 },
    ],
  });
  step = head.cardinality(undefined, 1).next();
  assert.ok(step.done === true);
  assert.equal(step.value.series, 84);
  assert.deepEqual(step.value.seriesByPair, [{ name: 'job=j', count: 60 }]);
});
