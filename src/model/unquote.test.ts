import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quoteGo } from './quote.ts';
import { unescapeGo } from './unquote.ts';

test('byte escapes give bytes, code point escapes give UTF-8', () => {
  const cases: [string, number[]][] = [
    ['', []],
    ['a\\n\\a\\\\', [0x61, 0x0a, 0x07, 0x5c]],
    ['\\xc3\\xa9', [0xc3, 0xa9]],
    ['\\303\\251', [0xc3, 0xa9]],
    ['\\u00e9', [0xc3, 0xa9]],
    ['\\U0001f600', [0xf0, 0x9f, 0x98, 0x80]],
    ['\\"\\xff', [0x22, 0xff]],
  ];
  for (const [body, bytes] of cases) assert.deepEqual([...(unescapeGo(body, '"') ?? [])], bytes, body);
});

test('what Go refuses is refused', () => {
  for (const body of ['\\', '\\c', '\\x1', '\\400', '\\ud800', '\\U00110000', "\\'", '\\8', '\\u12'])
    assert.equal(unescapeGo(body, '"'), undefined, body);
  assert.equal(unescapeGo('\\"', "'"), undefined);
});

test('property: quoting and unescaping give the text back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = unescapeGo(quoteGo(text).slice(1, -1), '"');
      assert.equal(Buffer.from(bytes ?? []).toString('utf8'), text.toWellFormed());
    }),
  );
});
