import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CounterResetHint, FloatHistogram, Labels, Matcher, MatchType } from '../../model/index.ts';
import type { KeyOperation } from '../engine.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { ByteCache } from './byte_cache.ts';
import { joinedWindowMs, windowMs } from './limits.ts';
import type { Overlay } from './select_windows.ts';
import { everything, inOrder, oneSeries, openSet, shown } from './testing/fixtures.ts';
import type { SealSeries } from './window_writer.ts';

const equal = (name: string, value: string): Matcher => Matcher.create(MatchType.Equal, name, value);
const a = { __name__: 'up', job: 'a' };
const b = { __name__: 'up', job: 'b' };
const W = windowMs;

test('what was sealed is selected, before and after reopening', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [1, 1], [5, 2]), oneSeries(b, [3, 7])] });
  await set.seal({ startMs: W, epoch: 1, series: [oneSeries(a, [W, 3])] });
  const expected = [`up{job="a"} 1=1 5=2 ${W}=3`, 'up{job="b"} 3=7'];
  for (const one of [set, await openSet(disk)]) {
    assert.deepEqual(shown(await one.select([], ...everything)), expected);
    assert.deepEqual(shown(await one.select([equal('job', 'b')], ...everything)), ['up{job="b"} 3=7']);
    assert.deepEqual(shown(await one.select([], 2, 4)), ['up{job="b"} 3=7']);
    assert.deepEqual(shown(await one.select([], 5, W)), [`up{job="a"} 5=2 ${W}=3`]);
    const { windows, series, samples, minTimeMs, maxTimeMs } = one.stats();
    assert.deepEqual([windows, series, samples, minTimeMs, maxTimeMs], [2, 3, 4, 1, W]);
  }
});

test('answers are sorted by labels even where a label sorts before the metric name', async () => {
  const set = await openSet();
  const series = inOrder([
    oneSeries({ __name__: 'x', A: '1' }, [1, 1]),
    oneSeries({ __name__: 'a' }, [1, 2]),
  ]);
  await set.seal({ startMs: 0, epoch: 1, series });
  assert.deepEqual(shown(await set.select([], ...everything)), ['x{A="1"} 1=1', 'a 1=2']);
});

test('a window without samples is none', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  assert.equal(await set.seal({ startMs: 0, epoch: 1, series: [] }), undefined);
  assert.deepEqual(disk.keys, []);
});

test('for one instant the higher epoch stands, within an epoch what was sealed first', async () => {
  const set = await openSet();
  await set.seal({ startMs: 0, epoch: 2, series: [oneSeries(a, [1, 1], [2, 1])] });
  await set.seal({ startMs: 0, epoch: 2, series: [oneSeries(a, [2, 2], [3, 2])] });
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [3, 3], [4, 3])] });
  await set.seal({ startMs: 0, epoch: 3, series: [oneSeries(a, [1, 4])] });
  const expected = ['up{job="a"} 1=4 2=1 3=2 4=3'];
  assert.deepEqual(shown(await set.select([], ...everything)), expected);
  assert.equal(await set.compact(0), true);
  assert.equal(set.stats().windows, 3);
  assert.deepEqual(shown(await set.select([], ...everything)), expected);
  assert.equal(await set.compact(joinedWindowMs + 2 * W - 1), false);
  // A day after the windows' end all replicas have what they will have.
  assert.equal(await set.compact(joinedWindowMs + 2 * W), true);
  assert.equal(set.stats().windows, 1);
  assert.deepEqual(shown(await set.select([], ...everything)), expected);
});

