/** The same files, HTTP answers and DNS records give the same targets at ours as at a real Prometheus, also as they change. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type Question,
  type Reply,
  startDnsServer,
  typeCodes,
} from '../../src/discovery/testing/dns_server.ts';
import { until } from '../scenario/api.ts';
import {
  freePorts,
  type Program,
  skipWithoutPeers,
  startCluster,
  startReal,
  testDirectory,
} from './programs.ts';
import { assertSamePages, targetsPage } from './targets.ts';

const testTimeoutMs = 240_000;
/** Prometheus hands on what it discovers every five seconds. */
const settleMs = 25_000;

/** Waits for `marker`, since two servers which both have not seen a change yet are equal too. */
async function sameTargets(peer: Program, node: Program, marker: string): Promise<void> {
  await until(`a target ${marker} at the real one`, settleMs, async () => {
    const { active } = await targetsPage(peer.url);
    return active.some((line) => line.includes(marker)) ? true : undefined;
  });
  const equal = until('the same at ours', settleMs, async () => {
    const [own, real] = [await targetsPage(node.url), await targetsPage(peer.url)];
    return JSON.stringify(own) === JSON.stringify(real) ? true : undefined;
  });
  // What differs is said below.
  await equal.catch(() => undefined);
  assertSamePages(await targetsPage(node.url), await targetsPage(peer.url));
}

async function discoveredTargets({ url }: Program): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith('prometheus_sd_discovered_targets{'))
    .map((line) => /config="([^"]*)".* (\d+)$/.exec(line)?.slice(1).join(' ') ?? line)
    .sort();
}

