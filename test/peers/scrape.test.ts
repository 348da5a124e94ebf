/**
 * One configuration for a real Prometheus and for a cluster of ours: the same targets, the same series, the same values
 * where values stand still, the same metadata, whatever the target exposes and the relabeling does to it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../scenario/api.ts';
import { api, type LabelRecord, labelText } from './compare.ts';
import { freePorts, skipWithoutPeers, startCluster, startReal, testDirectory } from './programs.ts';

const testTimeoutMs = 240_000;
/** What a scrape sees of itself: differs by who scrapes, and may stand still at both. */
const seenByScrapes = /active_appenders|goroutines|open_fds|go_threads|go_sched_/;
/** Values that stood still for this long are compared. */
const stillSeconds = 12;

/** What a hand-written exporter may expose: escapes, special values, own labels, own timestamps, all types. */
const exposition = `# HELP odd_labels Help with \\\\ and \\n in it.
# TYPE odd_labels gauge
odd_labels{a="\\"quoted\\"",b="back\\\\slash",c="new\\nline",d="ünïcödé 🚀",e=""} 1
# TYPE special gauge
special{kind="nan"} NaN
special{kind="inf"} +Inf
special{kind="negative"} -Inf
special{kind="small"} 4.9e-324
special{kind="large"} 1.7976931348623157e+308
special{kind="exponent"} 12.5E3
special{kind="zero"} -0
# TYPE latency_seconds summary
latency_seconds{quantile="0.5"} 0.05
latency_seconds_sum 17.25
latency_seconds_count 271
# TYPE size_bytes histogram
size_bytes_bucket{le="1"} 1
size_bytes_bucket{le="1000"} 3
size_bytes_bucket{le="+Inf"} 4
size_bytes_sum 1234.5
size_bytes_count 4
untyped_value{job="their own",instance="theirs",exported_job="mine"} 7
{"utf8.metric","utf8 label"="x"} 5
go_dropped 1
`;

