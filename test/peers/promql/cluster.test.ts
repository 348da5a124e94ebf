/** The same queries to a cluster: what its nodes compute in parts is, at each of them, what one engine says of all data. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePorts, skipWithoutPeers, startCluster, startReal, testDirectory } from '../programs.ts';
import { compareRandom } from './compare_random.ts';
import { clusterFlags, emptyReceiver } from './receiver.ts';

const queries = 500;

test('every node of a cluster answers random queries as one engine over all data, and as a real Prometheus', {
  skip: skipWithoutPeers,
  timeout: 300_000,
}, async (context) => {
  const directory = testDirectory(context);
  const [port = 0] = await freePorts(1);
  const real = await startReal(context, 'prometheus', port, emptyReceiver(directory));
  const config = join(directory, 'cluster.yml');
  writeFileSync(config, 'global: {}\n');
  const nodes = await startCluster(context, 3, config, clusterFlags());
  const urls = nodes.map(({ url }) => url);
  const { differences, valid } = await compareRandom(real.url, { seed: 20_261, queries, nodes: urls });
  assert.deepEqual(differences, []);
  assert.ok(valid > queries / 2, `${valid} queries are valid`);
});