test('native histograms and floats of one series go and come back, merged too', async () => {
  const set = await openSet();
  const histogram = new FloatHistogram({
    schema: 0,
    count: 3,
    sum: 4,
    zeroThreshold: 0,
    zeroCount: 1,
    positiveSpans: [{ offset: 0, length: 2 }],
    positiveBuckets: Float64Array.of(1, 1),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    counterResetHint: CounterResetHint.Unknown,
  });
  const mixed: SealSeries = { ...oneSeries(a, [1, 0], [4, 9]), histograms: [histogram, null] };
  await set.seal({ startMs: 0, epoch: 1, series: [mixed] });
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [2, 5])] });
  for (let round = 0; round < 2; round++) {
    const [columns] = await set.select([], ...everything);
    assert.deepEqual(Array.from(columns?.timestamps ?? []), [1, 2, 4]);
    assert.deepEqual(
      columns?.histograms?.map((one) => one?.count),
      [3, undefined, undefined],
    );
    assert.equal((await set.select([], 2, 4))[0]?.histograms, undefined);
    await set.compact(0);
  }
});

test('the windows of a day that is over become one, those of this day stay', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  for (let i = 0; i < 14; i++) {
    await set.seal({
      startMs: i * W,
      epoch: 1,
      series: [oneSeries(a, [i * W, i]), oneSeries(b, [i * W + 9, i])],
    });
  }
  const before = shown(await set.select([], ...everything));
  assert.equal(await set.compact(12 * W), false);
  assert.equal(await set.compact(14 * W), true);
  assert.equal(await set.compact(14 * W), false);
  await set.settle();
  assert.equal(set.stats().windows, 3);
  assert.deepEqual(shown(await set.select([], ...everything)), before);
  const again = await openSet(disk);
  assert.deepEqual(again.stats(), set.stats());
  assert.deepEqual(shown(await again.select([], ...everything)), before);
});

test('a deletion holds at once, after reopening and after compaction, and not for what comes later', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  await set.seal({
    startMs: 0,
    epoch: 1,
    series: [oneSeries(a, [1, 1], [2, 2], [3, 3]), oneSeries(b, [2, 7])],
  });
  await set.delete([equal('job', 'a')], 2, 2);
  await set.delete([equal('job', 'b')], ...everything);
  const expected = ['up{job="a"} 1=1 3=3'];
  assert.deepEqual(shown(await set.select([], ...everything)), expected);
  assert.deepEqual((await set.series([], ...everything)).map(String), ['up{job="a"}']);
  assert.deepEqual(await set.labelValues('job', [], ...everything), ['a']);
  const again = await openSet(disk);
  assert.deepEqual(shown(await again.select([], ...everything)), expected);
  await again.seal({ startMs: 0, epoch: 1, series: [oneSeries(b, [2, 8])] });
  const later = [...expected, 'up{job="b"} 2=8'];
  assert.deepEqual(shown(await again.select([], ...everything)), later);
  assert.equal(await again.compact(0), true);
  await again.settle();
  assert.equal(again.stats().tombstones, 0);
  assert.deepEqual(
    disk.keys.filter((key) => key.startsWith('000354')),
    [],
  );
  assert.deepEqual(shown(await again.select([], ...everything)), later);
});

test('a deletion of everything leaves no keys once compacted', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [1, 1])] });
  await set.delete([Matcher.create(MatchType.Regexp, '__name__', '.+')], ...everything);
  assert.equal(await set.compact(0), true);
  await set.settle();
  assert.deepEqual(disk.keys, []);
});

test('deletions without matchers or range are refused, and so are too many', async () => {
  const set = await openSet();
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [1, 1])] });
  await assert.rejects(set.delete([], 1, 2), { code: 'window_bad_deletion' });
  await assert.rejects(set.delete([equal('a', 'b')], 2, 1), { code: 'window_bad_deletion' });
  for (let i = 0; i < 1024; i++) await set.delete([equal('a', `${i}`)], 0, 1);
  await assert.rejects(set.delete([equal('a', 'b')], 0, 1), { code: 'window_tombstones_full' });
});

test('retention drops windows that are over, and the oldest first when it goes by size', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  for (let i = 0; i < 4; i++)
    await set.seal({ startMs: i * W, epoch: 1, series: [oneSeries(a, [i * W, i])] });
  const { bytes } = set;
  const dropped = await set.dropBefore(2 * W - 1);
  assert.ok(dropped > 0 && set.bytes === bytes - dropped);
  assert.deepEqual(shown(await set.select([], ...everything)), [`up{job="a"} ${W}=1 ${2 * W}=2 ${3 * W}=3`]);
  await set.dropOldest();
  assert.deepEqual(shown(await set.select([], ...everything)), [`up{job="a"} ${2 * W}=2 ${3 * W}=3`]);
  assert.equal((await openSet(disk)).stats().windows, 2);
  await set.dropAll();
  await set.settle();
  assert.deepEqual(disk.keys, []);
  assert.equal(await set.dropOldest(), 0);
});

