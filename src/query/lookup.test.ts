import assert from 'node:assert/strict';
import test from 'node:test';
import { CodedError } from '../base/index.ts';
import { Labels, Matcher, MatchType, type SeriesColumns, setStaleNaN } from '../model/index.ts';
import { findExemplars } from './exemplars.ts';
import { findSeries, findStrings, selectSeries } from './lookup.ts';
import { mergeSeries } from './merge.ts';
import { formatShards } from './missing.ts';
import { MemoryCluster } from './testing/memory_cluster.ts';

const signal = new AbortController().signal;
const up = (instance: string): SeriesColumns => ({
  labels: Labels.fromRecord({ __name__: 'up', instance }),
  timestamps: Float64Array.of(1000),
  values: Float64Array.of(1),
});
const cluster = (): MemoryCluster =>
  new MemoryCluster([
    new Map([
      ['a', [up('z'), up('é')]],
      ['b', [up('z')]],
    ]),
    new Map([['b', [up('A')]]]),
  ]);
const everything = { anyOf: [], fromMs: 0, toMs: 2000 };

test('series, names and values of all nodes come sorted by bytes and without repeats', async () => {
  const { values, warnings } = await findSeries(cluster(), everything, signal);
  assert.deepEqual(
    values.map((labels) => labels.get('instance')),
    ['A', 'z', 'é'],
  );
  assert.deepEqual(warnings, []);
  const names = await findStrings(cluster(), everything, undefined, signal);
  assert.deepEqual(names.values, ['__name__', 'instance']);
  const instances = await findStrings(cluster(), everything, 'instance', signal);
  assert.deepEqual(instances.values, ['A', 'z', 'é']);
});

test('a limit takes the first in order of all nodes, and tells that there are more', async () => {
  for (const [limit, expected, isCut] of [
    [1, ['A'], true],
    [2, ['A', 'z'], true],
    [3, ['A', 'z', 'é'], false],
  ] as const) {
    const request = { ...everything, limit };
    const series = await findSeries(cluster(), request, signal);
    assert.deepEqual(
      series.values.map((labels) => labels.get('instance')),
      expected,
    );
    assert.equal(series.isCut, isCut);
    const instances = await findStrings(cluster(), request, 'instance', signal);
    assert.deepEqual([instances.values, instances.isCut], [expected, isCut]);
  }
});

test('a limit that one node alone exceeds tells so, too', async () => {
  const alone = new MemoryCluster([new Map([['a', [up('x'), up('y')]]])]);
  const { values, isCut } = await findStrings(alone, { ...everything, limit: 1 }, 'instance', signal);
  assert.deepEqual([values, isCut], [['x'], true]);
});

test('exemplars of all nodes come by series, those that two holders have once', async () => {
  const anyOf = [[Matcher.create(MatchType.Equal, '__name__', 'up')]];
  const { series, warnings } = await findExemplars(cluster(), { ...everything, anyOf }, signal);
  assert.deepEqual(
    series.map(({ seriesLabels }) => seriesLabels['instance']),
    ['A', 'z', 'é'],
  );
  assert.deepEqual(series[1]?.exemplars, [
    { labels: { __name__: 'up', instance: 'z' }, value: '1', timestamp: 1.5 },
  ]);
  assert.deepEqual(warnings, []);
});

test('several matcher sets are joined', async () => {
  const is = (value: string): Matcher[] => [Matcher.create(MatchType.Equal, 'instance', value)];
  const request = { ...everything, anyOf: [is('A'), is('z'), is('nobody')] };
  assert.equal((await findSeries(cluster(), request, signal)).values.length, 2);
});

test('a lookup names the node that did not answer', async () => {
  const broken = cluster();
  broken.failing.set('b', new CodedError('ask_deadline', 'late'));
  const { values, warnings } = await findStrings(broken, everything, 'instance', signal);
  assert.deepEqual(values, ['z', 'é']);
  assert.match(warnings[0] ?? '', /node b did not answer \(ask_deadline\).*shards 0-1 is missing/);
  const request = {
    matchers: [Matcher.create(MatchType.Equal, '__name__', 'up')],
    fromMs: 0,
    toMs: 2000,
    stepMs: 0,
  };
  assert.equal((await selectSeries(broken, request, 1000, signal)).isIncomplete, true);
  assert.equal((await selectSeries(cluster(), request, 1000, signal)).series.length, 3);
});

test('joining holders is a union by time that moves bits, whoever comes first', () => {
  const column = (times: number[], values: number[]): SeriesColumns => ({
    labels: Labels.fromRecord({ a: 'b' }),
    timestamps: Float64Array.from(times),
    values: Float64Array.from(values),
  });
  const stale = column([2, 4], [0, 4]);
  setStaleNaN(stale.values, 0);
  const [merged] = mergeSeries([[column([1, 3, 4], [1, 3, 9])], [stale]]);
  assert.deepEqual([...(merged?.timestamps ?? [])], [1, 2, 3, 4]);
  const bits = new BigUint64Array(merged?.values.slice().buffer ?? new ArrayBuffer(0));
  assert.equal(bits[1], 0x7ff0_0000_0000_0002n);
  assert.equal(merged?.values[3], 9);
});

test('shards are named in ranges', () => {
  assert.equal(formatShards([7, 0, 2, 1, 3, 9]), '0-3, 7, 9');
  assert.equal(formatShards([]), '');
});
