import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExecutionError } from '../errors.ts';
import { parseExpr } from './parser.ts';
import { prettyExpr } from './pretty.ts';
import { printExpr } from './print.ts';

const pretty = (text: string): string => prettyExpr(parseExpr(text));

test('what fits on a line stays on one', () => {
  assert.equal(pretty('sum   by(job) (rate(a{b="c"}[5m]))'), 'sum by (job) (rate(a{b="c"}[5m]))');
});

test('what does not is broken at its operands, each a level deeper', () => {
  const long = 'x'.repeat(60);
  assert.equal(
    pretty(`sum by (job) (rate(${long}[5m])) / on (job) topk(3, -${long}) > bool (2)`),
    [`    sum by (job) (rate(${long}[5m]))`, '  / on (job)', `    topk(3, -${long})`, '> bool', '  (2)'].join(
      '\n',
    ),
  );
  assert.equal(
    pretty(`clamp((${long} + ${long}), 0, 1)`),
    ['clamp(', '  (', `      ${long}`, '    +', `      ${long}`, '  ),', '  0,', '  1', ')'].join('\n'),
  );
});

test('info() is printed with what was written of it', () => {
  for (const text of ['info(a)', 'info(a offset 1m, {b="c"})', 'info(a, {__name__=~".+_info",x="y"})']) {
    assert.equal(printExpr(parseExpr(text, { experimentalFunctions: true })), text);
  }
});

test('a text that would grow without bound is refused', () => {
  assert.throws(() => pretty(Array.from({ length: 1500 }, () => 'a').join('+')), ExecutionError);
});
