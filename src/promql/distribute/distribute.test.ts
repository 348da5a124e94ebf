import assert from 'node:assert/strict';
import test from 'node:test';
import { parseExpr } from '../parse/parser.ts';
import { printExpr } from '../parse/print.ts';
import { distribute } from './distribute.ts';

const features = { experimentalFunctions: true, durationExpressions: true };
const range = { startMs: 0, endMs: 60_000, stepMs: 1000 };

function plan(text: string): { expr: string; notPushed: string[] } {
  const { expr, notPushed } = distribute(parseExpr(text, features), () => true, range);
  return {
    expr: printExpr(expr),
    notPushed: notPushed.map(({ text: part, reason }) => `${part}: ${reason}`),
  };
}

test('aggregations over single series are pushed', () => {
  for (const [text, expected] of [
    ['sum by (job) (rate(x[5m]))', 'remote(1: sum by (job) (rate(x[5m])))'],
    ['avg(-abs(x) * 2 + 1)', 'remote(1: avg(-abs(x) * 2 + 1))'],
    ['count(x > 5)', 'remote(1: count(x > 5))'],
    ['max(max_over_time(rate(x[1m])[10m:1m]))', 'remote(1: max(max_over_time(rate(x[1m])[10m:1m])))'],
    [
      'min without (a) (quantile_over_time(0.9, x[5m]))',
      'remote(1: min without (a) (quantile_over_time(0.9, x[5m])))',
    ],
    ['sum(a) / sum(b)', 'remote(1: sum(a)) / remote(2: sum(b))'],
    ['topk(5, sum by (job) (x))', 'topk(5, remote(1: sum by (job) (x)))'],
    ['topk(5, x) > 1', 'remote(1: topk(5, x)) > 1'],
    [
      'quantile by (job) (time() / 1e10, rate(x[5m]))',
      'remote(1: quantile by (job) (time() / 10000000000, rate(x[5m])))',
    ],
    ['count_values("v", x)', 'remote(1: count_values("v", x))'],
    ['stddev(x) / limitk(1, x)', 'remote(1: stddev(x)) / remote(2: limitk(1, x))'],
    ['topk(scalar(count(y)), x)', 'topk(scalar(remote(1: count(y))), x)'],
    [
      'histogram_quantile(0.9, sum by (le) (rate(x[5m])))',
      'histogram_quantile(0.9, remote(1: sum by (le) (rate(x[5m]))))',
    ],
    ['sum(sum by (job) (x))', 'sum(remote(1: sum by (job) (x)))'],
    ['sum(rate(a[5m]) / rate(b[5m]))', 'remote(1: sum(rate(a[5m]) / rate(b[5m])))'],
    ['count({x="1"} and (a or b))', 'remote(1: count({x="1"} and (a or b)))'],
  ] as const) {
    assert.equal(plan(text).expr, expected);
  }
});

test('what is not pushed stays, with the reason', () => {
  for (const [text, reason] of [
    ['topk(scalar(y), x)', 'topk(scalar(y), x): the parameter of topk is not the same everywhere'],
    ['sum(a + on (x) b)', 'sum(a + on (x) b): + matches series that may lie apart'],
    ['sum(a and ignoring (x) b)', 'sum(a and ignoring (x) b): and matches series that may lie apart'],
    ['sum(a * ignoring (x) group_left () b)', undefined],
    ['sum(a / {x="1"})', 'sum(a / {x="1"}): / may find several series of the same labels but the name'],
    ['sum(a + (b or c))', 'sum(a + (b or c)): + may find several series of the same labels but the name'],
    ['sum(a + scalar(b))', 'sum(a + scalar(b)): + has no side that is constant'],
    ['sum(absent(x))', 'sum(absent(x)): absent() does not keep to single series'],
    ['sum(label_replace(x, "a", "b", "c", "d"))', undefined],
    [
      'sum(clamp_max(x, scalar(y)))',
      'sum(clamp_max(x, scalar(y))): clamp_max() has a parameter that is not constant',
    ],
    ['max_over_time(sum(x)[5m:1m])', 'sum(x): it is inside a subquery'],
    [
      'sum(rate(x[step() * 2]))',
      'sum(rate(x[step() * 2])): a duration depends on the step or range of the query',
    ],
    ['topk(NaN, x)', 'topk(NaN, x): topk takes no such parameter'],
    ['count_values("", x)', 'count_values("", x): count_values takes no such parameter'],
    ['sum(vector(1))', 'sum(vector(1)): vector() does not keep to single series'],
  ] as const) {
    const { expr, notPushed } = plan(text);
    assert.equal(expr, printExpr(parseExpr(text, features)));
    assert.equal(notPushed.length, 1);
    if (reason !== undefined) assert.deepEqual(notPushed, [reason]);
  }
});

test('what combines no series is pushed by itself unless that is more to send than it reads', () => {
  const sparse = { startMs: 0, endMs: 3_600_000, stepMs: 60_000 };
  const instant = { startMs: 60_000, endMs: 60_000, stepMs: 1 };
  for (const [text, expected] of [
    ['x', 'x'],
    ['x[5m]', 'x[5m]'],
    ['(x)', '(x)'],
    ['rate(x[5m])', 'remote(1: rate(x[5m]))'],
    ['-x * 2 > 1', 'remote(1: -x * 2 > 1)'],
    ['a / b', 'remote(1: a / b)'],
    ['a / on (x) rate(b[5m])', 'a / on (x) remote(1: rate(b[5m]))'],
    ['sort(abs(x))', 'sort(remote(1: abs(x)))'],
    ['topk(scalar(y), abs(x))', 'topk(scalar(y), remote(1: abs(x)))'],
    ['histogram_count(rate(x[5m]))', 'remote(1: histogram_count(rate(x[5m])))'],
    ['histogram_count(a + on (x) rate(b[5m]))', 'histogram_count(a + on (x) rate(b[5m]))'],
    ['absent(rate(x[5m]))', 'absent(remote(1: rate(x[5m])))'],
  ] as const) {
    for (const asked of [sparse, instant]) {
      if (text === 'x[5m]' && asked === sparse) continue;
      const { expr } = distribute(parseExpr(text, features), () => true, asked, text);
      assert.equal(printExpr(expr), expected);
    }
    assert.equal(plan(text).expr, printExpr(parseExpr(text, features)));
  }
});

test('the caller can keep selectors home', () => {
  const { expr, notPushed } = distribute(parseExpr('sum(x)'), () => false, range);
  assert.equal(printExpr(expr), 'sum(x)');
  assert.equal(notPushed.length, 1);
});

test('a long chain of aggregations is planned', () => {
  const chain = new Array<string>(1_000).fill('sum(a)').join(' or ');
  assert.equal(distribute(parseExpr(chain), () => true, range).fragments.length, 1_000);
});

test('a fragment is cut from the text that the query was parsed from', () => {
  const text = '1 + # half\n  avg   by(a)(rate( x[5m] ))';
  const { fragments } = distribute(parseExpr(text), () => true, range, text);
  assert.deepEqual(
    fragments.map((fragment) => fragment.text),
    ['avg   by(a)(rate( x[5m] ))'],
  );
});
