/**
 * `node test/peers/promql/run.ts [--queries N] [--seed N] [--late-names]`: random queries to the real Prometheus of TORCHRING_PEERS_DIR and to
 * our engine, in their long form.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startProcess } from '../../../bench/peers/process.ts';
import { freePorts } from '../../../src/base/testing/peer.ts';
import { compareRandom } from './compare_random.ts';
import { emptyReceiver } from './receiver.ts';

const { values } = parseArgs({
  options: {
    queries: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    'late-names': { type: 'boolean', default: false },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const delayedNameRemoval = values['late-names'];
const directory = mkdtempSync(join(tmpdir(), 'torchring-peers-'));
const [port = 0] = await freePorts(1);
const real = await startProcess({
  program: 'prometheus',
  flags: [
    `--web.listen-address=127.0.0.1:${port}`,
    ...emptyReceiver(directory, delayedNameRemoval ? ['promql-delayed-name-removal'] : []),
  ],
  port,
  readyPath: '/-/ready',
  logFile: join(directory, 'log'),
});
try {
  const options = { seed: Number(values.seed), queries: Number(values.queries), delayedNameRemoval };
  const { differences, ...result } = await compareRandom(real.url, {
    ...options,
    report: (asked) => print(`${asked} queries`),
  });
  for (const { query, request, what } of differences) print(`${query}\n  ${request}\n  ${what}`);
  print(JSON.stringify({ ...options, ...result, differences: differences.length }));
  if (differences.length > 0) process.exitCode = 1;
} finally {
  await real.stop();
  rmSync(directory, { recursive: true, force: true });
}
