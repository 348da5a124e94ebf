import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseNumber, quote, unquote } from './literals.ts';

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

test('numbers are those of Go', () => {
  for (const [text, value] of [
    ['0x1F', 31],
    ['0x_1f', 31],
    ['1_000', 1000],
    ['1_0.5', 10.5],
    ['.5', 0.5],
    ['2.', 2],
    ['1e-3', 0.001],
    ['017', 15],
    ['08', 8],
    ['inf', Number.POSITIVE_INFINITY],
    ['NaN', Number.NaN],
  ] as const) {
    assert.equal(parseNumber(text), value, text);
  }
  for (const [text, why] of [
    ['1e999', 'value out of range'],
    ['1_', 'invalid syntax'],
    ['1e', 'invalid syntax'],
    ['1e5.5', 'invalid syntax'],
    ['0x', 'invalid syntax'],
    ['0xffffffffffffffff', 'invalid syntax'],
  ] as const) {
    assert.deepEqual(parseNumber(text), { reason: `strconv.ParseFloat: parsing "${text}": ${why}` });
  }
});
