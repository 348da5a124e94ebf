/** What a reload of a real node does to the scraping of real targets, seen by the targets and in the stored samples. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from './api.ts';
import type { Child } from './child.ts';
import { startSingleNode } from './single_node.ts';

const testTimeoutMs = 120_000;
const intervalMs = 500;
/** How far apart two scrapes may be on a busy machine and still be neighbours. */
const gapMsMax = intervalMs * 1.8;

/** How long the slow path takes to answer: long enough for a reload to come in between. */
const slowMs = 300;
const slowPath = '/stays';

/** A target that remembers when it was scraped, by path. */
class CountingTarget {
  readonly #times = new Map<string, number[]>();
  /** Scrapes that the node broke off. */
  broken = 0;
  #server = createServer();

  async start(context: TestContext): Promise<string> {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      this.#times.set(path, [...this.times(path), performance.now()]);
      response.on('close', () => {
        if (!response.writableFinished) this.broken++;
      });
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      setTimeout(() => response.end(`value{path="${path}"} 1\n`), path === slowPath ? slowMs : 0);
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    context.after(() => {
      this.#server.close();
      this.#server.closeAllConnections();
    });
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  times(path: string): number[] {
    return this.#times.get(path) ?? [];
  }

  scraped(path: string, count: number): Promise<unknown> {
    const from = this.times(path).length;
    return until(
      `${count} scrapes of ${path}`,
      30_000,
      async () => this.times(path).length >= from + count || undefined,
    );
  }
}

interface World {
  readonly url: string;
  readonly target: CountingTarget;
  readonly address: string;
  readonly node: Child;
  write(text: string): void;
}

async function start(
  context: TestContext,
  config: (address: string) => string,
  flags: readonly string[] = [],
): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'torchring-reload-'));
  const target = new CountingTarget();
  const address = await target.start(context);
  const file = join(directory, 'prometheus.yml');
  writeFileSync(file, config(address));
  const { url, node } = await startSingleNode(context, directory, ['--workers=1', ...flags]);
  return { url, target, address, node, write: (text) => writeFileSync(file, text) };
}

const reload = (url: string): Promise<Response> => fetch(`${url}/-/reload`, { method: 'POST' });

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

