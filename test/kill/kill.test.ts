/** The kill test in its short form; `npm run test:kill` is the long one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorText, seededRandom } from '../../src/base/index.ts';
import { assertEngineLoads, engineNames } from '../../src/tsdb/index.ts';
import { killRounds } from './rounds.ts';

const rounds = 5;

for (const engine of engineNames) {
  const missing = await assertEngineLoads(engine).then(
    () => false as const,
    (error: unknown) => `NOT CHECKED: ${errorText(error)}`,
  );
  test(`${engine}: what was acknowledged survives SIGKILL at any moment`, { skip: missing }, async () => {
    const { killedWhileWriting, windowsSeen } = await killRounds({ rounds, engine, random: seededRandom(7) });
    assert.ok(killedWhileWriting >= 2, `only ${killedWhileWriting} of ${rounds} kills hit a writer`);
    assert.ok(windowsSeen > 0, 'windows were sealed under way');
  });
}