test('names, values and label sets come from the windows in range', async () => {
  const set = await openSet();
  await set.seal({
    startMs: 0,
    epoch: 1,
    series: inOrder([oneSeries(a, [1, 1]), oneSeries({ __name__: 'x', z: 'q' }, [5, 1])]),
  });
  assert.deepEqual(await set.labelNames([], ...everything), ['__name__', 'job', 'z']);
  assert.deepEqual(await set.labelNames([], 0, 2), ['__name__', 'job']);
  assert.deepEqual(await set.labelValues('__name__', [], ...everything), ['up', 'x']);
  assert.deepEqual(await set.labelValues('__name__', [equal('job', '')], ...everything), ['x']);
  assert.deepEqual(await set.labelValues('none', [], ...everything), []);
  assert.deepEqual((await set.series([], 2, 9)).map(String), ['x{z="q"}']);
});

test('cardinality names the largest metrics, labels and pairs', async () => {
  const set = await openSet();
  const series = Array.from({ length: 50 }, (_, i) =>
    oneSeries({ __name__: i < 30 ? 'big' : 'small', id: `${i}`, job: 'j' }, [1, i]),
  );
  await set.seal({ startMs: 0, epoch: 1, series: inOrder(series) });
  const found = await set.cardinality(2);
  assert.deepEqual(found?.seriesByMetric, [
    { name: 'big', count: 30 },
    { name: 'small', count: 20 },
  ]);
  assert.deepEqual(found?.valuesByLabel, [
    { name: 'id', count: 50 },
    { name: '__name__', count: 2 },
  ]);
  assert.deepEqual(found?.seriesByPair, [
    { name: 'job=j', count: 50 },
    { name: '__name__=big', count: 30 },
  ]);
  assert.equal(found?.labelPairs, 53);
});

test('a snapshot is the set as it was, whatever changes while it is read', async () => {
  const set = await openSet();
  for (let i = 0; i < 12; i++)
    await set.seal({
      startMs: i * W,
      epoch: 1,
      series: [oneSeries(a, [i * W, i]), oneSeries(b, [i * W, i])],
    });
  await set.delete([equal('job', 'b')], ...everything);
  const before = shown(await set.select([], ...everything));
  const copy = new MemoryDisk();
  const engine = await copy.openEngine('');
  let entries = 0;
  for await (const [key, value] of set.snapshot()) {
    if (entries++ === 3) await set.compact(100 * W);
    if (entries === 5) await set.dropBefore(100 * W);
    await engine.write([{ type: 'put', key, value }], true);
  }
  await set.settle();
  assert.equal(set.stats().windows, 0);
  assert.deepEqual(shown(await (await openSet(copy)).select([], ...everything)), before);
});

test('only the pages that a query needs are read, and warm ones not again', async () => {
  const cache = new ByteCache(64 * 1024 * 1024);
  const set = await openSet(new MemoryDisk(), { cache });
  const series = Array.from({ length: 2000 }, (_, i) => {
    const samples = Array.from({ length: 60 }, (_, t) => [t * 15_000 + (i % 7), Math.sin(i * t)] as const);
    return oneSeries({ __name__: `m${i % 20}`, i: `${i}` }, ...samples);
  });
  const header = await set.seal({ startMs: 0, epoch: 1, series: inOrder(series) });
  assert.ok((header?.pages ?? 0) > 10);
  assert.equal((await set.select([equal('__name__', 'm3')], ...everything)).length, 100);
  const { misses } = cache;
  assert.ok(misses < 12, `${misses} reads`);
  await set.select([equal('__name__', 'm3')], ...everything);
  assert.equal(cache.misses, misses);
});

