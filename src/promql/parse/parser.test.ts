import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../errors.ts';
import { parseExpr } from './parser.ts';
import { printExpr } from './print.ts';
import { depthMax } from './token_reader.ts';
import { type Expr, selectorsOf } from './tree.ts';

const features = {
  ...{ experimentalFunctions: true, durationExpressions: true },
  ...{ extendedRangeSelectors: true, fillModifiers: true },
};

test('precedence and associativity are those of Prometheus', () => {
  const shape = (expr: Expr): string => {
    switch (expr.kind) {
      case 'binary':
        return `(${shape(expr.lhs)} ${expr.op} ${shape(expr.rhs)})`;
      case 'unary':
        return `(${expr.op}${shape(expr.expr)})`;
      default:
        return printExpr(expr);
    }
  };
  for (const [text, expected] of [
    ['-2 ^ 2', '(-(2 ^ 2))'],
    ['2 ^ 3 ^ 2', '(2 ^ (3 ^ 2))'],
    ['-a * b', '((-a) * b)'],
    ['1 -2', '(1 - 2)'],
    ['2 ^ -3 * 4', '((2 ^ -3) * 4)'],
    ['a + b offset 5m * c', '(a + (b offset 5m * c))'],
    ['a + b[5m:1m] @ start()', undefined],
    ['a or b and c', '(a or (b and c))'],
    ['a == b + 1', '(a == (b + 1))'],
  ] as const) {
    if (expected === undefined) assert.throws(() => parseExpr(text), ParseError);
    else assert.equal(shape(parseExpr(text)), expected, text);
  }
});

test('printing gives the canonical text, and printing what that parses to gives it again', () => {
  for (const [text, printed] of [
    ['sum(rate(http_requests_total{job=~"a.*",code!="500"}[5m]))by(job)', undefined],
    ['SUM BY (job, "a.b") (x)', 'sum by (job, "a.b") (x)'],
    ['{"my.metric", a="b"} offset -90s', '{__name__="my.metric",a="b"} offset -1m30s'],
    ['x{b="1",a=\'2\'}', 'x{a="2",b="1"}'],
    ['x @ 1.5 offset 1w', 'x @ 1.500 offset 1w'],
    ['x[5m:]@end()', 'x[5m:] @ end()'],
    ['x[min_of(5m, step()) + 1m]', 'x[min_of(5m, step()) + 1m]'],
    ['min_of(1, 2.)', 'min_of(1, 2)'],
    ['a / on(x) group_left(y) b', 'a / on (x) group_left (y) b'],
    ['a == bool ignoring(z) b', 'a == bool ignoring (z) b'],
    ['a + fill(0) b', 'a + fill (0) b'],
    ['rate(x[5m] anchored)', 'rate(x[5m] anchored)'],
    ['count_values("v\\n", a)', 'count_values("v\\n", a)'],
    ['1h30m + 0x1f + 1_000 + 1e3 + .5', '1h30m + 31 + 1000 + 1000 + 0.5'],
    ['a # comment\n+ b', 'a + b'],
  ] as const) {
    const once = printExpr(parseExpr(text, features));
    if (printed !== undefined) assert.equal(once, printed);
    assert.equal(printExpr(parseExpr(once, features)), once);
  }
});

