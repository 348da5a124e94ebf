/**
 * A real Prometheus and a node of ours on the same misbehaving targets: at each scrape the same series with the same values
 * are there, the same are gone, and both say the same of what went wrong.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { delay, systemClock } from '../../src/base/index.ts';
import { api, type LabelRecord, labelText } from './compare.ts';
import { freePorts, skipWithoutPeers, startCluster, startReal, testDirectory } from './programs.ts';
import { jobFields, scripts, serveScripts } from './scrape_scripts.ts';

const testTimeoutMs = 180_000;
/** Scrapes of every target that are compared, one a second. */
const scrapesCompared = 13;
/** Samples may be some seconds older than their scrape: so many more scrapes are awaited. */
const scrapesAfter = 7;
const pollMs = 250;
/**
 * What a bad exposition held before its fault: Prometheus leaves these series without a marker in that scrape, ours end. So
 * of such scrapes only what they say about themselves is compared.
 */
const seenBeforeFault: ReadonlySet<string> = new Set(['garbage', 'binary', 'limited', 'buckets', 'broken']);
const feature = '--enable-feature=native-histograms,exemplar-storage';

interface Result {
  readonly metric: LabelRecord;
  readonly value?: [number, string];
  readonly histogram?: [number, object];
  readonly values?: [number, string][];
}

async function resultsOf(url: string, query: string, time: number): Promise<Result[]> {
  const { data, error } = await api(url, 'query', { query, time: String(time) });
  assert.equal(error, undefined, query);
  return (data as { result: Result[] }).result;
}

/** When the job was scraped, in seconds. */
async function timesOf(url: string, job: string): Promise<number[]> {
  const [up] = await resultsOf(url, `up{job="${job}"}[120s]`, Date.now() / 1000 + 1);
  return (up?.values ?? []).map(([time]) => time);
}

/** What there is at one scrape: series, values, histograms. */
async function stateAt(url: string, job: string, time: number): Promise<string[]> {
  const results = await resultsOf(url, `{job="${job}",__name__!="scrape_duration_seconds"}`, time);
  const hasFailed = results.some(({ metric, value }) => metric['__name__'] === 'up' && value?.[1] === '0');
  const isPartial = hasFailed && seenBeforeFault.has(job);
  return results
    .filter(({ metric }) => !isPartial || /^(up|scrape_.*)$/.test(metric['__name__'] ?? ''))
    .map(
      ({ metric, value, histogram }) => `${labelText(metric)} ${JSON.stringify((histogram ?? value)?.[1])}`,
    )
    .sort();
}

/** Without the ports that differ from one connection to the next. */
const settled = (error: string): string => error.replace(/127\.0\.0\.1:\d+->/g, '');

async function noteErrors(url: string, errors: Map<string, Set<string>>): Promise<void> {
  const { data } = await api(url, 'targets', { state: 'active' });
  for (const { scrapePool, lastError } of (
    data as { activeTargets: { scrapePool: string; lastError: string }[] }
  ).activeTargets) {
    if (lastError !== '') {
      const known = errors.get(scrapePool) ?? new Set();
      errors.set(scrapePool, known.add(settled(lastError)));
    }
  }
}

test('at every scrape of a misbehaving target the same is there as with a real Prometheus', {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const targets = await serveScripts();
  context.after(() => {
    targets.close();
    targets.closeAllConnections();
  });
  const address = `127.0.0.1:${(targets.address() as AddressInfo).port}`;
  const jobs = Object.keys(scripts).map((name) => {
    const fields = jobFields[name] === undefined ? '' : `, ${jobFields[name]}`;
    return `- {job_name: ${name}, metrics_path: /${name}, static_configs: [{targets: ["${address}"]}]${fields}}`;
  });
  const directory = testDirectory(context);
  const config = join(directory, 'prometheus.yml');
  const settings = 'global: {scrape_interval: 1s, scrape_timeout: 900ms}';
  writeFileSync(config, `${settings}\nscrape_configs:\n${jobs.join('\n')}\n`);
  const [port = 0] = await freePorts(1);
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${directory}/tsdb`, feature];
  const real = await startReal(context, 'prometheus', port, flags);
  const [ours] = await startCluster(context, 1, config, [feature]);
  assert.ok(ours);
  const urls = [real.url, ours.url];
  const errors = new Map(urls.map((url) => [url, new Map<string, Set<string>>()]));
  for (let isDone = false; !isDone; ) {
    await delay(systemClock, pollMs, context.signal);
    for (const url of urls) await noteErrors(url, errors.get(url) ?? new Map());
    const counts = await Promise.all(urls.map(async (url) => (await timesOf(url, 'churning')).length));
    isDone = counts.every((count) => count > scrapesCompared + scrapesAfter);
  }
  for (const job of Object.keys(scripts)) {
    await context.test(job, async () => {
      const [realTimes, ourTimes] = await Promise.all(urls.map((url) => timesOf(url, job)));
      for (let i = 0; i < scrapesCompared; i++) {
        const expected = await stateAt(real.url, job, realTimes?.[i] ?? 0);
        assert.ok(expected.length >= 4, `scrape ${i + 1}`);
        assert.deepEqual(await stateAt(ours.url, job, ourTimes?.[i] ?? 0), expected, `scrape ${i + 1}`);
      }
      const said = (url: string): string[] => [...(errors.get(url)?.get(job) ?? [])].sort();
      // An error stands for a second: one of the two may have been missed.
      if (said(ours.url).length > 0 && said(real.url).length > 0) {
        assert.deepEqual(said(ours.url), said(real.url));
      }
    });
  }
  await context.test('exemplars', async () => {
    const exemplarsOf = async (url: string): Promise<string[]> => {
      const now = Date.now() / 1000;
      const span = { start: String(now - 120), end: String(now + 1) };
      const { data } = await api(url, 'query_exemplars', { query: 'a_total{job="exemplars"}', ...span });
      const [series] = data as { exemplars: { labels: LabelRecord; value: string }[] }[];
      const all = (series?.exemplars ?? []).map(({ labels, value }) => `${labelText(labels)} ${value}`);
      return all.slice(0, scrapesCompared);
    };
    const expected = await exemplarsOf(real.url);
    assert.equal(expected.length, scrapesCompared);
    assert.deepEqual(await exemplarsOf(ours.url), expected);
  });
});
