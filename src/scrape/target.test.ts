import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labels } from '../model/index.ts';
import type { ScrapeConfig } from './config_types.ts';
import { nextScrapeMs, scrapeTimestampMs, targetOffsetMs } from './schedule.ts';
import { populateTarget, type Target } from './target.ts';
import { scrapeConfig } from './testing/fixtures.ts';

function target(labels: Record<string, string>, changes: Partial<ScrapeConfig> = {}): Target {
  const found = populateTarget(Labels.fromRecord(labels), scrapeConfig(changes));
  assert.equal(found.kind, 'target', found.kind === 'invalid' ? found.error.message : found.kind);
  return found as Target;
}

const reason = (labels: Record<string, string>, changes: Partial<ScrapeConfig> = {}): string => {
  const found = populateTarget(Labels.fromRecord(labels), scrapeConfig(changes));
  return found.kind === 'invalid' ? found.error.message : found.kind;
};

test('defaults come from the job, discovered labels win, meta labels vanish', () => {
  const found = target(
    { __address__: 'host:80', __meta_x: '1', __scheme__: 'https', own: 'v' },
    { params: { m: ['a', 'b'] } },
  );
  assert.deepEqual(found.labels.toRecord(), {
    __address__: 'host:80',
    __metrics_path__: '/metrics',
    __param_m: 'a',
    __scheme__: 'https',
    __scrape_interval__: '10s',
    __scrape_timeout__: '5s',
    instance: 'host:80',
    job: 'test',
    own: 'v',
  });
  assert.deepEqual(found.publicLabels.toRecord(), { instance: 'host:80', job: 'test', own: 'v' });
  assert.equal(found.discoveredLabels.get('__meta_x'), '1');
  assert.equal(found.url, 'https://host:80/metrics?m=a&m=b');
  assert.equal(found.intervalMs, 10_000);
  assert.equal(found.timeoutMs, 5_000);
});

test('relabeling may steer the scrape: address, parameter, interval', () => {
  const base = { sourceLabels: [], separator: ';', regex: '(.*)', modulus: 0 };
  const found = target(
    { __address__: 'probed' },
    {
      metricsPath: '/probe?x',
      relabelConfigs: [
        {
          ...base,
          action: 'replace',
          sourceLabels: ['__address__'],
          targetLabel: '__param_target',
          replacement: '$1',
        },
        { ...base, action: 'replace', targetLabel: '__address__', replacement: 'exporter:9115' },
        { ...base, action: 'replace', targetLabel: '__scrape_interval__', replacement: '1m' },
        { ...base, action: 'replace', targetLabel: 'instance', replacement: 'me' },
      ],
    },
  );
  assert.equal(found.url, 'http://exporter:9115/probe%3Fx?target=probed');
  assert.equal(found.intervalMs, 60_000);
  assert.equal(found.publicLabels.get('instance'), 'me');
});

test('a dropped target keeps its discovered labels', () => {
  const drop = {
    action: 'drop',
    sourceLabels: ['a'],
    separator: ';',
    regex: 'x',
    modulus: 0,
    targetLabel: '',
    replacement: '$1',
  } as const;
  const found = populateTarget(
    Labels.fromRecord({ __address__: 'h', a: 'x' }),
    scrapeConfig({ relabelConfigs: [drop] }),
  );
  assert.equal(found.kind, 'dropped');
  assert.equal(found.discoveredLabels.get('job'), 'test');
});

test('what is no target says why, as Prometheus does', () => {
  assert.equal(reason({ a: 'b' }), 'no address');
  assert.equal(reason({ __address__: 'http://x' }), '"http://x" is not a valid hostname');
  assert.match(
    reason({ __address__: 'x', __scrape_interval__: 'nonsense' }),
    /^error parsing scrape interval: /,
  );
  assert.equal(reason({ __address__: 'x', __scrape_interval__: '0s' }), 'scrape interval cannot be 0');
  assert.equal(
    reason({ __address__: 'x', __scrape_interval__: '1s', __scrape_timeout__: '2s' }),
    'scrape timeout cannot be greater than scrape interval ("2s" > "1s")',
  );
  assert.equal(reason({ __address__: 'a b c' }), 'target');
});

test('offsets spread evenly and scrape times are absolute', () => {
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 5000; i++) {
    const offset = targetOffsetMs(Labels.fromRecord({ instance: String(i) }).hash(), 10_000, 42n);
    assert.ok(offset >= 0 && offset < 10_000);
    const bucket = Math.floor(offset / 1000);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  assert.ok(Math.min(...counts) > 400 && Math.max(...counts) < 600, String(counts));
  assert.equal(nextScrapeMs(100_000, 10_000, 2_500), 102_500);
  assert.equal(nextScrapeMs(102_500, 10_000, 2_500), 112_500);
  assert.equal(nextScrapeMs(102_499, 10_000, 2_500), 102_500);
});

test('timestamps follow the schedule within the tolerance', () => {
  assert.equal(scrapeTimestampMs(10_002, 10_000, 10_000), 10_000);
  assert.equal(scrapeTimestampMs(10_003, 10_000, 10_000), 10_003);
  assert.equal(scrapeTimestampMs(10_002, 10_000, 100), 10_002);
  assert.equal(scrapeTimestampMs(10_050, 10_000, 10_000, 60), 10_000);
  assert.equal(scrapeTimestampMs(10_001, 10_000, 10_000, 0), 10_001);
});