test('errors name line and column and say what Prometheus says', () => {
  for (const [text, message] of [
    ['', 'unknown position: parse error: no expression found in input'],
    ['# nothing', '1:1: parse error: no expression found in input'],
    ['foo bar', '1:5: parse error: unexpected identifier "bar"'],
    ['sum(a', '1:6: parse error: unclosed left parenthesis'],
    ['a)', "1:3: parse error: unexpected right parenthesis ')'"],
    ['a[', '1:3: parse error: unexpected end of input in duration expression'],
    ['a[5m', '1:5: parse error: unclosed left bracket'],
    ['$', "1:1: parse error: unexpected character: '$'"],
    ['"abc', '1:1: parse error: unterminated quoted string'],
    ['a{b*"c"}', "1:4: parse error: unexpected character inside braces: '*'"],
    ['a[5mm]', '1:3: parse error: bad number or duration syntax: "5mm"'],
    ['a[5m / 0]', '1:6: parse error: division by zero'],
    ['foo(1)', '1:1: parse error: unknown function with name "foo"'],
    ['a{x=1}', "1:5: parse error: unexpected character inside braces: '1'"],
    ['a{x=,}', '1:5: parse error: unexpected "," in label matching, expected string'],
    [
      'a +\n  rate(b)',
      '2:8: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    ['1 == 1', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    ['a and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
    ['a and on(x) group_left b', '1:1: parse error: no grouping allowed for "and" operation'],
    ['a + bool b', '1:3: parse error: bool modifier can only be used on comparison operators'],
    ['{a=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['a{__name__="b"}', '1:1: parse error: metric name must not be set twice: "a" or "b"'],
    ['a offset 1m offset 2m', '1:1: parse error: offset may not be set multiple times'],
    ['a offset 1m [5m]', '1:13: parse error: no offset modifiers allowed before range'],
    ['rate(a[0s])', '1:8: parse error: duration must be greater than 0'],
    ['clamp(a)', '1:1: parse error: expected 3 argument(s) in call to "clamp", got 1'],
    ['label_join(a)', '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1'],
    ['sum(1)', '1:5: parse error: expected type instant vector in aggregation expression, got scalar'],
    ['rate(a[5m],)', '1:11: parse error: trailing commas not allowed in function call args'],
    ['info(a)', '1:1: parse error: function "info" is not enabled'],
  ] as const) {
    assert.throws(
      () => parseExpr(text, { durationExpressions: true }),
      (error) => error instanceof ParseError && error.message === message,
      `${text}: ${message}`,
    );
  }
});

test('no text makes the parser fail otherwise than with a ParseError', () => {
  const word = fc.constantFrom(
    ...'sum rate by ( ) [ ] { } : , = =~ != + - * / ^ and or on group_left offset @ 5m 1 "a" \'b\' x y bool min_of $ \n # \\ ` start()'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      try {
        const printed = printExpr(parseExpr(words.join(' '), features));
        assert.equal(printExpr(parseExpr(printed, features)), printed);
      } catch (error) {
        assert.ok(error instanceof ParseError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('nesting is bounded', () => {
  const deep = `${'('.repeat(depthMax + 10)}1${')'.repeat(depthMax + 10)}`;
  assert.throws(() => parseExpr(deep), /nested more than/);
  const signs = '-'.repeat(depthMax + 10);
  assert.throws(() => parseExpr(`${signs}a`), /nested more than/);
  assert.throws(() => parseExpr(chain('^', depthMax + 10)), /nested more than/);
  for (const [open, close] of [
    ['(', ')'],
    ['-', ''],
    ['sum(', ')'],
    ['up or (', ')'],
  ] as const) {
    for (const levels of [3_000, 20_000]) {
      const text = `${open.repeat(levels)}a${close.repeat(levels)}`;
      assert.throws(() => parseExpr(text), /nested more than/, text.slice(0, 20));
    }
  }
});

const chain = (op: string, operands: number): string => new Array<string>(operands).fill('a').join(` ${op} `);

test('long chains of operators parse, up to a bound', () => {
  for (const op of ['or', '+', 'unless', '*']) {
    const text = chain(op, 1_500);
    const expr = parseExpr(text);
    assert.equal(printExpr(expr), text);
    assert.equal(selectorsOf(expr).length, 1_500);
    assert.throws(() => parseExpr(chain(op, 5_000)), /more than 1500 operators in a row/);
  }
  const inner = chain('+', 900);
  assert.throws(() => parseExpr(`(${inner}) + ${inner}`), /nested more than 1600 levels/);
  assert.equal(parseExpr(`${inner} + (${inner})`).kind, 'binary');
});

test('the work on one text is bounded, however it is spent', () => {
  const many = 'a="b",'.repeat(2_000);
  const bounded = /in a row|expression has too many parts|unexpected left brace/;
  const name = 'x'.repeat(1 << 20);
  for (const text of [
    '{'.repeat(1 << 20),
    'up + '.repeat(100_000),
    `sum by (${'a,'.repeat(200_000)}b) (up)`,
  ]) {
    assert.throws(() => parseExpr(text), bounded);
  }
  assert.throws(
    () => parseExpr(`up[${'5m+'.repeat(3_000)}1m]`, features),
    /duration has more than 1000 operators/,
  );
  assert.throws(() => parseExpr(`${name}y`), /longer than/);
  assert.equal(parseExpr(name).kind, 'vector');
  assert.equal(parseExpr(`up{${many}}`).kind, 'vector');
});

test('an unexpected word is told with the innermost place that knows what could stand there', () => {
  for (const [text, message] of [
    ['sum(up up)', '1:8: parse error: unexpected identifier "up" in aggregation'],
    ['sum 5', '1:5: parse error: unexpected number "5"'],
    ['sum by a (up)', '1:8: parse error: unexpected identifier "a" in grouping opts, expected "("'],
    ['sum by (5) (up)', '1:9: parse error: unexpected number "5" in grouping opts, expected label'],
    ['sum by (without) (up)', '1:9: parse error: unexpected <without> in grouping opts, expected label'],
    [
      'sum by (a b) (up)',
      '1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"',
    ],
    ['a / on (b) group_left > c', '1:23: parse error: unexpected <op:>> in grouping opts, expected "("'],
    [
      'a offset b',
      '1:10: parse error: unexpected identifier "b" in offset, expected number, duration, step(), or range()',
    ],
    ['a @ b', '1:5: parse error: unexpected identifier "b" in @, expected timestamp'],
    [
      'a[]',
      '1:3: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    ['a[5m 1m]', '1:6: parse error: unexpected duration "1m" in subquery or range, expected ":" or "]"'],
    [
      'a[5m:,]',
      '1:6: parse error: unexpected "," in subquery selector, expected number, duration, step(), range(), or "]"',
    ],
    ['a[5m:1m 1m]', '1:9: parse error: unexpected duration "1m" in subquery selector, expected "]"'],
    ['a{5}', "1:3: parse error: unexpected character inside braces: '5'"],
    ['a{,}', '1:3: parse error: unexpected "," in label matching, expected identifier or "}"'],
    ['a{b}', '1:4: parse error: unexpected "}" in label matching, expected label matching operator'],
    ['a{b="c" d="e"}', '1:9: parse error: unexpected identifier "d" in label matching, expected "," or "}"'],
    ['a{"b"==1}', '1:7: parse error: unexpected "=" in label matching, expected string'],
    ['a "a string that is long"', '1:3: parse error: unexpected string "\\"a string "...'],
    ['abs(a, *)', '1:6: parse error: trailing commas not allowed in function call args'],
    ['a bool b', '1:3: parse error: unexpected <bool>'],
    ['a + start', undefined],
  ] as const) {
    if (message === undefined) assert.equal(parseExpr(text).kind, 'binary');
    else assert.throws(() => parseExpr(text, features), { message }, text);
  }
});

test('an error is the first that reading meets, before any that types would give', () => {
  for (const [text, message] of [
    ['rate(up) + nothing(1)', '1:12: parse error: unknown function with name "nothing"'],
    ['1 == 1 + &', "1:10: parse error: unexpected character: '&'"],
    ['a offset 1m offset 1m &', '1:1: parse error: offset may not be set multiple times'],
    [
      'limitk(1, rate(up))',
      '1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    ['a anchored', '1:1: parse error: anchored modifier is experimental and not enabled'],
    ['a + fill(0) b', '1:1: parse error: binop fill modifiers are experimental and not enabled'],
    [
      'a + 1e999',
      '1:5: parse error: error parsing number: strconv.ParseFloat: parsing "1e999": value out of range',
    ],
    ['a + 1d1w', '1:5: parse error: not a valid duration string: "1d1w"'],
    ['"\\c"', "1:1: parse error: unknown escape sequence U+0063 'c'"],
    ['"\\x."', "1:1: parse error: illegal character U+002E '.' in escape sequence"],
    ['"\\', '1:1: parse error: escape sequence not terminated'],
  ] as const) {
    assert.throws(() => parseExpr(text), { message }, text);
  }
});

test('arithmetic in durations can be switched off', () => {
  const off = { durationExpressions: false };
  const message = 'parse error: experimental duration expression is not enabled';
  assert.throws(() => parseExpr('a[1m + 1m]', off), { message: `1:3: ${message}` });
  assert.throws(() => parseExpr('a offset step()', off), { message: `1:10: ${message}` });
  assert.equal(parseExpr('a[1m + 1m]').kind, 'matrix');
});

test('what follows an offset is part of it only behind a parenthesis or two signs', () => {
  for (const [text, printed] of [
    ['a offset 1m + 2', 'a offset 1m + 2'],
    ['a offset -(1m) + 2', 'a offset -(1m) + 2'],
    ['a offset step() * 2', 'a offset step() * 2'],
  ] as const) {
    const expr = parseExpr(text, features);
    assert.equal(expr.kind, 'binary', text);
    assert.equal(printExpr(expr), printed);
  }
  for (const text of ['a offset (1m) + 2', 'a offset --1m + 2', 'a offset (1m + 2m) ^ 2']) {
    assert.equal(parseExpr(text, features).kind, 'vector', text);
  }
  assert.equal(parseExpr('a offset 0s offset 5m').kind, 'vector');
  assert.equal(parseExpr('{"a", __name__="b"}').kind, 'vector');
});
