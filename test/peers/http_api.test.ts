/**
 * A real Prometheus and a node of ours get the same samples by remote write, have the same configuration, and are asked
 * the same by HTTP: status, headers and JSON are equal.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RawAnswer, type RawRequest, rawHttp } from '../../src/api/testing/raw_http.ts';
import { until } from '../scenario/api.ts';
import { requests } from './http_api_requests.ts';
import { freePorts, skipWithoutPeers, startCluster, startReal, testDirectory } from './programs.ts';
import { randomData, requestsOf } from './promql/data.ts';

const exposition = `# HELP fixed_total Counts.
# TYPE fixed_total counter
fixed_total 3
# HELP fixed_gauge Goes up and down.
# TYPE fixed_gauge gauge
fixed_gauge 1
`;

const config = (targetPort: number): string => `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
- {job_name: fixed, static_configs: [{targets: ["127.0.0.1:${targetPort}"]}]}
- {job_name: down, static_configs: [{targets: ["127.0.0.1:1"], labels: {a: b}}]}
- job_name: sorted
  static_configs: [{targets: ["drop:1"]}]
  relabel_configs: [{source_labels: [__address__], regex: 'drop.*', action: drop}]
`;

const rules = `groups:
- name: first
  rules:
  - {alert: High, expr: vector(1) > 2, labels: {severity: page}, annotations: {summary: '{{ $value }}'}}
  - {record: kept, expr: vector(2)}
- name: second
  rules:
  - {alert: Low, expr: vector(1) > 3, for: 1m}
`;

const headers = ['content-type', 'allow', 'vary', 'access-control-allow-origin'];
headers.push('x-content-type-options');

/** Fields whose values are each server's own. */
const ownFields: ReadonlySet<string> = new Set([
  ...['lastScrape', 'lastScrapeDuration', 'lastEvaluation', 'evaluationTime', 'globalUrl', 'node'],
  // The words of another network library.
  'lastError',
]);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !ownFields.has(name));
  return Object.fromEntries(kept.map(([name, one]) => [name, comparable(one)]));
}

/** Lists whose order is left open: by their texts. */
const unordered = /\/api\/v1\/(series|targets\/metadata)/;

function shown({ path, method = 'GET' }: RawRequest, answer: RawAnswer): unknown {
  const kept = headers.map((name) => [name, answer.headers.get(name)]);
  let body: unknown = answer.body;
  if (answer.headers.get('content-type') === 'application/json' && answer.body !== '') {
    body = comparable(JSON.parse(answer.body));
    const { data } = body as { data?: unknown };
    if (unordered.test(path) && Array.isArray(data)) {
      body = { ...(body as object), data: data.map((one) => JSON.stringify(one)).sort() };
    }
  }
  // Go tells no content type of a body that it does not have.
  if (method === 'HEAD') return { status: answer.status };
  return { status: answer.status, headers: Object.fromEntries(kept), body };
}

/** What differs, and why it may. */
const excuses: readonly (readonly [request: RegExp, why: string])[] = [
  [/admin\/tsdb\/snapshot$/, 'a snapshot has a name of its own'],
  [/query=a%20offset$/, 'the words are those of a later release'],
  [/label\/%FF/, 'a path that is no UTF-8 is refused before any route'],
  [
    /label\/instance\/values\?limit=/,
    'which values are kept by a limit is left open: ours are the first in order',
  ],
  [/\/alertmanagers/, 'ours has an Alertmanager of its own'],
];

test('status, headers and JSON are those of the real Prometheus', {
  skip: skipWithoutPeers,
  timeout: 240_000,
}, async (context) => {
  const directory = testDirectory(context);
  const target = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(exposition);
  }).listen(0, '127.0.0.1');
  await once(target, 'listening');
  context.after(() => {
    target.close();
    target.closeAllConnections();
  });
  const file = join(directory, 'prometheus.yml');
  writeFileSync(file, config((target.address() as { port: number }).port));
  writeFileSync(join(directory, 'rules.yml'), rules);
  const [port] = (await freePorts(1)) as [number];
  const real = await startReal(context, 'prometheus', port, [
    `--config.file=${file}`,
    `--storage.tsdb.path=${directory}/tsdb`,
    '--web.enable-remote-write-receiver',
    '--web.enable-admin-api',
    '--enable-feature=exemplar-storage,native-histograms',
  ]);
  const [node] = await startCluster(context, 1, file, ['--web.enable-admin-api']);
  assert.ok(node);
  const startMs = Date.now() - 30 * 60_000;
  for (const body of requestsOf(randomData(7, startMs), startMs)) {
    for (const { url } of [real, node]) {
      const response = await fetch(`${url}/api/v1/write`, {
        method: 'POST',
        body,
        headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
      });
      assert.equal(response.status, 204, await response.text());
    }
  }
  for (const { url } of [real, node]) {
    await until(`${url} has scraped and evaluated`, 30_000, async () => {
      const text = await (await fetch(`${url}/api/v1/query?query=kept%2Bon()fixed_total`)).text();
      const all = await (await fetch(`${url}/api/v1/targets`)).text();
      const rulesText = await (await fetch(`${url}/api/v1/rules`)).text();
      const isDone = text.includes('"5"') && !`${all}${rulesText}`.includes('"unknown"');
      return isDone ? true : undefined;
    });
  }
  const found: string[] = [];
  const ports = [real, node].map(({ address }) => Number(address.split(':').at(-1)));
  for (const request of requests) {
    const [theirs, ours] = await Promise.all(ports.map((at) => rawHttp(at, request)));
    assert.ok(theirs && ours);
    const texts = [ours, theirs].map((answer) => JSON.stringify(shown(request, answer)));
    const name = `${request.method ?? 'GET'} ${request.path}`;
    if (texts[0] === texts[1] || isEqual(shown(request, ours), shown(request, theirs))) continue;
    if (excuses.some(([known]) => known.test(request.path))) continue;
    found.push(
      `${name} ${Buffer.from(request.body ?? []).toString()}\n  ours ${texts[0]}\n  real ${texts[1]}`,
    );
  }
  assert.equal(found.length, 0, `${found.length} of ${requests.length} differ:\n${found.join('\n')}`);
});

function isEqual(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
