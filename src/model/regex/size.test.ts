import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadRegexError } from '../errors.ts';
import { AnchoredRegex } from './anchored_regex.ts';
import { expandedSize } from './size.ts';

test('repetitions count as often as they are written out, nested ones multiply', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['a{10}', 10],
    ['ab{2,5}', 6],
    ['(ab){10}', 30],
    ['((a{10}){10}){5}', 555],
    ['[a{9}]b', 2],
    ['[]a{9}]', 1],
    ['\\{9}', 3],
    ['\\x{1000}\\p{Greek}', 2],
    ['a{9', 3],
    ['(ab[[:alpha:](]){10}', 40],
    ['(ab\\Q(\\E){10}', 80],
    ['a\\Q(', 4],
    ['a*b+?', 2],
  ];
  for (const [pattern, size] of cases) assert.equal(expandedSize(pattern), size, pattern);
});

test('a pattern that would take hundreds of megabytes is refused', () => {
  for (const pattern of ['a{1000}'.repeat(500), '((a{100}){10}b{100}){999}', '(?i)(x?){1000}'.repeat(100)]) {
    assert.throws(() => AnchoredRegex.compile(pattern), {
      code: 'bad_regex',
      message: /expression too large/,
    });
  }
  assert.throws(() => AnchoredRegex.compile('a'.repeat(1_100_000)), BadRegexError);
});

test('the estimate takes one pass over hostile text', () => {
  const startedMs = performance.now();
  for (const piece of ['[:', '\\p{', '(', '[', '{1,', 'a{9}', '[[:alpha:]', '\\Q', '\\Qa\\E'])
    expandedSize(piece.repeat(100_000));
  assert.ok(performance.now() - startedMs < 3000);
});

test('long lists of alternatives are not', () => {
  const hosts = Array.from({ length: 20_000 }, (_, i) => `host-${i}`);
  assert.equal(AnchoredRegex.compile(hosts.join('|')).test('host-19999'), true);
});

test('property: any text has a size, and one without repetition is no larger than it is long', () => {
  const near = fc.array(
    fc.constantFrom('a', '(', ')', '[', ']', '{', '}', '2', ',', '\\', '{3}', '{2,4}', '|'),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        near.map((parts) => parts.join('')),
      ),
      (pattern) => {
        const size = expandedSize(pattern);
        assert.ok(Number.isFinite(size) && size >= 0);
        if (!/\{\d/.test(pattern)) assert.ok(size <= pattern.length * 2);
      },
    ),
  );
});
