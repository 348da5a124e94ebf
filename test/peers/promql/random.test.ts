/**
 * A part of `node test/peers/promql/run.ts`: random queries of the whole language, answered by our engine as by the real
 * Prometheus.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePorts, skipWithoutPeers, startReal, testDirectory } from '../programs.ts';
import { compareRandom } from './compare_random.ts';
import { emptyReceiver } from './receiver.ts';

const queries = 2000;

test('random queries of the whole language are answered as a real Prometheus answers them', {
  skip: skipWithoutPeers,
  timeout: 120_000,
}, async (context) => {
  const directory = testDirectory(context);
  const [port = 0] = await freePorts(1);
  const real = await startReal(context, 'prometheus', port, emptyReceiver(directory));
  const { differences, valid } = await compareRandom(real.url, { seed: 20_260, queries });
  assert.deepEqual(differences, []);
  assert.ok(valid > queries / 2, `${valid} queries are valid`);
});
