import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseForm } from './form.ts';

const pairs = (text: string): [string, string][] => [...parseForm(text).values];

test('any text is read without an error, in time that grows with its length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const { values, fault } = parseForm(text);
      assert.ok(values.size <= text.split('&').length);
      assert.equal(
        fault !== undefined,
        text.split('&').some((pair) => /;|%(?![0-9a-fA-F]{2})/.test(pair)),
      );
    }),
  );
  parseForm('%'.repeat(1_000_000));
});

test('what was encoded as a form comes back', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (entries) => {
      const known = entries.filter(([name, value]) => name !== '' || value !== '');
      assert.deepEqual(pairs(new URLSearchParams(known).toString()), known);
    }),
  );
});

test('more pairs than the bound are refused at once', () => {
  assert.equal(parseForm('a&'.repeat(199_999)).values.size, 199_999);
  assert.throws(() => parseForm('a&'.repeat(5_000_000)), { errorType: 'bad_data' });
});

test('the first fault is told and only its pair is left out', () => {
  assert.deepEqual(pairs('a=1&b=%zz&c=3&d=4;5&e=%'), [
    ['a', '1'],
    ['c', '3'],
  ]);
  assert.equal(parseForm('a=%f').fault, 'invalid URL escape "%f"');
  assert.equal(parseForm('a=1;2&b=%zz').fault, 'invalid semicolon separator in query');
  assert.deepEqual(pairs('?a=1&b'), [
    ['?a', '1'],
    ['b', ''],
  ]);
  assert.deepEqual(pairs('a=%ff+%2B'), [['a', '\ufffd +']]);
});
