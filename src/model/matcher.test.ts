import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadRegexError } from './errors.ts';
import { Labels } from './labels.ts';
import { Matcher, MatchType, matchesAll } from './matcher.ts';

const { Equal, NotEqual, Regexp, NotRegexp } = MatchType;

test('the four kinds match whole values', () => {
  assert.equal(Matcher.create(Equal, 'a', 'x').matches('x'), true);
  assert.equal(Matcher.create(NotEqual, 'a', 'x').matches('x'), false);
  assert.equal(Matcher.create(Regexp, 'a', 'x|y').matches('xy'), false);
  assert.equal(Matcher.create(NotRegexp, 'a', 'x.*').matches('abc'), true);
});

test('an absent label counts as the empty value', () => {
  const labels = Labels.fromRecord({ job: 'db' });
  assert.equal(
    matchesAll([Matcher.create(Equal, 'zone', ''), Matcher.create(Regexp, 'zone', '.*')], labels),
    true,
  );
  assert.equal(
    matchesAll([Matcher.create(Equal, 'job', 'db'), Matcher.create(Regexp, 'zone', '.+')], labels),
    false,
  );
  assert.equal(matchesAll([], labels), true);
});

test('the finite set of values is given for equality and for plain alternatives', () => {
  assert.deepEqual(Matcher.create(Equal, 'a', 'x|y').setMatches, ['x|y']);
  assert.deepEqual(Matcher.create(Regexp, 'a', 'x|y').setMatches, ['x', 'y']);
  for (const type of [NotEqual, NotRegexp])
    assert.equal(Matcher.create(type, 'a', 'x|y').setMatches, undefined);
});

test('a bad pattern is refused, the same text as a literal is not', () => {
  assert.throws(() => Matcher.create(Regexp, 'a', '('), BadRegexError);
  assert.equal(Matcher.create(Equal, 'a', '(').matches('('), true);
});

test('a matcher is shown as it is written', () => {
  assert.equal(Matcher.create(NotRegexp, 'a', 'x"\n').toString(), 'a!~"x\\"\\n"');
  assert.equal(Matcher.create(Equal, 'a.b', 'é').toString(), '"a.b"="é"');
});

test('property: the negative kinds are the opposite of the positive ones', () => {
  const pattern = fc.constantFrom('a', 'a|b', 'a.*', '.*', '.+', '', '[ab]+');
  fc.assert(
    fc.property(pattern, fc.constantFrom('', 'a', 'b', 'ab', 'c'), (value, candidate) => {
      const is = (type: MatchType): boolean => Matcher.create(type, 'x', value).matches(candidate);
      assert.notEqual(is(Equal), is(NotEqual));
      assert.notEqual(is(Regexp), is(NotRegexp));
    }),
  );
});
