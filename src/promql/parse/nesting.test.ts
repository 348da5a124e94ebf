import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nestingOf } from './nesting.ts';

test('brackets, signs and powers, which count threefold, are levels until what is left of them ends', () => {
  const depths: readonly (readonly [text: string, depth: number])[] = [
    ['a + b * c - d', 0],
    ['((a)) + (b)', 2],
    ['(a)(b)(c)', 1],
    ['sum(rate(x{a="("}[5m]))', 3],
    ['--a', 2],
    ['a - -b', 1],
    ['1 ^ 2 ^ -3', 7],
    ['1 ^ 2 and 1 ^ 2 * 1 ^ 2', 3],
    ['(-(-a ^ 2) + 1)', 7],
    ['# ((((\n(a)', 1],
    ['"((', 0],
    ['`((` + (a)', 1],
    [')))(', 1],
    ['', 0],
  ];
  for (const [text, depth] of depths) assert.equal(nestingOf(text, text.length), depth, text);
  assert.equal(nestingOf('((((', 2), 2);
});
