import assert from 'node:assert/strict';
import test from 'node:test';
import { Annotations } from './annotations.ts';

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
