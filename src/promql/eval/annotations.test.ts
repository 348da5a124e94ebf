import assert from 'node:assert/strict';
import test from 'node:test';
import { Annotations } from './annotations.ts';
import { RepairDetail } from './repair_detail.ts';

const at = (start: number) => ({ start, end: start + 1 });

test('a text is kept once, at the position of its last occurrence', () => {
  const annotations = new Annotations('sum(a)\n + b');
  annotations.warn('odd', at(0));
  annotations.warn('other', at(4));
  annotations.warn('odd', at(10));
  annotations.info('odd', at(0));
  assert.deepEqual(annotations.warnings, ['PromQL warning: odd (2:4)', 'PromQL warning: other (1:5)']);
  assert.deepEqual(annotations.infos, ['PromQL info: odd (1:1)']);
});

test('warnings that are counted say how often they applied when that was more than once', () => {
  const annotations = new Annotations('a');
  annotations.warnCounted('late', at(0));
  assert.deepEqual(annotations.warnings, ['PromQL warning: late (1:1)']);
  annotations.warnCounted('late', at(0));
  assert.deepEqual(annotations.warnings, ['PromQL warning: late (2 occurrences) (1:1)']);
});

test('texts of other nodes join those that are there, counts added up', () => {
  const there = new Annotations('a');
  for (let i = 0; i < 3; i++) there.warnCounted('late', at(0));
  there.info('odd (a)', at(0));
  const here = new Annotations('a');
  here.warnCounted('late', at(0));
  here.merge(there.warnings, there.infos);
  here.merge(['not from a query'], []);
  assert.deepEqual(here.warnings, ['PromQL warning: late (4 occurrences) (1:1)', 'not from a query']);
  assert.deepEqual(here.infos, ['PromQL info: odd (a) (1:1)']);
});

test('details of the same info come together, at its first place', () => {
  const repairs = {
    minBound: 0.5,
    maxBound: 2,
    maxDifference: 3400,
    samples: 3,
    firstMs: 60_500,
    lastMs: 90_000,
  };
  const there = new Annotations('a or b');
  there.infoWithDetail('repaired', new RepairDetail(repairs), at(5));
  const here = new Annotations('a or b');
  const others = {
    minBound: 1,
    maxBound: Number.POSITIVE_INFINITY,
    maxDifference: 55,
    samples: 1,
    firstMs: 0,
    lastMs: 0,
  };
  here.infoWithDetail('repaired', new RepairDetail(others), at(0));
  const one = 'PromQL info: repaired, from buckets 1 to +Inf, with a max diff of 55, over 1 samples ';
  assert.deepEqual(here.infos, [`${one}from 1970-01-01T00:00:00Z to 1970-01-01T00:00:00Z (1:1)`]);
  here.merge([], there.infos);
  const both = 'PromQL info: repaired, from buckets 0.5 to +Inf, with a max diff of 3.4e+03, over 4 samples ';
  assert.deepEqual(here.infos, [`${both}from 1970-01-01T00:00:00Z to 1970-01-01T00:01:30Z (1:1)`]);
});