test('targets of files and of HTTP', { skip: skipWithoutPeers, timeout: testTimeoutMs }, async (context) => {
  let answer: { status: number; type: string; body: string } = {
    status: 200,
    type: 'application/json',
    body: JSON.stringify([
      { targets: ['h1:1', 'h2:2'], labels: { env: 'x', 'utf8.näme': '☃', __meta_own: '1' } },
      { targets: ['h1:1'], labels: { env: 'x' } },
      { targets: [], labels: { a: 'b' } },
      { Targets: ['h3:3'], labels: { job: 'other', __metrics_path__: '/p', __param_q: 'v w' } },
      { targets: ['bad/address', ''] },
    ]),
  };
  const server = createServer((_, response) => {
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const directory = testDirectory(context);
  const files = join(directory, 'sd');
  mkdirSync(files);
  const put = (name: string, text: string): void => {
    writeFileSync(join(directory, 'new'), text);
    renameSync(join(directory, 'new'), join(files, name));
  };
  put('a.json', '[{"targets": ["f1:1", "f2:2"], "labels": {"n": "1"}}]');
  put('b.yml', '- targets: [f3:3]\n  labels: {version: 1.10, yes: yes, empty: ""}\n- targets: [f4:4]\n');
  put('c.yaml', '- targets: [f5:5\n');
  put('ignored.txt', '- targets: [f6:6]\n');
  const config = join(directory, 'prometheus.yml');
  writeFileSync(
    config,
    `global: {scrape_interval: 10m}
scrape_configs:
- job_name: file
  file_sd_configs:
  - files: [sd/*.json, sd/*.yml]
    refresh_interval: 5m
  - files: [sd/*.yaml]
- job_name: http
  http_sd_configs: [{url: 'http://127.0.0.1:${(server.address() as AddressInfo).port}/sd', refresh_interval: 1s}]
- job_name: both
  file_sd_configs: [{files: [sd/a.json]}]
  http_sd_configs: [{url: 'http://127.0.0.1:${(server.address() as AddressInfo).port}/sd', refresh_interval: 1s}]
  relabel_configs: [{source_labels: [__meta_filepath, __meta_url], target_label: origin}]
- {job_name: none, file_sd_configs: [{files: [nowhere.json]}]}
`,
  );
  const [port = 0] = await freePorts(1);
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${directory}/tsdb`];
  const peer = await startReal(context, 'prometheus', port, flags);
  const [node] = await startCluster(context, 1, config);
  assert.ok(node);
  await sameTargets(peer, node, 'h3:3');
  assert.deepEqual(await discoveredTargets(node), await discoveredTargets(peer));

  // A file replaced, one gone, one mended, one spoilt, one new; the server fails and keeps its last answer.
  answer = { ...answer, status: 503 };
  put('a.json', '[{"targets": ["f1:1"]}]');
  put('b.yml', 'nonsense: [');
  put('c.yaml', '- targets: [f5:5]\n');
  put('d.json', '[{"targets": ["f7:7"]}]');
  await sameTargets(peer, node, 'f7:7');

  rmSync(join(files, 'b.yml'));
  answer = { ...answer, status: 200, type: 'text/plain' };
  put('d.json', '[{"targets": ["f8:8"]}]');
  await sameTargets(peer, node, 'f8:8');

  answer = { status: 200, type: 'application/json; charset=utf-8', body: '[{"targets": ["h9:9"]}]' };
  await sameTargets(peer, node, 'h9:9');
  assert.deepEqual(await discoveredTargets(node), await discoveredTargets(peer));
});

const resolverAddress = '127.0.77.53';

/** Only who may give a program a file system view of its own can give it another /etc/resolv.conf. */
function withResolver(context: TestContext): readonly string[] | undefined {
  const file = join(testDirectory(context), 'resolv.conf');
  writeFileSync(
    file,
    `nameserver 127.0.77.54\nnameserver ${resolverAddress}\nsearch one.test two.test\noptions ndots:2\n`,
  );
  const words = ['unshare', '-m', 'sh', '-c', `mount --bind ${file} /etc/resolv.conf && exec "$@"`, 'sh'];
  try {
    execFileSync(words[0] as string, [...words.slice(1), 'true']);
    return words;
  } catch {
    return undefined;
  }
}

test('targets of DNS', { skip: skipWithoutPeers, timeout: testTimeoutMs }, async (context) => {
  const wrapper = withResolver(context);
  if (wrapper === undefined) {
    context.skip('SKIPPED: needs the right to mount');
    return;
  }
  const names: Record<string, Reply> = {
    'short.two.test.': {
      records: [
        { type: 'CNAME', target: 'else.' },
        { type: 'A', bytes: [10, 0, 0, 1] },
        { type: 'A', bytes: [10, 0, 0, 2] },
      ],
    },
    'a.b.c.': {
      records: [{ type: 'AAAA', bytes: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }],
    },
    'srv.example.': {
      records: [
        { type: 'SRV', target: 'Node-1.example.', port: 9100 },
        { type: 'SRV', target: 'with space.example.', port: 1 },
      ],
    },
    'mx.example.': { records: [{ type: 'MX', target: 'mail.example.' }] },
    'ns.example.': { records: [{ type: 'NS', target: 'ns1.example.' }] },
    'fails.example.': { records: [{ type: 'A', bytes: [10, 9, 9, 9] }] },
    'gone.example.': { records: [{ type: 'A', bytes: [10, 8, 8, 8] }] },
  };
  const zone = ({ name, transport }: Question): Reply => {
    if (name === 'big.example.') {
      const records = Array.from({ length: 60 }, (_, i) => ({ type: 'A' as const, bytes: [10, 7, 7, i] }));
      return transport === 'udp' ? { isTruncated: true } : { records };
    }
    return names[name] ?? { code: 3 };
  };
  assert.equal(typeCodes['SRV'], 33);
  const server = await startDnsServer(zone, resolverAddress, 53);
  context.after(() => server.close());
  const directory = testDirectory(context);
  const config = join(directory, 'prometheus.yml');
  const section = (type: string, ...all: string[]): string =>
    `{names: [${all.join(', ')}], type: ${type}, port: 80, refresh_interval: 1s}`;
  writeFileSync(
    config,
    `global: {scrape_interval: 10m}
scrape_configs:
- job_name: dns
  dns_sd_configs:
  - ${section('a', 'short', 'fails.example', 'gone.example', 'big.example.', 'nowhere')}
  - ${section('AAAA', 'a.b.c')}
  - {names: [srv.example], refresh_interval: 1s}
  - ${section('MX', 'mx.example')}
  - ${section('NS', 'ns.example.')}
`,
  );
  const [port = 0] = await freePorts(1);
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${directory}/tsdb`];
  const peer = await startReal(context, 'prometheus', port, flags, '/-/ready', wrapper);
  const [node] = await startCluster(context, 1, config, [], wrapper);
  assert.ok(node);
  await sameTargets(peer, node, '10.7.7.59');
  assert.deepEqual(await discoveredTargets(node), await discoveredTargets(peer));

  names['fails.example.'] = { code: 2 };
  names['mx.example.'] = { code: 5 };
  delete names['gone.example.'];
  names['short.two.test.'] = { records: [{ type: 'A', bytes: [10, 0, 0, 3] }] };
  await sameTargets(peer, node, '10.0.0.3');
  const { active } = await targetsPage(node.url);
  assert.ok(
    active.some((line) => line.includes('10.9.9.9')),
    'what fails keeps its targets',
  );
  assert.ok(
    active.some((line) => line.includes('mail.example')),
    'what is refused keeps its targets',
  );
  assert.ok(!active.some((line) => line.includes('10.8.8.8')), 'what does not exist loses them');
});