test('a series that fills several pages comes back as one', async () => {
  const set = await openSet();
  const samples = Array.from({ length: 20_000 }, (_, t) => [t * 100, Math.sin(t)] as const);
  const series = [oneSeries(a, ...samples), oneSeries(b, [1, 1])];
  const header = await set.seal({ startMs: 0, epoch: 1, series });
  assert.equal(header?.pages, 3);
  const [columns, other] = await set.select([], ...everything);
  assert.deepEqual(
    Array.from(columns?.timestamps ?? []),
    samples.map(([t]) => t),
  );
  assert.deepEqual(
    Array.from(columns?.values ?? []),
    samples.map(([, v]) => v),
  );
  assert.equal(other?.timestamps.length, 1);
  assert.equal((await set.select([], 900_000, 1_000_000))[0]?.timestamps.length, 1001);
  const exported: (readonly [string, number])[] = [];
  for await (const one of set.exportSeries()) exported.push([`${one.labels}`, one.times.length]);
  assert.deepEqual(exported, [
    ['up{job="a"}', 20_000],
    ['up{job="b"}', 1],
  ]);
});

test('series that scrape alike for different times keep their own numbers of samples', async () => {
  const set = await openSet();
  const steady = (labels: Record<string, string>, count: number): SealSeries =>
    oneSeries(labels, ...Array.from({ length: count }, (_, t) => [t * 1000, t] as const));
  await set.seal({ startMs: 0, epoch: 1, series: [steady(a, 10), steady(b, 20)] });
  const lengths = (await set.select([], ...everything)).map(({ timestamps }) => timestamps.length);
  assert.deepEqual(lengths, [10, 20]);
});

test('a series of more pages than are read at once is exported and joined as one', async () => {
  const set = await openSet();
  const times = Float64Array.from({ length: 80_000 }, (_, t) => t * 80);
  const long: SealSeries = { labels: Labels.fromRecord(a), times, values: times, count: times.length };
  await set.seal({ startMs: 0, epoch: 1, series: [long] });
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [1, 1])] });
  const lengths: number[] = [];
  for await (const one of set.exportSeries()) lengths.push(one.times.length);
  assert.deepEqual(lengths, [80_000, 1]);
  await set.compact(0);
  const [joined, ...others] = await set.select([], ...everything);
  assert.deepEqual([joined?.timestamps.length, others.length], [80_001, 0]);
});

test('matchers of every type find what they find among plain labels', async () => {
  const set = await openSet();
  const series = Array.from({ length: 200 }, (_, i) => {
    const optional = i % 3 === 0 ? { zone: `z${i % 5}` } : {};
    return oneSeries({ __name__: `m${i % 4}`, i: `${i}`, ...optional }, [1, i]);
  });
  await set.seal({ startMs: 0, epoch: 1, series: inOrder(series) });
  const types = Object.values(MatchType);
  for (const value of ['z1', '', 'z.*', 'z1|z2', '.+', '.*', 'nothing']) {
    for (const type of types) {
      const matchers = [Matcher.create(type, 'zone', value), Matcher.create(MatchType.NotEqual, 'i', '3')];
      const expected = series.filter(({ labels }) => matchers.every((one) => one.matchesLabels(labels)));
      const found = await set.select(matchers, ...everything);
      assert.equal(found.length, expected.length, `zone${type}"${value}"`);
      assert.ok(found.every(({ labels }) => matchers.every((one) => one.matchesLabels(labels))));
    }
  }
});

test('labels of every length and script survive, in chunks of bounded size', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  const texts = ['\u{1f600}a', '\u{1f601}b', 'é', '\uffffz', 'x'.repeat(70_000), `${'x'.repeat(70_000)}y`];
  const many = Array.from({ length: 20_000 }, (_, i) => `value-${i}`);
  const series = [...texts, ...many].map((text) => oneSeries({ __name__: 'm', text }, [1, 1]));
  await set.seal({ startMs: 0, epoch: 1, series: inOrder(series) });
  const sizes = disk.keys.map((key) => disk.value(key)?.length ?? 0);
  assert.equal(sizes.filter((size) => size > 66_000).length, 2);
  assert.deepEqual(new Set(await set.labelValues('text', [], ...everything)), new Set([...texts, ...many]));
  for (const text of [...texts, 'value-77']) {
    const [found, ...others] = await set.series([equal('text', text)], ...everything);
    assert.ok(found?.equals(Labels.fromRecord({ __name__: 'm', text })));
    assert.deepEqual(others, []);
  }
});

