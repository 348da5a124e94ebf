/** Against the real exporters and servers, where TORCHRING_PEERS_DIR says that they are. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { delay, systemClock } from '../base/index.ts';
import type { ScrapeConfig } from './config_types.ts';
import { type ExpositionCase, expositionCases } from './testing/exposition_cases.ts';
import { batchLines, loopOver, scrapeConfig } from './testing/fixtures.ts';

const { TORCHRING_PEERS_DIR: peersDirectory } = process.env;
const skip =
  peersDirectory === undefined ? 'TORCHRING_PEERS_DIR is not set: real peers are not tested' : false;

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.close();
  await once(server, 'close');
  return address;
}

/** Resolves when the program has said that it listens: undefined; or with its last words when it never did. */
async function startFailure(child: ChildProcess): Promise<string | undefined> {
  let last = '';
  for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
    last = line;
    if (/listening on/i.test(line)) {
      child.stderr?.resume();
      return undefined;
    }
  }
  return last;
}

const peers: [string, (address: string, directory: string) => string[]][] = [
  ['node_exporter', (address) => [`--web.listen-address=${address}`]],
  [
    'alertmanager',
    (address, directory) => [
      `--web.listen-address=${address}`,
      `--config.file=${directory}/alertmanager.yml`,
      `--storage.path=${directory}`,
      '--cluster.listen-address=',
    ],
  ],
  [
    'prometheus',
    (address, directory) => [
      `--web.listen-address=${address}`,
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}`,
    ],
  ],
];

for (const [program, flags] of peers) {
  test(`${program} is scraped in each text format, twice, with nothing lost`, { skip }, async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'torchring-peer-'));
    await writeFile(join(directory, 'alertmanager.yml'), 'route: {receiver: x}\nreceivers: [{name: x}]\n');
    await writeFile(join(directory, 'prometheus.yml'), 'global: {}\n');
    const address = await freeAddress();
    const child = spawn(join(peersDirectory as string, program), flags(address, directory), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    context.after(async () => {
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true, force: true });
    });
    const failure = await startFailure(child);
    if (failure !== undefined) return context.skip(`${program} does not start here: ${failure}`);
    const protocols: ScrapeConfig['scrapeProtocols'] = [
      'PrometheusText0.0.4',
      'PrometheusText1.0.0',
      'OpenMetricsText1.0.0',
    ];
    for (const protocol of protocols) {
      await using loop = await loopOver(address, scrapeConfig({ scrapeProtocols: [protocol] }));
      const first = await loop.scrape(Date.now());
      assert.equal(first.lastError, '');
      assert.ok(first.counts.kept > 50);
      assert.ok(loop.metadata.size > 10);
      const second = await loop.scrape(Date.now());
      assert.equal(second.lastError, '');
      const stale = batchLines(second.batch).filter((line) => line.includes(' stale '));
      assert.ok(stale.length < first.counts.kept / 10, String(stale));
    }
  });
}

/** Series of a job without what it adds itself, as sorted text; its health first. */
const described = (health: string, series: Iterable<Record<string, string>>): string[] => {
  const own = [...series].filter(({ __name__ }) => !/^(up|scrape_.*)$/.test(__name__ ?? ''));
  const text = own.map(({ job: _job, instance: _instance, ...rest }) =>
    JSON.stringify(Object.entries(rest).sort()),
  );
  return [health, ...new Set(text.sort())];
};

test('prometheus keeps and refuses the same expositions', { skip, timeout: 60_000 }, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'torchring-peer-'));
  const exposing = createHttpServer((request, response) => {
    const { contentType, body } = expositionCases[Number(request.url?.slice(1))] as ExpositionCase;
    if (contentType !== '') response.setHeader('content-type', contentType);
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(exposing, 'listening');
  const target = `127.0.0.1:${(exposing.address() as AddressInfo).port}`;
  const jobs = expositionCases.map(
    (_, i) => `- {job_name: c${i}, metrics_path: /${i}, static_configs: [{targets: ["${target}"]}]}`,
  );
  const config = `global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n${jobs.join('\n')}\n`;
  await writeFile(join(directory, 'prometheus.yml'), config);
  const address = await freeAddress();
  const flags = [`--web.listen-address=${address}`, `--config.file=${directory}/prometheus.yml`];
  const child = spawn(
    join(peersDirectory as string, 'prometheus'),
    [...flags, `--storage.tsdb.path=${directory}`],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  context.after(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
    exposing.close();
    exposing.closeAllConnections();
    await rm(directory, { recursive: true, force: true });
  });
  assert.equal(await startFailure(child), undefined);
  const ask = async (path: string): Promise<unknown> =>
    ((await (await fetch(`http://${address}/api/v1/${path}`)).json()) as { data: unknown }).data;
  type Peer = { scrapePool: string; health: string };
  let peers: Peer[] = [];
  // Discovery hands over its first targets after five seconds; there is nothing to be told when it has.
  while (peers.length < expositionCases.length || peers.some((peer) => peer.health === 'unknown')) {
    await delay(systemClock, 200, context.signal);
    peers = ((await ask('targets')) as { activeTargets: Peer[] }).activeTargets;
  }
  for (const [i, { contentType, body }] of expositionCases.entries()) {
    const selector = encodeURIComponent(`{job="c${i}"}`);
    const series = (await ask(`series?match[]=${selector}`)) as Record<string, string>[];
    const health = peers.find((peer) => peer.scrapePool === `c${i}`)?.health ?? '';
    await using loop = await loopOver(target, scrapeConfig({ metricsPath: `/${i}`, jobName: `c${i}` }));
    const ours = await loop.scrape(Date.now());
    assert.deepEqual(
      described(
        ours.health,
        ours.batch.series.map((labels) => labels.toRecord()),
      ),
      described(health, series),
      `${contentType}: ${JSON.stringify(body)}: ${ours.lastError}`,
    );
  }
});
