import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareBytes, DuplicateLabelError, Labels, LabelsBuilder } from './labels.ts';

const utf8 = new TextEncoder();
const anyText = fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => text.isWellFormed());
const pairs = fc.uniqueArray(
  fc.tuple(
    anyText.filter((name) => name !== ''),
    anyText,
  ),
  {
    selector: ([name]) => name,
    maxLength: 8,
  },
);

test('property: names compare as their UTF-8 bytes do', () => {
  const near = fc.constantFrom(
    '',
    'a',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
    '\u{1f631}a',
  );
  fc.assert(
    fc.property(fc.oneof(near, anyText), fc.oneof(near, anyText), (a, b) => {
      assert.equal(compareBytes(a, b), Buffer.compare(utf8.encode(a), utf8.encode(b)));
    }),
    { numRuns: 1000 },
  );
});

test('property: the order of input does not matter, empty values are absent', () => {
  fc.assert(
    fc.property(pairs, (input) => {
      const labels = Labels.fromPairs(input);
      const again = Labels.fromPairs(input.toReversed());
      assert.ok(labels.equals(again));
      assert.equal(labels.hash(), again.hash());
      assert.equal(labels.compare(again), 0);
      assert.equal(labels.size, input.filter(([, value]) => value !== '').length);
      for (const [name, value] of input) assert.equal(labels.get(name), value);
      assert.ok(new LabelsBuilder(labels).labels().equals(labels));
    }),
  );
});

test('a name given twice is an error, unless one of the values is empty', () => {
  assert.throws(
    () =>
      Labels.fromPairs([
        ['a', '1'],
        ['a', '2'],
      ]),
    DuplicateLabelError,
  );
  assert.equal(
    Labels.fromPairs([
      ['a', '1'],
      ['a', ''],
    ]).get('a'),
    '1',
  );
});

test('the hash is the stable hash of Prometheus', () => {
  // Published values; the hash must never change, since it decides where series live.
  assert.equal(Labels.fromRecord({}).hash(), 0xef46db3751d8e999n);
  assert.equal(Labels.fromRecord({ hello: 'world' }).hash(), 0x347c8ee7a9e29708n);
  assert.equal(Labels.fromRecord({ label: 'value', __name__: 'metric' }).hash(), 0xcbab40540f26097dn);
  assert.equal(
    Labels.fromRecord({ a: '1' }).hashMod(128),
    Number(Labels.fromRecord({ a: '1' }).hash() % 128n),
  );
});

test('a series is shown with Go quoting, odd names inside the braces', () => {
  assert.equal(Labels.fromRecord({ __name__: 'up', job: 'a"b\n\u0007' }).toString(), 'up{job="a\\"b\\n\\a"}');
  assert.equal(Labels.fromRecord({ __name__: 'up' }).toString(), 'up');
  assert.equal(Labels.fromRecord({}).toString(), '{}');
  assert.equal(Labels.fromRecord({ __name__: 'a.b', 'c.d': 'é' }).toString(), '{"a.b", "c.d"="é"}');
  assert.equal(Labels.fromRecord({ __name__: 'up', a: '1' }).toBracedString(), '{__name__="up", a="1"}');
});

test('sets order pair by pair, the shorter first', () => {
  const set = (...flat: string[]): Labels => Labels.fromSortedFlat(flat);
  const ordered = [set(), set('a', '1'), set('a', '1', 'b', '2'), set('a', '2'), set('b', '0')];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) assert.equal(Math.sign(a.compare(b)), Math.sign(i - j));
  }
});

test('no text can make the keys of different sets equal', () => {
  const set = (...flat: string[]): Labels => Labels.fromSortedFlat(flat);
  assert.notEqual(set('a', '1\uffffb\uffff2').key(), set('a', '1', 'b', '2').key());
  assert.notEqual(set('a', 'x'.repeat(240)).key(), set('a', 'x'.repeat(241)).key());
  const tricky = fc.constantFrom('a', '\u0001', '\u0002', '\u0004', '\xff', '2', '240', 'x'.repeat(240));
  const flat = fc.array(tricky, { maxLength: 6 }).filter((texts) => texts.length % 2 === 0);
  fc.assert(
    fc.property(flat, flat, (a, b) => {
      assert.equal(set(...a).key() === set(...b).key(), JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 2000 },
  );
});
