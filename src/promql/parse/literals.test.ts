import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseNumberLiteral, quote, unquote } from './literals.ts';

test('what is quoted comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      fc.pre(text.isWellFormed());
      assert.equal(unquote(quote(text)), text);
    }),
  );
});

test('escapes are those of Go', () => {
  assert.equal(unquote('"\\x41\\102\\u0043\\U00000044\\a"'), 'ABCD\x07');
  assert.equal(unquote("'\\''"), "'");
  assert.equal(quote(unquote('"ä\\xff"') ?? ''), '"ä\\xff"');
  assert.equal(quote('a\u200b\u2028\ufeff'), '"a\\u200b\\u2028\\ufeff"');
  assert.equal(unquote('`\\n`'), '\\n');
  for (const bad of ['"\\q"', '"\\\'"', '"', 'x', '"\\ud800"', '"\\400"'])
    assert.equal(unquote(bad), undefined, bad);
});

test('numbers and durations', () => {
  for (const [text, value, isDuration] of [
    ['0x1F', 31, false],
    ['1_000', 1000, false],
    ['.5', 0.5, false],
    ['2.', 2, false],
    ['1e-3', 0.001, false],
    ['017', 15, false],
    ['inf', Number.POSITIVE_INFINITY, false],
    ['1h30m', 5400, true],
    ['100ms', 0.1, true],
  ] as const) {
    assert.deepEqual(parseNumberLiteral(text), { value, isDuration }, text);
  }
  assert.equal(parseNumberLiteral('5x'), undefined);
});
