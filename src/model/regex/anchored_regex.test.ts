import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadRegexError } from '../errors.ts';
import { AnchoredRegex } from './anchored_regex.ts';
import { shapeOf } from './shape.ts';

const compile = (pattern: string): AnchoredRegex => AnchoredRegex.compile(pattern);

test('a pattern must match the whole text, alternatives included', () => {
  assert.equal(compile('foo|bar').test('foobar'), false);
  assert.equal(compile('a|ab').test('ab'), true);
  assert.equal(compile('b').test('abc'), false);
  assert.equal(compile('').test(''), true);
  assert.equal(compile('').test('x'), false);
});

test('the dot matches a newline, and classes work in full', () => {
  assert.equal(compile('a.c').test('a\nc'), true);
  assert.equal(compile('.*').test('a\nb'), true);
  assert.equal(compile('[[:alpha:]]+\\d{2}').test('ab12'), true);
  assert.equal(compile('(?i)foo').test('FOO'), true);
  assert.equal(compile('\\pL+').test('größe'), true);
});

test('a pattern that RE2 refuses is refused, with the reason and without what we add to it', () => {
  const refused = [
    '(',
    'a)(b',
    '[a',
    'a{1001}',
    '(a{1000}){1000}',
    'a**',
    '(?=a)',
    '(?<!a)b',
    '\\1',
    '*',
    'a{2,1}',
  ];
  for (const pattern of refused) assert.throws(() => compile(pattern), BadRegexError, pattern);
  assert.throws(() => compile('a)(b'), {
    message: 'error parsing regexp: unexpected ): `a)(b`',
    code: 'bad_regex',
  });
});

test('a pattern that makes backtracking engines explode stays linear', () => {
  const text = `${'a'.repeat(20_000)}!`;
  const startedMs = performance.now();
  for (const pattern of ['(a+)+', '(a|aa)+', '(.*a){12}b', '([a-z]+)*', '.*.*.*.*.*x', '(x+x+)+y']) {
    assert.equal(compile(pattern).test(text), false, pattern);
  }
  assert.ok(performance.now() - startedMs < 3000);
});

test('reading a large or deep pattern ends soon, whatever it looks like', () => {
  const hostile = [
    '(a|b)'.repeat(500),
    `${'(a|b)'.repeat(12)}${'\\.'.repeat(5000)}`,
    'x'.repeat(100_000),
    '.*'.repeat(2000),
  ];
  const startedMs = performance.now();
  for (const pattern of hostile) shapeOf(pattern);
  shapeOf(`${'('.repeat(100_000)}a${')'.repeat(100_000)}`);
  assert.ok(performance.now() - startedMs < 1000);
});

test('the finite set of matching texts is known for literals, alternatives and optional parts', () => {
  assert.deepEqual(compile('foo').setMatches, ['foo']);
  assert.deepEqual(compile('foo|bar\\.baz').setMatches, ['foo', 'bar.baz']);
  assert.deepEqual(compile('api-(a|b)(:80)?').setMatches, ['api-a:80', 'api-a', 'api-b:80', 'api-b']);
  assert.deepEqual(compile('^foo$').setMatches, ['foo']);
  assert.deepEqual(compile('').setMatches, ['']);
  for (const pattern of ['foo.*', '.+', '[ab]', '(?i)foo', 'a+', 'a{2}', '(?P<x>a)', 'a\\b', '\\d']) {
    assert.equal(compile(pattern).setMatches, undefined, pattern);
  }
});

test('simple patterns never need the engine', () => {
  for (const pattern of [
    '.*',
    '.+',
    'a.*',
    '.*a',
    '.+a',
    '.*a.*',
    'a.*b',
    'a.+b.*c',
    '(a|b).*',
    'a|b.*',
    '.*?a',
    '^(?:a|b)$',
  ]) {
    assert.notEqual(shapeOf(pattern), undefined, pattern);
  }
});

