/** `npm run test:kill -- [--rounds N] [--engine level|rocksdb] [--seed N]`: the kill test in its long form. */
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/base/index.ts';
import { type EngineName, engineNames } from '../../src/tsdb/index.ts';
import { killRounds } from './rounds.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    engine: { type: 'string', default: 'level' },
    seed: { type: 'string', default: '1' },
  },
});
const engine = engineNames.find((name): name is EngineName => name === values.engine);
const rounds = Number(values.rounds);
const seed = Number(values.seed);
if (engine === undefined || !Number.isSafeInteger(rounds) || !Number.isSafeInteger(seed)) {
  process.stderr.write(
    `usage: node test/kill/run.ts --rounds N --engine ${engineNames.join('|')} --seed N\n`,
  );
  process.exitCode = 2;
} else {
  const report = (round: number, samples: number): void => {
    if (round % 10 === 0)
      process.stdout.write(`${round} rounds, ${samples} samples acknowledged, none missing\n`);
  };
  const result = await killRounds({ rounds, engine, random: seededRandom(seed), report });
  process.stdout.write(`${JSON.stringify({ engine, rounds, seed, ...result })}\n`);
}