interface Target {
  readonly discoveredLabels: LabelRecord;
  readonly labels: LabelRecord;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly health: string;
  readonly lastError: string;
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

function configOf(
  ports: Readonly<Record<'real' | 'exporter' | 'alertmanager' | 'odd' | 'down', number>>,
): string {
  const at = (port: number): string => `static_configs: [{targets: ["127.0.0.1:${port}"]}]`;
  return `global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs:
- {job_name: prometheus, ${at(ports.real)}}
- {job_name: node, ${at(ports.exporter)}, params: {"collect[]": [cpu, meminfo, uname, filesystem]}}
- {job_name: alertmanager, ${at(ports.alertmanager)}}
- {job_name: down, ${at(ports.down)}}
- {job_name: odd, ${at(ports.odd)}}
- {job_name: honor, honor_labels: true, ${at(ports.odd)}}
- {job_name: legacy, metric_name_validation_scheme: legacy, metric_name_escaping_scheme: underscores, ${at(ports.odd)}}
- {job_name: limited, sample_limit: 3, ${at(ports.odd)}}
- {job_name: nothing, metrics_path: /nowhere, ${at(ports.odd)}}
- job_name: relabeled
  static_configs: [{targets: ["127.0.0.1:${ports.odd}"], labels: {region: eu-west-1, __meta_x: y}}]
  relabel_configs:
  - {source_labels: [__address__], regex: '(.*):(\\d+)', target_label: host, replacement: '$1'}
  - {regex: __meta_(.+), action: labelmap}
  - {source_labels: [region], target_label: region, action: uppercase}
  - {source_labels: [__address__], modulus: 8, target_label: bucket, action: hashmod}
  metric_relabel_configs:
  - {source_labels: [__name__], regex: 'go_.*', action: drop}
  - {regex: 'b|c', action: labeldrop}
  - {source_labels: [__name__, kind], separator: '@', regex: 'special@(.*)', target_label: __name__, replacement: 'special_$1'}
- job_name: dropped
  static_configs: [{targets: ["127.0.0.1:${ports.odd}"]}]
  relabel_configs: [{action: drop, source_labels: [job], regex: dropped}]
`;
}

/** Targets as both APIs show them, without what depends on the time or the place of scraping. */
async function targetsOf(url: string): Promise<unknown> {
  const { data } = await api(url, 'targets', {});
  const { activeTargets, droppedTargets } = data as { activeTargets: Target[]; droppedTargets: Target[] };
  const active = activeTargets.map((target) => ({
    discoveredLabels: labelText(target.discoveredLabels),
    labels: labelText(target.labels),
    pool: target.scrapePool,
    url: target.scrapeUrl,
    health: target.health,
    hasError: target.lastError !== '',
    interval: target.scrapeInterval,
    timeout: target.scrapeTimeout,
  }));
  return {
    active: active.sort((a, b) => (a.labels < b.labels ? -1 : 1)),
    dropped: droppedTargets.map(({ discoveredLabels }) => labelText(discoveredLabels)),
  };
}

async function vectorOf(url: string, query: string, atSeconds: number): Promise<Map<string, string>> {
  const { data, error } = await api(url, 'query', { query, time: String(atSeconds) });
  assert.equal(error, undefined, query);
  const { result } = data as { result: { metric: LabelRecord; value: [number, string] }[] };
  return new Map(result.map(({ metric, value }) => [labelText(metric), value[1]]));
}

/** Series that had one value, and no gap, in the time that is compared. */
async function stillSeries(url: string, endSeconds: number): Promise<Map<string, string>> {
  const query = `{job!=""}[${stillSeconds}s]`;
  const { data } = await api(url, 'query', { query, time: String(endSeconds) });
  const still = new Map<string, string>();
  for (const { metric, values } of (
    data as { result: { metric: LabelRecord; values?: [number, string][] }[] }
  ).result) {
    const distinct = new Set((values ?? []).map(([, value]) => value));
    if (seenByScrapes.test(metric['__name__'] ?? '')) continue;
    if (distinct.size === 1 && (values ?? []).length >= stillSeconds - 2)
      still.set(labelText(metric), [...distinct][0] ?? '');
  }
  return still;
}

test('the same configuration scrapes the same series, values, targets and metadata as a real Prometheus', {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const directory = testDirectory(context);
  const [real, exporter, alertmanager, down] = (await freePorts(4)) as [number, number, number, number];
  const odd = createServer((request, response) => {
    response.statusCode = request.url === '/metrics' ? 200 : 404;
    response.setHeader('content-type', 'text/plain; version=1.0.0; escaping=allow-utf-8').end(exposition);
  }).listen(0, '127.0.0.1');
  context.after(() => {
    odd.close();
    odd.closeAllConnections();
  });
  await once(odd, 'listening');
  const oddPort = (odd.address() as { port: number }).port;
  const config = join(directory, 'prometheus.yml');
  writeFileSync(config, configOf({ real, exporter, alertmanager, odd: oddPort, down }));
  const receiver = join(directory, 'alertmanager.yml');
  writeFileSync(receiver, 'route: {receiver: x}\nreceivers: [{name: x}]\n');
  await startReal(context, 'node_exporter', exporter, [], '/');
  await startReal(context, 'alertmanager', alertmanager, [
    `--config.file=${receiver}`,
    `--storage.path=${directory}/alertmanager`,
    '--cluster.listen-address=',
  ]);
  const peer = await startReal(context, 'prometheus', real, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/tsdb`,
  ]);
  const nodes = await startCluster(context, 3, config);
  const [first] = nodes;
  assert.ok(first);
  for (const { url } of [peer, first]) {
    await until(`${url} has a history`, 120_000, async () => {
      const up = await vectorOf(url, `count_over_time(up[${stillSeconds + 10}s])`, Date.now() / 1000);
      return up.size === 10 && [...up.values()].every((count) => Number(count) >= stillSeconds + 6)
        ? true
        : undefined;
    });
  }
  const endSeconds = Math.floor(Date.now() / 1000) - 2;

  await context.test('targets', async () => {
    const expected = await targetsOf(peer.url);
    for (const node of nodes) assert.deepEqual(await targetsOf(node.url), expected);
  });

  await context.test('health and the series about each scrape', async () => {
    const reports = ['up', 'scrape_samples_scraped{job!="prometheus"}', 'scrape_series_added'];
    reports.push(
      'scrape_samples_post_metric_relabeling{job!="prometheus"}',
      'scrape_duration_seconds > bool 0',
    );
    for (const query of reports) {
      const expected = await vectorOf(peer.url, query, endSeconds);
      assert.ok(expected.size >= 9, query);
      for (const node of nodes)
        assert.deepEqual(await vectorOf(node.url, query, endSeconds), expected, query);
    }
  });

  await context.test('series that stand still', async () => {
    const expected = await stillSeries(peer.url, endSeconds);
    assert.ok(expected.size > 400, `only ${expected.size} series`);
    for (const node of nodes) {
      const actual = await stillSeries(node.url, endSeconds);
      const everything = await vectorOf(node.url, '{job!=""}', endSeconds);
      const found = [...expected].filter(
        ([key, value]) => (actual.get(key) ?? value) !== value || !everything.has(key),
      );
      assert.deepEqual(found, [], node.id);
    }
  });

  await context.test('series of hand-written expositions, to the last label', async () => {
    const query = '{job!="",job!~"prometheus|node|alertmanager",__name__!~"scrape_.*"}';
    const expected = await vectorOf(peer.url, query, endSeconds);
    assert.ok(expected.size > 60, `only ${expected.size}`);
    for (const node of nodes) {
      assert.deepEqual([...(await vectorOf(node.url, query, endSeconds))].sort(), [...expected].sort());
    }
  });

  await context.test('metadata', async () => {
    const expected = (await api(peer.url, 'metadata')).data as Record<string, object[]>;
    const sorted = (entries: object[] | undefined): string[] =>
      (entries ?? []).map((one) => JSON.stringify(Object.entries(one).sort())).sort();
    for (const node of nodes) {
      const actual = (await api(node.url, 'metadata')).data as Record<string, object[]>;
      for (const [name, entries] of Object.entries(expected))
        assert.deepEqual(sorted(actual[name]), sorted(entries), name);
    }
  });
});
