import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type EscapingScheme,
  escapeName,
  escapingSchemes,
  isValidLabelName,
  isValidMetricName,
  unescapeName,
} from './names.ts';

test('classic names, and any text in the UTF-8 scheme', () => {
  for (const name of ['a', '_x9', 'job:rate5m', ':'])
    assert.equal(isValidMetricName(name, 'legacy'), true, name);
  for (const name of ['', '9a', 'a-b', 'a.b', 'é', 'a\n'])
    assert.equal(isValidMetricName(name, 'legacy'), false, name);
  assert.equal(isValidLabelName('a:b', 'legacy'), false);
  assert.equal(isValidLabelName('a_b', 'legacy'), true);
  for (const name of ['é', 'a b', '9', '\u0000']) assert.equal(isValidMetricName(name), true);
  for (const name of ['', '\ud800', 'a\udc00']) assert.equal(isValidLabelName(name), false);
});

test('each scheme escapes as Prometheus does', () => {
  const cases: [name: string, underscores: string, dots: string, values: string][] = [
    ['', '', '', ''],
    ['no:escaping_required', 'no:escaping_required', 'no:escaping__required', 'no:escaping_required'],
    [
      'mysystem.prod.west.cpu.load',
      'mysystem_prod_west_cpu_load',
      'mysystem_dot_prod_dot_west_dot_cpu_dot_load',
      'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load',
    ],
    ['http.status:sum', 'http_status:sum', 'http_dot_status:sum', 'U__http_2e_status:sum'],
    ['label with 😱', 'label_with__', 'label__with____', 'U__label_20_with_20__1f631_'],
    ['1abc_x', '_abc_x', '__abc__x', 'U___31_abc__x'],
    ['花火', '__', '____', 'U___82b1__706b_'],
  ];
  for (const [name, underscores, dots, values] of cases) {
    assert.equal(escapeName(name, 'underscores'), underscores);
    assert.equal(escapeName(name, 'dots'), dots);
    assert.equal(escapeName(name, 'values'), values);
    assert.equal(escapeName(name, 'allow-utf-8'), name);
    assert.equal(unescapeName(values, 'values'), name);
    assert.equal(unescapeName(underscores, 'underscores'), underscores);
  }
  assert.equal(unescapeName('a_dot_b__c', 'dots'), 'a.b_c');
});

test('text that only looks escaped comes back as it is', () => {
  for (const name of [
    'U__',
    'U__a_',
    'U__a_zz_',
    'U__a_1234567_',
    'U__a_d800_',
    'U__a_20',
    'U__bad_110000_',
    'plain_20_',
    'U__a_10ffff_',
  ]) {
    assert.equal(unescapeName(name, 'values'), name === 'U__' ? '' : name);
  }
  assert.equal(unescapeName('U__a_2E_b_', 'values'), 'U__a_2E_b_');
  assert.equal(unescapeName('U__a_2E_b', 'values'), 'a.b');
});

const belowPlane16 = fc
  .string({ unit: 'binary', minLength: 1 })
  .filter((name) => name.isWellFormed() && ![...name].some((char) => (char.codePointAt(0) ?? 0) >= 0x100000));

test('property: escaped names are classic, and the values form undoes itself', () => {
  fc.assert(
    fc.property(belowPlane16, (name) => {
      for (const scheme of escapingSchemes.slice(1) as EscapingScheme[]) {
        assert.equal(isValidMetricName(escapeName(name, scheme), 'legacy'), true, scheme);
      }
      const escaped = escapeName(name, 'values');
      // A classic name that begins like an escaped one cannot be told apart from it, in Prometheus neither.
      if (escaped !== name) assert.equal(unescapeName(escaped, 'values'), name);
    }),
  );
});

test('property: unescaping any text ends without an error', () => {
  const near = fc.array(fc.constantFrom('U__', '_', '2e', 'x', '_dot_', 'd800'), { maxLength: 8 });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        near.map((parts) => parts.join('')),
      ),
      (text) => {
        for (const scheme of escapingSchemes) assert.equal(typeof unescapeName(text, scheme), 'string');
      },
    ),
  );
});
