/**
 * npm run test:simulation -- [--seeds N] [--first K] [--seed S] [--minutes M] [--storage N] [--storage-seed S]
 * [--storage-path P]: runs clusters from seeds K, K+1, ..., then N histories of a shard, and ends with
 * `N passed, M failed`. --seed runs one cluster alone and prints its trace; --storage-path one history alone.
 */
import { parseArgs } from 'node:util';
import { drawOptions } from './options.ts';
import { simulate } from './simulate.ts';
import { simulateStorage, type Tally } from './storage.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    storage: { type: 'string', default: '2000' },
    'storage-seed': { type: 'string', default: '1' },
    'storage-path': { type: 'string' },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const storagePath = values['storage-path'];
const one = values.seed !== undefined;
const first = Number(values.seed ?? values.first);
const safetyMs = values.minutes === undefined ? undefined : Number(values.minutes) * 60_000;

function simulateClusters(count: number): Tally {
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) if (!simulateCluster(seed)) failed++;
  return { passed: count - failed, failed };
}

function simulateCluster(seed: number): boolean {
  const options = drawOptions(seed, safetyMs);
  const result = simulate(options);
  if (result.violation === undefined && !one) return true;
  print(JSON.stringify(options));
  for (const line of one ? result.trace : result.trace.slice(-30)) print(`  ${line}`);
  if (result.violation === undefined) {
    print(
      `  converged ${result.convergedAfterMs} ms after repair, ${result.acknowledged} proposals acknowledged`,
    );
    return true;
  }
  const minutes = values.minutes === undefined ? '' : ` --minutes ${values.minutes}`;
  print(`  seed ${seed}: ${result.violation}`);
  print(`  again: npm run test:simulation -- --seed ${seed}${minutes}`);
  return false;
}

const none: Tally = { passed: 0, failed: 0 };
const clusters = storagePath === undefined ? simulateClusters(one ? 1 : Number(values.seeds)) : none;
if (storagePath === undefined) print(`clusters: ${clusters.passed} passed, ${clusters.failed} failed`);
const firstSeed = Number(values['storage-seed']);
const storage = one
  ? none
  : await simulateStorage({ runs: Number(values.storage), firstSeed, path: storagePath, print });
if (!one) print(`storage: ${storage.passed} passed, ${storage.failed} failed`);
print(`${clusters.passed + storage.passed} passed, ${clusters.failed + storage.failed} failed`);
process.exitCode = clusters.failed + storage.failed === 0 ? 0 : 1;
