/**
 * A real Prometheus sends by remote write 2.0: floats, native histograms, exemplars, metadata. The node is killed and comes
 * back, then the sender stops and comes back; in the end the node has every sample that the sender has, and no other.
 * Meanwhile another Prometheus federates from the node.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../scenario/api.ts';
import { api } from './compare.ts';
import {
  freePorts,
  type Program,
  skipWithoutPeers,
  startCluster,
  startReal,
  testDirectory,
} from './programs.ts';
import { missing, ownMetric, passSeconds, samplesOf, untilSent } from './remote_write.ts';

interface ExemplarSeries {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly exemplars: readonly { readonly value: string; readonly timestamp: number }[];
}

async function exemplarsOf(url: string, fromSeconds: number, toSeconds: number): Promise<string[]> {
  const query = '{__name__=~"prometheus_http_request_duration_seconds_bucket|.*_duration_seconds"}';
  const parameters = { query, start: String(fromSeconds), end: String(toSeconds) };
  const { data } = await api(url, 'query_exemplars', parameters);
  return (data as ExemplarSeries[])
    .flatMap(({ seriesLabels, exemplars }) =>
      exemplars.map(({ value, timestamp }) => `${JSON.stringify(seriesLabels)} ${value} ${timestamp}`),
    )
    .sort();
}

async function countOf(program: Program, query: string, endSeconds: number): Promise<string> {
  const { data, error } = await api(program.url, 'query', { query, time: String(endSeconds) });
  assert.equal(error, undefined);
  return JSON.stringify((data as { result: unknown }).result);
}

test('what a real Prometheus has sent by remote write 2.0 is there, through a restart of either side', {
  skip: skipWithoutPeers,
  timeout: 180_000,
}, async (context) => {
  const directory = testDirectory(context);
  const nothing = join(directory, 'nothing.yml');
  writeFileSync(nothing, 'global: {external_labels: {cluster: c1}}\n');
  const [node] = await startCluster(context, 1, nothing);
  assert.ok(node);
  const [realPort, exporterPort, federatorPort] = (await freePorts(3)) as [number, number, number];
  await startReal(context, 'node_exporter', exporterPort, [], '/');
  const config = join(directory, 'prometheus.yml');
  writeFileSync(
    config,
    `global: {scrape_interval: 1s}
remote_write:
- url: ${node.url}/api/v1/write
  protobuf_message: io.prometheus.write.v2.Request
  send_exemplars: true
  send_native_histograms: true
  queue_config: {batch_send_deadline: 500ms, min_backoff: 30ms, max_backoff: 1s}
scrape_configs:
- {job_name: prometheus, static_configs: [{targets: ["127.0.0.1:${realPort}"]}]}
- {job_name: node, static_configs: [{targets: ["127.0.0.1:${exporterPort}"]}]}
`,
  );
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/tsdb`,
    '--enable-feature=native-histograms,exemplar-storage,metadata-wal-records',
  ];
  const startSeconds = Math.floor(Date.now() / 1000);
  let real = await startReal(context, 'prometheus', realPort, flags);
  await until('the first samples', 60_000, async () =>
    (await ownMetric(real, 'prometheus_remote_storage_samples_total')) > 0 ? true : undefined,
  );
  const federatorConfig = join(directory, 'federator.yml');
  writeFileSync(
    federatorConfig,
    `global: {scrape_interval: 1s}
scrape_configs:
- job_name: federate
  honor_labels: true
  metrics_path: /federate
  params: {'match[]': ['{job=~"prometheus|node"}']}
  static_configs: [{targets: ["${node.address}"]}]
`,
  );
  const federator = await startReal(context, 'prometheus', federatorPort, [
    `--config.file=${federatorConfig}`,
    `--storage.tsdb.path=${directory}/federator`,
    '--enable-feature=native-histograms',
  ]);
  await passSeconds(real, 5);

  await node.stop();
  await passSeconds(real, 2);
  await node.restart();
  await passSeconds(real, 3);
  await real.stop('SIGTERM');
  real = await startReal(context, 'prometheus', realPort, flags);
  await until('samples after the restart', 60_000, async () =>
    (await ownMetric(real, 'prometheus_remote_storage_samples_total')) > 0 ? true : undefined,
  );
  await passSeconds(real, 4);

  const endSeconds = Math.floor(Date.now() / 1000) - 2;
  const rangeSeconds = endSeconds - startSeconds + 5;
  await untilSent(real, endSeconds + 1);
  assert.equal(await ownMetric(real, 'prometheus_remote_storage_samples_failed_total'), 0);
  assert.equal(await ownMetric(real, 'prometheus_remote_storage_samples_dropped_total'), 0);
  const expected = await samplesOf(real.url, endSeconds, rangeSeconds);
  assert.ok(expected.size > 500, `only ${expected.size} series`);
  assert.equal(missing(await samplesOf(node.url, endSeconds, rangeSeconds), expected), undefined);
  const counts = `sum(count_over_time(up[${rangeSeconds}s]))`;
  assert.equal(await countOf(node, counts, endSeconds), await countOf(real, counts, endSeconds));
  const sent = await exemplarsOf(real.url, startSeconds, endSeconds);
  assert.deepEqual(await exemplarsOf(node.url, startSeconds, endSeconds), sent);

  // What is federated has the times that the node has, so it is the same at any of them.
  const series = 'count({job="node", cluster="c1"})';
  await until('federated series', 30_000, async () =>
    (await countOf(federator, series, Math.floor(Date.now() / 1000))) === '[]' ? undefined : true,
  );
  const at = Math.floor(Date.now() / 1000) - 1;
  const federated = await samplesOf(federator.url, at, 20);
  const owned = await samplesOf(node.url, at, 20);
  let compared = 0;
  for (const [key, samples] of federated) {
    const own = owned.get(key.replace('["cluster","c1"],', ''));
    assert.ok(own, key);
    for (const sample of samples) assert.ok(own.includes(sample), `${key} ${sample}`);
    compared += samples.length;
  }
  assert.ok(compared > 500, `only ${compared} federated samples`);
});
