import assert from 'node:assert/strict';
import test from 'node:test';
import { ParseError, QueryError } from '../errors.ts';
import { parseSelector } from './selector.ts';

const shown = (text: string): string =>
  parseSelector(text)
    .map((matcher) => matcher.toString())
    .join(',');

test('a selector is a name, matchers in braces, or both', () => {
  for (const [text, expected] of [
    ['up', '__name__="up"'],
    [' up # comment', '__name__="up"'],
    ['up{}', '__name__="up"'],
    ['{"foo bar", job!="a"}', '__name__="foo bar",job!="a"'],
    ['up{job=~"a|}",# }\n\'x y\'="b"}', 'job=~"a|}","x y"="b",__name__="up"'],
    ['up{__name__="x"}', '__name__="x",__name__="up"'],
  ] as const) {
    assert.equal(shown(text), expected, text);
  }
  for (const name of ['sum', 'by', 'offset', 'start', 'min_of', 'and', 'unless', 'fill', 'a:b', 'up:5m']) {
    assert.equal(shown(name), `__name__="${name}"`);
    assert.equal(shown(`${name}{job="a"}`), `job="a",__name__="${name}"`);
  }
});

test('anything else is refused as Prometheus refuses it', () => {
  for (const [text, reason] of [
    ['up offset 5m', '1:4: parse error: unexpected <offset>'],
    ['(up)', '1:1: parse error: unexpected "("'],
    ['(up) &', '1:1: parse error: unexpected "("'],
    ['up[5m]', '1:3: parse error: unexpected "["'],
    ['up{a="b"}[5m]', '1:10: parse error: unexpected "["'],
    ['sum(up)', '1:4: parse error: unexpected "("'],
    ['time()', '1:5: parse error: unexpected "("'],
    ['up + up', '1:4: parse error: unexpected <op:+>'],
    ['up\n{job="a"} up', '2:11: parse error: unexpected identifier "up"'],
    ['-up', '1:1: parse error: unexpected <op:->'],
    ['1', '1:1: parse error: unexpected number "1"'],
    ['5m{}', '1:1: parse error: unexpected duration "5m"'],
    ['  ', '1:3: parse error: unexpected end of input'],
    ['bool', '1:1: parse error: unexpected <bool>'],
    ['up by (a)', '1:4: parse error: unexpected <by>'],
    ['up{', '1:4: parse error: unexpected end of input inside braces'],
    ['up}', "1:3: parse error: unexpected character: '}'"],
    ['up]', "1:3: parse error: unexpected right bracket ']'"],
    ['up)', "1:4: parse error: unexpected right parenthesis ')'"],
    ['up{job}', '1:7: parse error: unexpected "}" in label matching, expected label matching operator'],
    ['up{a="b"}{c="d"}', '1:10: parse error: unexpected "{"'],
    ['up é', "1:4: parse error: unexpected character: 'é'"],
  ] as const) {
    assert.throws(
      () => parseSelector(text),
      (error) => error instanceof ParseError && error.message === reason,
      `${text}: ${reason}`,
    );
  }
});

test('a selector that every series may match is refused, unless that is asked for', () => {
  for (const text of ['{}', '{job=~".*"}', '{job="",instance!="x"}']) {
    assert.throws(
      () => parseSelector(text),
      (error) =>
        error instanceof QueryError &&
        error.errorType === 'bad_data' &&
        error.message === 'match[] must contain at least one non-empty matcher',
    );
    parseSelector(text, { emptyAllowed: true });
  }
  assert.equal(parseSelector('{job=~".*",instance=~".+"}').length, 2);
});
