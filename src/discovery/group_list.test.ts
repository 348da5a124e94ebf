import assert from 'node:assert/strict';
import test from 'node:test';
import { BadTargetsError } from './errors.ts';
import { parseGroupList } from './group_list.ts';

test('a key that is given twice is refused at its line', () => {
  for (const [text, line] of [
    ['- targets: [a]\n  labels: {x: 1}\n  targets: [b]\n', 3],
    ['- targets: [a]\n  labels:\n    x: 1\n    y: 1\n    "x": 2\n', 5],
  ] as const) {
    assert.throws(
      () => parseGroupList(text, 'yaml'),
      (error) => error instanceof BadTargetsError && error.message.includes(`line ${line}: key`),
    );
  }
});

test('a broken text and one that nests without end are refused', () => {
  const aliases = `- &a [x]\n${Array.from({ length: 9 }, (_, i) => `- &${'b'.repeat(i + 1)} [${`*${i === 0 ? 'a' : 'b'.repeat(i)}, `.repeat(9)}]`).join('\n')}`;
  for (const text of ['- targets: [a', '- '.repeat(100_000), '['.repeat(100_000), aliases]) {
    assert.throws(() => parseGroupList(text, 'yaml'), BadTargetsError);
  }
});

test('the time for many labels grows with their number, not its square', () => {
  const labels = Array.from({ length: 50_000 }, (_, i) => `    k${i}: v`).join('\n');
  const startMs = performance.now();
  const [group] = parseGroupList(`- targets: [a]\n  labels:\n${labels}\n`, 'yaml');
  assert.equal(Object.keys(group?.labels ?? {}).length, 50_000);
  // With a comparison of every two it was half a minute.
  assert.ok(performance.now() - startMs < 5_000);
});
