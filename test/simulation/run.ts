/**
 * npm run test:simulation -- [--seeds N] [--first K] [--seed S] [--minutes M]: runs seeds K, K+1, ... and
 * ends with `N passed, M failed`. --seed runs one and prints its trace.
 */
import { parseArgs } from 'node:util';
import { drawOptions } from './options.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const one = values.seed !== undefined;
const first = Number(values.seed ?? values.first);
const count = one ? 1 : Number(values.seeds);
const safetyMs = values.minutes === undefined ? undefined : Number(values.minutes) * 60_000;

let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const options = drawOptions(seed, safetyMs);
  const result = simulate(options);
  if (result.violation !== undefined) failed++;
  if (result.violation === undefined && !one) continue;
  print(JSON.stringify(options));
  for (const line of one ? result.trace : result.trace.slice(-30)) print(`  ${line}`);
  if (result.violation === undefined) {
    print(
      `  converged ${result.convergedAfterMs} ms after repair, ${result.acknowledged} proposals acknowledged`,
    );
  } else {
    print(`  seed ${seed}: ${result.violation}`);
    print(
      `  again: npm run test:simulation -- --seed ${seed}${values.minutes === undefined ? '' : ` --minutes ${values.minutes}`}`,
    );
  }
}
print(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