const letter = fc.constantFrom('a', 'b', 'é', '😀', '\n', '-');
const text = fc.array(letter, { maxLength: 6 }).map((chars) => chars.join(''));
const understood = ['a', 'b', 'é', '😀', '-', '\\.', '.*', '.+', '.*?', 'a?', '\n', 'ab'];
const notUnderstood = ['.', 'b+', '[ab]', '^', '$', 'a{2}'];

function patternsOf(atoms: readonly string[]): fc.Arbitrary<string> {
  const { pattern } = fc.letrec<{ pattern: string; atom: string }>((tie) => ({
    pattern: fc
      .array(fc.array(tie('atom'), { maxLength: 4 }), { minLength: 1, maxLength: 3 })
      .map((alternatives) => alternatives.map((parts) => parts.join('')).join('|')),
    atom: fc.oneof(
      { maxDepth: 3 },
      { weight: 8, arbitrary: fc.constantFrom(...atoms) },
      { weight: 1, arbitrary: tie('pattern').map((inside) => `(${inside})`) },
      { weight: 1, arbitrary: tie('pattern').map((inside) => `(?:${inside})?`) },
    ),
  }));
  return pattern;
}

function assertAgreement(pattern: string, texts: readonly string[]): void {
  const regex = compile(pattern);
  const backtracking = new RegExp(`^(?:${pattern})$`, 'su');
  for (const candidate of [...texts, ...(regex.setMatches ?? []).slice(0, 20)]) {
    const shown = `${pattern} on ${JSON.stringify(candidate)}`;
    assert.equal(regex.test(candidate), regex.testByEngine(candidate), shown);
    assert.equal(regex.test(candidate), backtracking.test(candidate), shown);
  }
}

const texts = fc.array(text, { minLength: 1, maxLength: 8 });

test('property: every fast path agrees with the engine, and with another engine', () => {
  let fast = 0;
  let matched = 0;
  fc.assert(
    fc.property(patternsOf(understood), texts, (pattern, candidates) => {
      if (shapeOf(pattern) !== undefined) fast++;
      if (candidates.some((candidate) => compile(pattern).test(candidate))) matched++;
      assertAgreement(pattern, candidates);
    }),
    { numRuns: 1500 },
  );
  assert.ok(fast > 1000 && matched > 300, `${fast} patterns took a fast path, ${matched} matched something`);
});

test('property: patterns that mix what is understood with what is not agree too', () => {
  fc.assert(fc.property(patternsOf([...understood, ...notUnderstood]), texts, assertAgreement), {
    numRuns: 500,
  });
});

test('property: any text at all is either compiled or refused with a coded error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.string(), (pattern, candidate) => {
      try {
        const regex = compile(pattern);
        assert.equal(regex.test(candidate), regex.testByEngine(candidate));
      } catch (error) {
        assert.ok(error instanceof BadRegexError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('expansion follows Go: numbers, names, braces, doubled dollars', () => {
  const regex = compile('(?P<host>[^:]+):(\\d+)(x)?');
  const expand = (template: string): string | undefined => regex.expand('db:9100', template);
  const braced = (name: string): string => ['$', '{', name, '}'].join('');
  assert.equal(expand('$1-$2'), 'db-9100');
  assert.equal(expand(`${braced('host')}_$host`), 'db_db');
  assert.equal(expand('$1x'), '', 'the longest name is taken, and there is no group 1x');
  assert.equal(expand(`${braced('1')}x`), 'dbx');
  assert.equal(expand('$0'), 'db:9100');
  assert.equal(expand('$3|$9|$nobody'), '||');
  assert.equal(expand('$$1 $ ${ $-'), '$1 $ ${ $-');
  assert.equal(expand('plain'), 'plain');
  assert.equal(regex.expand('nothing', '$1'), undefined);
  assert.equal(compile('(.*)').expand('a\nb', '$1'), 'a\nb');
});
