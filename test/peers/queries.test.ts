/**
 * A real Prometheus scrapes itself, a node exporter, an Alertmanager and a target that is down, and sends everything to
 * one node of a cluster of ours. Asked the same at the same times, every node answers what the real one does.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/index.ts';
import { until } from '../scenario/api.ts';
import { type ApiAnswer, api, difference, type LabelRecord, labelText } from './compare.ts';
import {
  freePorts,
  type PeerNode,
  skipWithoutPeers,
  startCluster,
  startReal,
  testDirectory,
} from './programs.ts';
import { orderedQueries, queries } from './queries.ts';
import { randomQuery } from './random_query.ts';
import { untilSent } from './remote_write.ts';

/** Experimental functions are asked for as well. */
const featureFlag = '--enable-feature=promql-experimental-functions';
const historySeconds = 40;
const randomQueryCount = 1_000;
/** Another one may be tried by hand: TORCHRING_PEERS_SEED. */
const randomSeed = Number(process.env['TORCHRING_PEERS_SEED'] ?? '20260');
const testTimeoutMs = 240_000;

/** What differs on purpose: ours answers as Prometheus does since the release of the binary that we compare with. */
const newerThanPeer: readonly RegExp[] = [
  // Refusals list the series of a match group in storage order, which is undefined; ours is by labels.
  /found duplicate series for the match group/,
  // Said of range queries since 3.6.
  /sort is ineffective for range queries/,
];

