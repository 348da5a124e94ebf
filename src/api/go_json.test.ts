import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { goJson } from './go_json.ts';

test('every value is parsed back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 1 }), (value) => {
      assert.deepEqual(JSON.parse(goJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('characters are escaped as in Go', () => {
  assert.equal(goJson('<>&'), '"\\u003c\\u003e\\u0026"');
  assert.equal(goJson('\u2028\u2029'), '"\\u2028\\u2029"');
  assert.equal(goJson('\b\f\n\r\t\u0001'), '"\\u0008\\u000c\\n\\r\\t\\u0001"');
  assert.equal(goJson('C:\\bin\\\\f "q"'), '"C:\\\\bin\\\\\\\\f \\"q\\""');
  assert.throws(() => goJson(undefined), TypeError);
});
