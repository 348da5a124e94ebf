import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quoteGo } from './quote.ts';

test('quoting is that of Go, not of JSON', () => {
  const cases: [string, string][] = [
    ['', '""'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\u0007\b\f\n\r\t\u000b', '"\\a\\b\\f\\n\\r\\t\\v"'],
    ['\u0000\u001f\u007f', '"\\x00\\x1f\\x7f"'],
    ['\u0080\u00a0\u00ad', '"\\u0080\\u00a0\\u00ad"'],
    ['\u2028\ufeff\ue000', '"\\u2028\\ufeff\\ue000"'],
    ['é 花 😀', '"é 花 😀"'],
    ['\u{10ffff}', '"\\U0010ffff"'],
    ['\ud800', '"\ufffd"'],
  ];
  for (const [text, quoted] of cases) assert.equal(quoteGo(text), quoted);
});

test('property: quoted text is one printable line that reads back the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const quoted = quoteGo(text);
      assert.match(quoted, /^"[\p{L}\p{M}\p{N}\p{P}\p{S} ]*"$/u);
      const json = quoted.replaceAll(/\\(?:\\|a|v|x(..)|U(.{8}))/g, (whole, byte?: string, wide?: string) => {
        if (wide !== undefined) return String.fromCodePoint(Number.parseInt(wide, 16));
        if (byte !== undefined) return `\\u00${byte}`;
        if (whole === '\\a') return '\\u0007';
        return whole === '\\v' ? '\\u000b' : whole;
      });
      assert.equal(JSON.parse(json), text.toWellFormed());
    }),
  );
});
