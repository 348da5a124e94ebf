import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawOptions } from './options.ts';
import { simulate } from './simulate.ts';

const seeds = 40;

test(`${seeds} seeded clusters keep every promise through faults and converge once repaired`, () => {
  let acknowledged = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const options = drawOptions(seed);
    const result = simulate(options);
    acknowledged += result.acknowledged;
    assert.equal(
      result.violation,
      undefined,
      `${JSON.stringify(options)}\n${result.trace.slice(-40).join('\n')}\nagain: npm run test:simulation -- --seed ${seed}`,
    );
  }
  assert.ok(
    acknowledged > 10 * seeds,
    `only ${acknowledged} proposals were acknowledged: the runs prove little`,
  );
});

test('a seed replays exactly', () => {
  const [first, second] = [simulate(drawOptions(7)), simulate(drawOptions(7))];
  assert.deepEqual(second, first);
});

test('the canary: disks that forget terms and votes are caught', () => {
  const caught = Array.from({ length: 10 }, (_, i) => simulate(drawOptions(i + 1), { forgetful: true }));
  assert.ok(caught.some(({ violation }) => violation !== undefined));
});