async function matrix(url: string, expr: string): Promise<Record<string, [number, string][]>> {
  const now = Date.now() / 1000;
  const answer = (await (
    await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}&time=${now}`)
  ).json()) as {
    data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
  };
  return Object.fromEntries(
    answer.data.result.map(({ metric: labels, values }) => [labels['path'] ?? '', values]),
  );
}

const jobs = (address: string, ...all: { path: string; interval?: number; extra?: string }[]): string =>
  `global: {scrape_interval: ${intervalMs}ms}\nscrape_configs:\n${all
    .map(
      ({ path, interval = intervalMs, extra = '' }) =>
        `- {job_name: ${path}, metrics_path: /${path}, scrape_interval: ${interval}ms, scrape_timeout: ${interval}ms, static_configs: [{targets: ["${address}"]}]${extra}}\n`,
    )
    .join('')}`;

function assertNoGap(times: readonly number[], what: string): void {
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
  assert.ok(Math.max(...gaps) < gapMsMax, `${what}: ${gaps.map(Math.round).join(' ')}`);
  assert.ok(Math.min(...gaps) > intervalMs * 0.2, `${what}: ${gaps.map(Math.round).join(' ')}`);
}

test('reloads leave unchanged targets alone, end removed ones and take changed intervals', {
  timeout: testTimeoutMs,
}, async (context) => {
  const all = [{ path: 'stays' }, { path: 'goes' }, { path: 'changes' }];
  const { url, target, address, write, node } = await start(context, (at) => jobs(at, ...all));
  await target.scraped('/stays', 4);

  // Different each time, so that each of them is one.
  for (let i = 0; i < 5; i++) {
    write(jobs(address, ...all, { path: `new${i}` }));
    // While that is being scraped.
    await target.scraped(slowPath, 1);
    assert.equal((await reload(url)).status, 200);
    await target.scraped(`/new${i}`, 1);
  }
  write(jobs(address, { path: 'stays' }, { path: 'changes', interval: 2000 }));
  process.kill(node.pid ?? 0, 'SIGHUP');
  await until('the changed interval', 10_000, async () => {
    const answer = (await (await fetch(`${url}/api/v1/targets`)).json()) as {
      data: { activeTargets: { scrapePool: string; scrapeInterval: string }[] };
    };
    const pools = answer.data.activeTargets.map(
      ({ scrapePool, scrapeInterval }) => `${scrapePool} ${scrapeInterval}`,
    );
    return pools.sort().join() === 'changes 2s,stays 500ms' ? true : undefined;
  });
  const removedAt = performance.now();
  await target.scraped('/stays', 6);

  assertNoGap(target.times('/stays'), 'unchanged');
  assert.equal(target.broken, 0, 'no scrape was broken off');
  assert.ok((target.times('/goes').at(-1) ?? 0) < removedAt + intervalMs, 'the removed one is left alone');
  const slow = target.times('/changes').filter((time) => time > removedAt);
  assert.ok(slow.length <= 3, `${slow.length} scrapes at the longer interval`);

  await until('a staleness marker', 10_000, async () => {
    const current = (await (await fetch(`${url}/api/v1/query?query=value`)).json()) as {
      data: { result: { metric: { path: string } }[] };
    };
    return current.data.result.every(({ metric: { path } }) => path !== '/goes') ? true : undefined;
  });
  const samples = await matrix(url, 'value[2m]');
  const stays = (samples['/stays'] ?? []).map(([time]) => time * 1000);
  assertNoGap(stays, 'stored samples');
  assert.ok(stays.length >= target.times('/stays').length - 1, 'every scrape is stored');
  // At one offset in the interval from first to last.
  const offsets = new Set(stays.map((time) => Math.round((time % intervalMs) / 50)));
  assert.ok(offsets.size <= 2, [...offsets].join());
});

test('a bad file leaves the old configuration at work, and everybody is told why', {
  timeout: testTimeoutMs,
}, async (context) => {
  const flags = ['--enable-feature=auto-reload-config', '--config.auto-reload-interval=1s'];
  const { url, target, address, write } = await start(context, (at) => jobs(at, { path: 'a' }), flags);
  await target.scraped('/a', 1);
  const goodAt = await metric(url, 'prometheus_config_last_reload_success_timestamp_seconds');
  assert.equal(await metric(url, 'prometheus_config_last_reload_successful'), 1);

  write('global: {scrape_interval: 5x}\n');
  const response = await reload(url);
  assert.equal(response.status, 500);
  assert.match(
    await response.text(),
    /^failed to reload config: couldn't load configuration \(--config\.file="\/.*prometheus\.yml"\): parsing YAML file .*: line 1: global\.scrape_interval: unknown unit "x" in duration "5x"\n?$/,
  );
  assert.equal(await metric(url, 'prometheus_config_last_reload_successful'), 0);
  assert.equal(await metric(url, 'prometheus_config_last_reload_success_timestamp_seconds'), goodAt);

  write(jobs(address, { path: 'a', extra: ', tls_config: {ca_file: nowhere.pem}' }));
  assert.match(await (await reload(url)).text(), /applying the new configuration .*nowhere\.pem/);
  await target.scraped('/a', 3);
  assertNoGap(target.times('/a'), 'while files are bad');

  // Nobody asks for this one.
  write(jobs(address, { path: 'a' }, { path: 'b' }));
  await target.scraped('/b', 1);
  assert.equal(await metric(url, 'prometheus_config_last_reload_successful'), 1);
  assertNoGap(target.times('/a'), 'after all');
});
