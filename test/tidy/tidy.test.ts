import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkArrows,
  checkBannedCalls,
  checkCycles,
  checkDeadFiles,
  checkHeavyImports,
  checkIndexes,
  checkLengths,
} from './rules.ts';
import { parseSource } from './source.ts';

const messages = (findings: readonly { message: string }[]): string[] =>
  findings.map((finding) => finding.message);

test('an import against the arrows is found', () => {
  const file = parseSource(
    'src/base/x.ts',
    `import { Labels } from '../model/index.ts';\nexport const a = Labels;\n`,
  );
  assert.match(messages(checkArrows([file]))[0] ?? '', /src\/base may not import src\/model/);
});

test('an import along the arrows, through the index, is fine', () => {
  const file = parseSource(
    'src/tsdb/x.ts',
    `import { Labels } from '../model/index.ts';\nexport const a = Labels;\n`,
  );
  assert.deepEqual(checkArrows([file]), []);
});

test("reaching past another room's index is found, and so is importing one's own", () => {
  const past = parseSource(
    'src/tsdb/x.ts',
    `import { Labels } from '../model/labels.ts';\nexport const a = Labels;\n`,
  );
  assert.match(messages(checkArrows([past]))[0] ?? '', /reaches into src\/model/);
  const own = parseSource(
    'src/model/x.ts',
    `import { Labels } from './index.ts';\nexport const a = Labels;\n`,
  );
  assert.match(messages(checkArrows([own]))[0] ?? '', /own room's index/);
});

test('an import cycle is found, a cycle of types is not one', () => {
  const a = parseSource('src/model/a.ts', `import { b } from './b.ts';\nexport const a = b;\n`);
  const b = parseSource('src/model/b.ts', `import { a } from './a.ts';\nexport const b = a;\n`);
  assert.equal(checkCycles([a, b]).length, 1);
  const typed = parseSource(
    'src/model/b.ts',
    `import type { a } from './a.ts';\nexport const b: typeof a = 1;\n`,
  );
  assert.deepEqual(checkCycles([a, typed]), []);
});

test("an import of Node's HTTP modules is found, one of their types is fine", () => {
  const file = (text: string) => parseSource('src/api/x.ts', `${text}\nexport const a = 1;\n`);
  const value = file(`import { STATUS_CODES } from 'node:http';`);
  assert.match(messages(checkHeavyImports([value]))[0] ?? '', /process.getBuiltinModule\('node:http'\)/);
  assert.deepEqual(checkHeavyImports([file(`import type { Server } from 'node:http';`)]), []);
});

test('a clock, a timer and chance of its own are found', () => {
  const text = 'export const x = () => [Date.now(), Math.random(), setTimeout(() => {}, 1), new Date()];\n';
  assert.equal(checkBannedCalls([parseSource('src/cluster/raft/x.ts', text)]).length, 4);
  assert.deepEqual(checkBannedCalls([parseSource('src/base/x.ts', text)]), []);
});

test('I/O in a pure folder is found', () => {
  const file = parseSource(
    'src/cluster/gossip/x.ts',
    `import { readFileSync } from 'node:fs';\nexport const r = readFileSync;\n`,
  );
  assert.match(messages(checkBannedCalls([file]))[0] ?? '', /pure folder/);
});

test('a long function is found unless the ratchet knows it, and a stale ratchet entry is found', () => {
  const body = 'x();\n'.repeat(80);
  const file = parseSource('src/model/x.ts', `export function long(x: () => void): void {\n${body}}\n`);
  assert.equal(checkLengths([file], {}).length, 1);
  assert.deepEqual(checkLengths([file], { 'src/model/x.ts#long': 82 }), []);
  assert.match(messages(checkLengths([], { 'src/model/x.ts#long': 82 }))[0] ?? '', /take it out/);
});

test('code in an index.ts and a file that nothing imports are found', () => {
  const index = parseSource('src/model/index.ts', 'export const a = 1;\n');
  assert.equal(checkIndexes([index]).length, 1);
  assert.equal(checkDeadFiles([parseSource('src/model/x.ts', 'export const a = 1;\n')], []).length, 1);
});