test('overlays are merged as windows that came last: a higher epoch stands, windows stand within one', async () => {
  const set = await openSet();
  await set.seal({ startMs: 0, epoch: 2, series: [oneSeries(a, [1, 1], [2, 1])] });
  const overlay = (epoch: number, ...samples: readonly (readonly [number, number])[]): Overlay => {
    const { labels, times, values } = oneSeries(a, ...samples);
    return { epoch, columns: [{ labels, timestamps: times, values }] };
  };
  const over = [
    overlay(1, [1, 9], [4, 9]),
    overlay(2, [2, 8], [3, 8]),
    overlay(2, [3, 7]),
    overlay(3, [4, 6]),
  ];
  const found = shown(await set.select([], 0, 9, over));
  assert.deepEqual(found, ['up{job="a"} 1=1 2=1 3=8 4=6']);
  await set.delete([equal('job', 'a')], ...everything);
  assert.deepEqual(shown(await set.select([], 0, 9, over.slice(0, 1))), ['up{job="a"} 1=9 4=9']);
});

test('which windows and deletions count is settled when a selection is asked for', async () => {
  const set = await openSet();
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [1, 1])] });
  const before = set.select([], ...everything);
  const deleting = set.delete([equal('job', 'a')], ...everything);
  const sealing = set.seal({ startMs: 0, epoch: 1, series: [oneSeries(b, [1, 1])] });
  const dropping = set.dropAll();
  await Promise.all([deleting, sealing, dropping]);
  assert.deepEqual(shown(await before), ['up{job="a"} 1=1']);
  await set.settle();
});

test('what waits for its turn when everything is dropped is dropped too, and what is asked for later is not', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  const seal = (value: number) => set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [1, value])] });
  await Promise.all([seal(1), seal(2)]);
  // Joins the two, and with them one that is written before its turn comes.
  const pending = [seal(3), set.compact(W), seal(4)];
  const dropping = set.dropAll();
  assert.deepEqual(await set.select([], ...everything), []);
  await Promise.all([...pending, dropping, seal(5)]);
  assert.deepEqual(shown(await set.select([], ...everything)), ['up{job="a"} 1=5']);
  await set.settle();
  assert.equal((await openSet(disk)).stats().windows, 1);
});

test('where no window overlaps, overlays come back as they are and the engine is not asked', async () => {
  const disk = new MemoryDisk();
  const engine = await disk.openEngine('');
  const set = await openSet(disk, { engine });
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [1, 1])] });
  engine.getMany = () => Promise.reject(new Error('asked'));
  const { labels, times, values } = oneSeries(b, [W, 1]);
  const columns = [{ labels, timestamps: times, values }];
  const [found] = await set.select([], 2, 2 * W, [{ epoch: 1, columns }]);
  assert.equal(found?.timestamps, times);
  assert.equal(found?.values, values);
});

test('what is written alongside a window is there with it, and alone where there is no sample', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  const put = (byte: number): KeyOperation => ({
    type: 'put',
    key: new Uint8Array([0, 3, 0x4d]),
    value: new Uint8Array([byte]),
  });
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(a, [1, 1])], alongside: [put(1)] });
  assert.equal(disk.writes.at(-1)?.sync, true);
  assert.equal(disk.writes.at(-1)?.operations.length, 2);
  assert.deepEqual(disk.value('00034d'), new Uint8Array([1]));
  await set.seal({ startMs: 0, epoch: 1, series: [], alongside: [put(2)] });
  assert.deepEqual(disk.writes.at(-1), { operations: [put(2)], sync: true });
  assert.equal(set.stats().windows, 1);
});