test('every node answers dashboards as the real Prometheus that wrote the data does', {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const directory = testDirectory(context);
  const config = join(directory, 'prometheus.yml');
  const nothing = join(directory, 'nothing.yml');
  writeFileSync(nothing, 'global: {}\n');
  const nodes = await startCluster(context, 3, nothing, [featureFlag]);
  const [realPort, exporterPort, alertmanagerPort, downPort] = (await freePorts(4)) as [
    number,
    number,
    number,
    number,
  ];
  const receiver = join(directory, 'alertmanager.yml');
  writeFileSync(receiver, 'route: {receiver: x}\nreceivers: [{name: x}]\n');
  writeFileSync(
    config,
    `global: {scrape_interval: 1s}
remote_write: [{url: "${nodes[0]?.url}/api/v1/write", queue_config: {batch_send_deadline: 500ms}}]
scrape_configs:
- {job_name: prometheus, static_configs: [{targets: ["127.0.0.1:${realPort}"]}]}
- {job_name: node, static_configs: [{targets: ["127.0.0.1:${exporterPort}"]}]}
- {job_name: alertmanager, static_configs: [{targets: ["127.0.0.1:${alertmanagerPort}"]}]}
- {job_name: down, static_configs: [{targets: ["127.0.0.1:${downPort}"]}]}
`,
  );
  await startReal(context, 'node_exporter', exporterPort, [], '/');
  await startReal(context, 'alertmanager', alertmanagerPort, [
    `--config.file=${receiver}`,
    `--storage.path=${directory}/alertmanager`,
    '--cluster.listen-address=',
  ]);
  const real = await startReal(context, 'prometheus', realPort, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/tsdb`,
    featureFlag,
  ]);
  await until('enough history', 120_000, async () => {
    const { data } = await api(real.url, 'query', {
      query: `sum(count_over_time(up[${historySeconds + 20}s]))`,
    });
    const [sample] = (data as { result: { value: [number, string] }[] }).result;
    return Number(sample?.value[1] ?? 0) >= 4 * historySeconds ? true : undefined;
  });
  const endSeconds = Math.floor(Date.now() / 1000) - 4;
  await untilSent(real, endSeconds + 3);

  const requests: [path: string, parameters: Record<string, string>][] = [
    ['query', { time: String(endSeconds) }],
    ['query', { time: String(endSeconds - 10.25) }],
    ['query_range', { start: String(endSeconds - 30), end: String(endSeconds), step: '1' }],
    ['query_range', { start: String(endSeconds - 31.7), end: String(endSeconds), step: '7' }],
  ];
  const found: string[] = [];
  for (const query of [...queries, ...orderedQueries]) {
    for (const [path, times] of requests) {
      const parameters = { query, ...times };
      const ordered = path === 'query_range' || orderedQueries.includes(query);
      const [expected, ...answers] = await Promise.all(
        [real, ...nodes].map(({ url }) => api(url, path, parameters)),
      );
      for (const [index, answer] of answers.entries()) {
        assert.ok(expected);
        const text = difference(answer, expected, { tolerance: 1e-9, ordered });
        if (text === undefined || newerThanPeer.some((known) => known.test(text))) continue;
        found.push(`node-${index + 1} ${path} ${JSON.stringify(parameters)}: ${text}`);
      }
    }
  }
  const random = seededRandom(randomSeed);
  for (let drawn = 0; drawn < randomQueryCount; drawn++) {
    const query = randomQuery(random, 1 + (drawn % 3));
    const [path, times] = requests[drawn % requests.length] as (typeof requests)[number];
    const node = nodes[drawn % nodes.length] as PeerNode;
    const [answer, expected] = await Promise.all(
      [node, real].map(async ({ url }) => withoutNotes(await api(url, path, { query, ...times }))),
    );
    assert.ok(answer && expected);
    const text = difference(answer, expected, { tolerance: 1e-8, ordered: path === 'query_range' });
    if (text === undefined || newerThanPeer.some((known) => known.test(text))) continue;
    found.push(`${node.id} ${path} ${query}: ${text}`);
  }
  for (const [path, parameters] of lookups(endSeconds)) {
    const [expected, ...answers] = await Promise.all(
      [real, ...nodes].map(({ url }) => lookUp(url, path, parameters)),
    );
    for (const [index, answer] of answers.entries()) {
      if (answer !== expected)
        found.push(`node-${index + 1} ${path}?${parameters}: ${answer}, not ${expected}`);
    }
  }
  assert.deepEqual(found, []);
});

/**
 * Of random queries values and whether they are refused are compared, not the words: some annotations and positions
 * of 3.5 are worded otherwise in later releases, whose words ours has.
 */
function withoutNotes({ status, errorType, data }: ApiAnswer): ApiAnswer {
  return { status, ...(errorType === undefined ? {} : { errorType }), data };
}

/** Requests for series and labels, with their parameters. */
function lookups(endSeconds: number): [path: string, parameters: string][] {
  const range = `start=${endSeconds - 30}&end=${endSeconds}`;
  const selector = encodeURIComponent('{__name__=~"go_.*|up", job=~"node|down"}');
  return [
    ['series', `match[]=up&${range}`],
    ['series', `match[]=${selector}&match[]=up&${range}`],
    ['series', `match[]=up&start=${endSeconds - 90_000}&end=${endSeconds - 80_000}`],
    ['series', `match[]=up&limit=2&${range}`],
    ['labels', ''],
    ['labels', `match[]=up&${range}`],
    ['labels', `match[]=${selector}&match[]=node_cpu_seconds_total&${range}`],
    ['labels', `limit=3&${range}`],
    ['label/job/values', range],
    ['label/__name__/values', range],
    ['label/__name__/values', `match[]=${selector}&${range}`],
    ['label/mode/values', `match[]=${encodeURIComponent('node_cpu_seconds_total{cpu="0"}')}`],
    ['label/nothing/values', range],
    ['label/job/values', `limit=2&${range}`],
    ['label/job/values', `match[]=nothing&${range}`],
    ['label/U__http_2e_status/values', range],
  ];
}

/** The answer as text, series in an order of our own. */
async function lookUp(url: string, path: string, parameters: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/${path}?${parameters}`);
  const { data, ...rest } = (await response.json()) as { data?: (string | LabelRecord)[] };
  const sorted = data?.map((one) => (typeof one === 'string' ? one : labelText(one))).sort();
  // A limit leaves open which ones are returned.
  return JSON.stringify([response.status, parameters.includes('limit=') ? sorted?.length : sorted, rest]);
}
