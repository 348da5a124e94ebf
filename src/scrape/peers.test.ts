/** Against the real exporters and servers, where TORCHRING_PEERS_DIR says that they are. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { delay, systemClock } from '../base/index.ts';
import { type PeerOptions, skipWithoutPeers as skip, startPeer } from '../base/testing/peer.ts';
import type { ScrapeConfig } from './config_types.ts';
import { type ExpositionCase, expositionCases } from './testing/exposition_cases.ts';
import { batchLines, loopOver, scrapeConfig } from './testing/fixtures.ts';

const ready = /listening on/i;
const peers: [string, PeerOptions][] = [
  ['node_exporter', { ready }],
  [
    'alertmanager',
    {
      ready,
      config: 'route: {receiver: x}\nreceivers: [{name: x}]\n',
      flags: (directory) => [`--storage.path=${directory}`, '--cluster.listen-address='],
    },
  ],
  [
    'prometheus',
    { ready, config: 'global: {}\n', flags: (directory) => [`--storage.tsdb.path=${directory}`] },
  ],
];

for (const [program, options] of peers) {
  test(`${program} is scraped in each format, twice, with nothing lost`, { skip }, async (context) => {
    const peer = await startPeer(program, options);
    context.after(() => peer.stop());
    if (!peer.isUp) return context.skip(`${program} does not start here: ${peer.lastWords}`);
    const protocols: ScrapeConfig['scrapeProtocols'] = [
      'PrometheusText0.0.4',
      'PrometheusText1.0.0',
      'OpenMetricsText1.0.0',
      'PrometheusProto',
    ];
    for (const protocol of protocols) {
      const config = scrapeConfig({ scrapeProtocols: [protocol], scrapeNativeHistograms: true });
      await using loop = await loopOver(peer.address, config);
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

/** Series of a job without what it adds itself, as sorted text; why it failed and its health first. */
const described = (lastError: string, health: string, series: Iterable<Record<string, string>>): string[] => {
  const own = [...series].filter(({ __name__ }) => !/^(up|scrape_.*)$/.test(__name__ ?? ''));
  const text = own.map(({ job: _job, instance: _instance, ...rest }) =>
    JSON.stringify(Object.entries(rest).sort()),
  );
  return [lastError, health, ...new Set(text.sort())];
};

test('prometheus keeps and refuses the same expositions, in the same words', {
  skip,
  timeout: 60_000,
}, async (context) => {
  const exposing = createServer((request, response) => {
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
  const flags = (directory: string): string[] => [`--storage.tsdb.path=${directory}`];
  const prometheus = await startPeer('prometheus', { ready, config, flags });
  context.after(async () => {
    await prometheus.stop();
    exposing.close();
    exposing.closeAllConnections();
  });
  assert.ok(prometheus.isUp, prometheus.lastWords);
  const ask = async (path: string): Promise<unknown> =>
    ((await (await fetch(`http://${prometheus.address}/api/v1/${path}`)).json()) as { data: unknown }).data;
  type ScrapedTarget = { scrapePool: string; health: string; lastError: string };
  let targets: ScrapedTarget[] = [];
  // Discovery hands over its first targets after five seconds; there is nothing to be told when it has.
  while (targets.length < expositionCases.length || targets.some((each) => each.health === 'unknown')) {
    await delay(systemClock, 200, context.signal);
    targets = ((await ask('targets')) as { activeTargets: ScrapedTarget[] }).activeTargets;
  }
  const differences: unknown[] = [];
  for (const [i, { contentType, body }] of expositionCases.entries()) {
    const selector = encodeURIComponent(`{job="c${i}"}`);
    const series = (await ask(`series?match[]=${selector}`)) as Record<string, string>[];
    const theirs = targets.find((each) => each.scrapePool === `c${i}`);
    await using loop = await loopOver(target, scrapeConfig({ metricsPath: `/${i}`, jobName: `c${i}` }));
    const ours = await loop.scrape(Date.now());
    const records = ours.batch.series.map((labels) => labels.toRecord());
    const kept = described(ours.lastError, ours.health, records);
    const expected = described(theirs?.lastError ?? '', theirs?.health ?? '', series);
    if (!isDeepStrictEqual(kept, expected)) differences.push({ contentType, body, kept, expected });
  }
  assert.deepEqual(differences, []);
});
