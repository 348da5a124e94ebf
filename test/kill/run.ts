/**
 * `npm run test:kill -- [--rounds N] [--engine level|rocksdb|all] [--seed N]`: the kill test in its long form, N rounds for
 * each engine.
 */
import { parseArgs } from 'node:util';
import { errorText, seededRandom } from '../../src/base/index.ts';
import { assertEngineLoads, type EngineName, engineNames } from '../../src/tsdb/index.ts';
import { killRounds } from './rounds.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    engine: { type: 'string', default: 'all' },
    seed: { type: 'string', default: '1' },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const engines = engineNames.filter((name) => values.engine === 'all' || name === values.engine);
const rounds = Number(values.rounds);
const seed = Number(values.seed);

async function killEngine(engine: EngineName): Promise<void> {
  try {
    await assertEngineLoads(engine);
  } catch (error) {
    print(`${engine}: NOT CHECKED: ${errorText(error)}`);
    return;
  }
  const report = (round: number, samples: number): void => {
    if (round % 10 === 0) print(`${engine}: ${round} rounds, ${samples} samples acknowledged, none missing`);
  };
  const result = await killRounds({ rounds, engine, random: seededRandom(seed), report });
  print(JSON.stringify({ engine, rounds, seed, ...result }));
}

if (engines.length === 0 || !Number.isSafeInteger(rounds) || !Number.isSafeInteger(seed)) {
  process.stderr.write(
    `usage: node test/kill/run.ts --rounds N --engine ${engineNames.join('|')}|all --seed N\n`,
  );
  process.exitCode = 2;
} else for (const engine of engines) await killEngine(engine);
