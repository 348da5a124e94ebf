/**
 * A real Prometheus sends floats, exemplars and native histograms to one node of a cluster. That node and then another
 * one are killed and come back; in the end each node has every float sample that the sender has, and no other.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../scenario/api.ts';
import { api, type LabelRecord, labelText } from './compare.ts';
import { freePorts, skipWithoutPeers, startCluster, startReal, testDirectory } from './programs.ts';
import { missing, ownMetric, passSeconds, samplesOf, untilSent } from './remote_write.ts';

const testTimeoutMs = 240_000;
/** Samples go on coming in while a node is dead; the first is shorter than detection takes, the second longer. */
const shortOutageMs = 2_000;
const longOutageMs = 15_000;

test('what a real Prometheus has sent is at every node, through the death of two of them', {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const directory = testDirectory(context);
  const nothing = join(directory, 'nothing.yml');
  writeFileSync(nothing, 'global: {}\n');
  const nodes = await startCluster(context, 3, nothing);
  const [receiving, other] = nodes;
  assert.ok(receiving && other);
  const [realPort, exporterPort] = (await freePorts(2)) as [number, number];
  await startReal(context, 'node_exporter', exporterPort, [], '/');
  const config = join(directory, 'prometheus.yml');
  writeFileSync(
    config,
    `global: {scrape_interval: 1s}
remote_write:
- url: ${receiving.url}/api/v1/write
  send_exemplars: true
  send_native_histograms: true
  queue_config: {batch_send_deadline: 500ms, min_backoff: 30ms, max_backoff: 1s}
scrape_configs:
- {job_name: prometheus, static_configs: [{targets: ["127.0.0.1:${realPort}"]}]}
- {job_name: node, static_configs: [{targets: ["127.0.0.1:${exporterPort}"]}]}
`,
  );
  const real = await startReal(context, 'prometheus', realPort, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/tsdb`,
    '--enable-feature=native-histograms,exemplar-storage',
  ]);
  const startSeconds = Math.floor(Date.now() / 1000);
  await until('the first samples', 60_000, async () =>
    (await ownMetric(real, 'prometheus_remote_storage_samples_total')) > 0 ? true : undefined,
  );
  await passSeconds(real, 8);

  await receiving.stop();
  await passSeconds(real, shortOutageMs / 1000);
  await receiving.restart();
  await passSeconds(real, 5);
  await other.stop();
  await passSeconds(real, longOutageMs / 1000);
  await other.restart();
  await passSeconds(real, 3);

  const endSeconds = Math.floor(Date.now() / 1000) - 2;
  const rangeSeconds = endSeconds - startSeconds + 5;
  await untilSent(real, endSeconds + 1);
  assert.ok((await ownMetric(real, 'prometheus_remote_storage_samples_retried_total')) > 0, 'it retried');
  assert.equal(await ownMetric(real, 'prometheus_remote_storage_samples_failed_total'), 0);
  assert.equal(await ownMetric(real, 'prometheus_remote_storage_samples_dropped_total'), 0);

  const expected = await samplesOf(real.url, endSeconds, rangeSeconds);
  assert.ok(expected.size > 500, `only ${expected.size} series`);
  for (const node of nodes) {
    let found: string | undefined;
    // Shards that moved are handed over while they are already asked for.
    await until(`all samples at ${node.id}`, 30_000, async () => {
      found = missing(await samplesOf(node.url, endSeconds, rangeSeconds), expected);
      return found === undefined ? true : undefined;
    }).catch(() => assert.fail(`${node.id}: ${found}`));
  }
  const counts = { query: 'sum by (job, instance) (count_over_time(up[1m]))', time: String(endSeconds) };
  const [count, ...answers] = await Promise.all([real, ...nodes].map(({ url }) => api(url, 'query', counts)));
  const byJob = (data: unknown): string[] =>
    (data as { result: { metric: LabelRecord; value: unknown }[] }).result
      .map(({ metric, value }) => `${labelText(metric)} ${JSON.stringify(value)}`)
      .sort();
  for (const answer of answers) assert.deepEqual(byJob(answer.data), byJob(count?.data));
});
