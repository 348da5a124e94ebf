import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labels } from '../model/index.ts';
import { resultToJson } from './result.ts';

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
