import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExpr } from './parser.ts';
import { exprToJson } from './tree_json.ts';

test('each sort of node has the fields of Prometheus', () => {
  const json = (text: string): unknown => JSON.parse(JSON.stringify(exprToJson(parseExpr(text))));
  const selector = (name: string): object => ({
    type: 'vectorSelector',
    name,
    matchers: [{ name: '__name__', type: '=', value: name }],
    offset: 0,
    startOrEnd: null,
    timestamp: null,
  });
  assert.deepEqual(json('topk without (x) (2, a)'), {
    type: 'aggregation',
    op: 'topk',
    param: { type: 'numberLiteral', val: '2' },
    grouping: ['x'],
    without: true,
    expr: selector('a'),
  });
  assert.deepEqual(json('a - on (x) group_left (y) b'), {
    type: 'binaryExpr',
    op: '-',
    bool: false,
    lhs: selector('a'),
    rhs: selector('b'),
    matching: { card: 'many-to-one', on: true, labels: ['x'], include: ['y'] },
  });
  assert.deepEqual(json('-(label_join(a, "b", "c"))'), {
    type: 'unaryExpr',
    op: '-',
    expr: {
      type: 'parenExpr',
      expr: {
        type: 'call',
        func: {
          name: 'label_join',
          argTypes: ['vector', 'string', 'string', 'string'],
          variadic: -1,
          returnType: 'vector',
        },
        args: [selector('a'), { type: 'stringLiteral', val: 'b' }, { type: 'stringLiteral', val: 'c' }],
      },
    },
  });
  assert.deepEqual(json('a[5m:1m] @ 2 offset -1m'), {
    type: 'subquery',
    expr: selector('a'),
    range: 300_000,
    step: 60_000,
    offset: -60_000,
    timestamp: 2000,
    startOrEnd: null,
  });
  assert.deepEqual(json('a[5m] @ end()'), {
    ...selector('a'),
    type: 'matrixSelector',
    range: 300_000,
    startOrEnd: 'end',
  });
});
