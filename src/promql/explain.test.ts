import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../base/index.ts';
import { Labels } from '../model/index.ts';
import { distribute } from './distribute/distribute.ts';
import { Engine } from './engine.ts';
import { QueryProfile } from './eval/profile.ts';
import { explain } from './explain.ts';
import { GivenStorage } from './testing/storage.ts';

const limits = { samplesMax: 1000, timeoutMs: 60_000, lookbackMs: 300_000 };
const range = { startMs: 0, endMs: 120_000, stepMs: 60_000, instant: false };
const engine = new Engine({ limits, clock: systemClock });

test('a plan shows operators below each other and what is pushed down', () => {
  const text = 'sum by (l) (rate(a[5m])) / (topk(1, b) + sum(scalar(a) * b))';
  const plan = explain(
    distribute(engine.parse(text), () => true, range),
    text,
  );
  const lines = plan.split('\n');
  assert.equal(lines[0], `binary ${text}`);
  assert.equal(lines[1], '  aggregate sum by (l) (rate(a[5m]))  [pushed down]');
  assert.match(lines[2] ?? '', /^ {4}call rate\(a\[5m\]\)/);
  assert.ok(
    lines.some((line) => /^ {4}aggregate topk\(1, b\)/.test(line)),
    plan,
  );
  const stays = lines.find((line) => line.includes('aggregate sum(scalar(a) * b)'));
  assert.match(stays ?? '', /\[not pushed down: .*\]$/);
});

test('after a run a plan tells series, samples and time of each operator', async () => {
  const one = (name: string) => ({
    labels: Labels.fromRecord({ __name__: 'a', name }),
    timestamps: Float64Array.of(0, 60_000, 120_000),
    values: Float64Array.of(1, 2, 3),
  });
  const storage = new GivenStorage([one('x'), one('y')]);
  const expr = engine.parse('sum(abs(a)) + 1');
  const profile = new QueryProfile(systemClock);
  await engine.evaluate(expr, range, { storage }, new AbortController().signal, { profile });
  const lines = explain({ expr, notPushed: [] }, 'sum(abs(a)) + 1', profile).split('\n');
  const seen = lines.map((line) =>
    /(\w+) .* {2}series=(\d+) samples=(\d+) ms=[\d.]+ \([\d.]+\)$/.exec(line)?.slice(1),
  );
  assert.deepEqual(seen, [
    ['binary', '1', '3'],
    ['aggregate', '1', '3'],
    ['call', '2', '6'],
    ['vector', '2', '6'],
    ['number', '0', '3'],
  ]);
});

test('a plan that is very deep is cut', () => {
  const text = `${'sort('.repeat(300)}a${')'.repeat(300)}`;
  const lines = explain(
    distribute(engine.parse(text), () => true, range),
    text,
  ).split('\n');
  assert.equal(lines.length, 102);
  assert.match(lines.at(-1) ?? '', /\.\.\.$/);
});
