import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatFloat, formatFloatE, formatFloatG, formatFloatJson, parseFloatText } from './numbers.ts';

test('plain form never has an exponent', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-1.5, '-1.5'],
    [0.1, '0.1'],
    [1e21, '1000000000000000000000'],
    [1.5e-7, '0.00000015'],
    [123456789012345680000, '123456789012345680000'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ];
  for (const [value, text] of cases) assert.equal(formatFloat(value), text);
  assert.equal(formatFloat(Number.MAX_VALUE).length, 309);
  assert.equal(formatFloat(5e-324), `0.${'0'.repeat(323)}5`);
});

test('the general form turns to an exponent below 1e-4 and from 1e6 on', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [999999, '999999'],
    [1e6, '1e+06'],
    [1234567, '1.234567e+06'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-1.5e300, '-1.5e+300'],
    [Number.POSITIVE_INFINITY, '+Inf'],
  ];
  for (const [value, text] of cases) assert.equal(formatFloatG(value), text);
  assert.equal(formatFloatE(1), '1e+00');
  assert.equal(formatFloatE(0), '0e+00');
  assert.equal(formatFloatE(-123.5), '-1.235e+02');
});

test('values in API vectors have an exponent below 1e-6 and from 1e21 on', () => {
  assert.equal(formatFloatJson(1e-6), '0.000001');
  assert.equal(formatFloatJson(1e-7), '1e-07');
  assert.equal(formatFloatJson(1e20), '100000000000000000000');
  assert.equal(formatFloatJson(1e21), '1e+21');
  assert.equal(formatFloatJson(Number.NaN), 'NaN');
  assert.equal(formatFloatJson(-0), '-0');
});

test('exposition floats: decimals, infinities and NaN in any case', () => {
  const cases: [string, number][] = [
    ['1', 1],
    ['+1.5', 1.5],
    ['-.5', -0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['1E-3', 0.001],
    ['007', 7],
    ['inf', Number.POSITIVE_INFINITY],
    ['+Inf', Number.POSITIVE_INFINITY],
    ['-INFINITY', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['-0', -0],
    ['1e-400', 0],
  ];
  for (const [text, value] of cases) assert.ok(Object.is(parseFloatText(text), value), text);
});

test('what Prometheus refuses in expositions is refused', () => {
  const refused = [
    '',
    ' 1',
    '1 ',
    '1_000',
    '0x10',
    '0x1p4',
    '1p4',
    '+nan',
    '1e',
    '.',
    '-',
    'e5',
    '1e400',
    '--1',
    'in',
    'Infinit',
    '1,5',
    '１',
  ];
  for (const text of refused) assert.equal(parseFloatText(text), undefined, text);
});

test('property: every form reads back as the same number', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      for (const format of [formatFloat, formatFloatE, formatFloatG, formatFloatJson]) {
        assert.ok(Object.is(parseFloatText(format(value)), value), format(value));
      }
      assert.doesNotMatch(formatFloat(value), /e/);
    }),
  );
});

test('a long run of digits that is no number is refused in time of its length', () => {
  const startMs = performance.now();
  assert.equal(parseFloatText(`${'1'.repeat(200_000)}x`), undefined);
  // Dividing the digits in all ways takes half a minute.
  assert.ok(performance.now() - startMs < 2_000);
});
