/**
 * `node test/peers/promql/run.ts [--queries N] [--seed N] [--late-names] [--nodes N]`: random queries to the real
 * Prometheus of TORCHRING_PEERS_DIR and to our engine, in their long form; with nodes also to each node of a cluster of so many.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startProcess } from '../../../bench/peers/process.ts';
import { freePorts } from '../../../src/base/testing/peer.ts';
import { startCluster } from '../programs.ts';
import { compareRandom } from './compare_random.ts';
import { clusterFlags, emptyReceiver } from './receiver.ts';

const { values } = parseArgs({
  options: {
    queries: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    'late-names': { type: 'boolean', default: false },
    nodes: { type: 'string', default: '0' },
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
const cleanups: (() => unknown)[] = [];

/** URLs of the cluster's nodes; none without a cluster. */
async function startNodes(): Promise<string[]> {
  const count = Number(values.nodes);
  if (count === 0) return [];
  const config = join(directory, 'cluster.yml');
  writeFileSync(config, 'global: {}\n');
  const context = { after: (cleanup: () => unknown): void => void cleanups.push(cleanup) };
  const flags = clusterFlags(delayedNameRemoval ? ['promql-delayed-name-removal'] : []);
  const nodes = await startCluster(context, count, config, flags);
  return nodes.map(({ url }) => url);
}

try {
  const options = { seed: Number(values.seed), queries: Number(values.queries), delayedNameRemoval };
  const { differences, ...result } = await compareRandom(real.url, {
    ...options,
    nodes: await startNodes(),
    report: (asked) => print(`${asked} queries`),
  });
  for (const { query, request, what } of differences) print(`${query}\n  ${request}\n  ${what}`);
  print(JSON.stringify({ ...options, ...result, differences: differences.length }));
  if (differences.length > 0) process.exitCode = 1;
} finally {
  await real.stop();
  for (const cleanup of cleanups.toReversed()) await cleanup();
  rmSync(directory, { recursive: true, force: true });
}
