import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatFloatJson, Labels } from '../model/index.ts';
import { resultBlocks, resultToJson } from './result_json.ts';

const labels = Labels.fromRecord({ a: 'x' });

test('samples have small and large values with an exponent, scalars never', () => {
  const values: [number, string, string][] = [
    [7.72e-7, '7.72e-07', '0.000000772'],
    [1e21, '1e+21', '1000000000000000000000'],
    [1e-6, '0.000001', '0.000001'],
    [-0, '-0', '-0'],
  ];
  for (const [value, inSample, inScalar] of values) {
    assert.equal(
      resultToJson({ value: { type: 'vector', samples: [{ labels, timestampMs: 1000, value }] } }, true),
      `{"resultType":"vector","result":[{"metric":{"a":"x"},"value":[1,"${inSample}"]}]}`,
    );
    assert.equal(
      resultToJson({ value: { type: 'scalar', timestampMs: 1000, value } }, true),
      `{"resultType":"scalar","result":[1,"${inScalar}"]}`,
    );
  }
});

test('times of samples have three decimals or none, those of scalars as many as needed', () => {
  const timestamps = new Float64Array([1500, -1, 2000, 1795523509770]);
  assert.equal(
    resultToJson(
      { value: { type: 'matrix', series: [{ labels, timestamps, values: new Float64Array(4) }] } },
      false,
    ),
    '{"resultType":"matrix","result":[{"metric":{"a":"x"},"values":[[1.500,"0"],[-0.001,"0"],[2,"0"],[1795523509.770,"0"]]}]}',
  );
  assert.equal(
    resultToJson({ value: { type: 'scalar', timestampMs: 1500, value: 1 } }, true),
    '{"resultType":"scalar","result":[1.5,"1"]}',
  );
});

test('property: any value and text is what formatting it alone gives, whatever came before', () => {
  const value = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.integer().map((one) => one / 1000),
    fc.integer({ min: -5, max: 5 }).map((one) => one / 8),
    fc.constantFrom(0, -0, 2 ** 31, -(2 ** 31), 1e12 / 1000, 999999999.9995, 1e-3, 5e-4, 0.1 + 0.2),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(value, fc.string({ unit: 'grapheme' })), { maxLength: 8 }), (list) => {
      const timestamps = Float64Array.from(list, (_, i) => i * 1500);
      const values = Float64Array.from(list, ([one]) => one);
      const series = list.map(([, text]) => ({ labels: Labels.fromRecord({ text }), timestamps, values }));
      const json: unknown = JSON.parse(resultToJson({ value: { type: 'matrix', series } }, false));
      assert.deepEqual(json, {
        resultType: 'matrix',
        result: list.map(([, text]) => ({
          metric: text === '' ? {} : { text },
          values: list.map(([one], i) => [i * 1.5, formatFloatJson(one)]),
        })),
      });
    }),
    { numRuns: 500 },
  );
});

test('blocks of a large answer are whole texts together', () => {
  const timestamps = Float64Array.from({ length: 3000 }, (_, i) => i);
  const series = Array.from({ length: 9 }, (_, i) => ({
    labels: Labels.fromRecord({ a: `ü${i}` }),
    timestamps,
    values: Float64Array.from(timestamps, Math.sqrt),
  }));
  const blocks = [...resultBlocks({ value: { type: 'matrix', series } }, false)];
  assert.ok(blocks.length > 2);
  const json = JSON.parse(`${Buffer.concat(blocks).toString()}}`) as {
    result: { values: [number, string][] }[];
  };
  assert.deepEqual(
    json.result.map(({ values }) => values.map(([, text]) => Number(text))),
    series.map(({ values }) => [...values]),
  );
});
