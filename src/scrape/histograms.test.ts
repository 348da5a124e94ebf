import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { CounterResetHint } from '../model/index.ts';
import type { ScrapeConfig } from './config_types.ts';
import { withScrapeFeatures } from './features.ts';
import { schemaOfFactor } from './histogram_limits.ts';
import type { ScrapeLoop, ScrapeResult } from './loop.ts';
import { createScrapeMetrics } from './metrics.ts';
import { defaultProtocols, protoFirstProtocols } from './protocols.ts';
import { batchLines, clientOf, loopOver, scrapeConfig } from './testing/fixtures.ts';
import {
  double,
  exposition,
  family,
  int,
  message,
  nativeFields,
  packed,
  timestamp,
  types,
  zigzag,
} from './testing/proto_writer.ts';

const protobuf =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const openMetrics = 'application/openmetrics-text; version=1.0.0';

const registry = (): { registry: Registry; count: (name: string) => Promise<number> } => {
  const own = new Registry();
  return {
    registry: own,
    count: async (name) => (await own.getSingleMetric(name)?.get())?.values[0]?.value ?? 0,
  };
};

const loopOf = (
  answers: (string | Uint8Array)[],
  changes: Partial<ScrapeConfig> = {},
  contentType = protobuf,
  own: Registry = new Registry(),
): Promise<ScrapeLoop> =>
  loopOver('h:1', scrapeConfig({ scrapeNativeHistograms: true, ...changes }), {
    client: clientOf(answers, contentType),
    metrics: createScrapeMetrics(own),
  });

/** Samples without report and target labels; native histograms as text. */
const samples = ({ batch }: ScrapeResult): string[] =>
  batchLines(batch)
    .map((line, i) => {
      const histogram = batch.histograms?.[i];
      if (histogram === null || histogram === undefined) return line;
      const shown = histogram.isStale ? 'stale' : `${histogram}`;
      return line.replace(' 0 @', ` ${shown} @`);
    })
    .filter((line) => !/^(up|scrape_)/.test(line))
    .map((line) => line.replace(/instance="h:1", job="test"(, )?/, '').replace('{}', ''));

const native = family('h', types.histogram, [[message(7, ...nativeFields)]]);
const nativeText =
  'h {count:7, sum:12.5, [-0.5,-0.35355339059327373):1, [-0.001,0.001]:1, (0.7071067811865475,1]:2, (1,1.414213562373095]:3}';

test('native histograms are stored where they are wanted, and end with a marker of their kind', async () => {
  const loop = await loopOf([native, exposition(family('g', types.gauge, [[message(2, double(1, 1))]]))]);
  assert.deepEqual(samples(await loop.scrape(1000)), [`${nativeText} @1000`]);
  const second = await loop.scrape(2000);
  assert.deepEqual(samples(second), ['g 1 @2000', 'h stale @2000']);
  assert.equal(second.batch.histograms?.[1]?.isStale, true);
  const gauge = await loopOf([family('h', types.gaugeHistogram, [[message(7, ...nativeFields)]])]);
  const [histogram] = (await gauge.scrape(1000)).batch.histograms ?? [];
  assert.equal(histogram?.counterResetHint, CounterResetHint.Gauge);
  const off = await (await loopOf([native], { scrapeNativeHistograms: false })).scrape(1000);
  assert.deepEqual(samples(off), []);
  assert.deepEqual([off.health, off.counts.scraped, off.counts.kept], ['up', 1, 0]);
});

test('a histogram that contradicts itself fails the scrape with the reason', async () => {
  const bad = family('h', types.histogram, [[message(7, ...nativeFields, int(1, 9))]]);
  const result = await (await loopOf([bad])).scrape(1000);
  assert.equal(result.health, 'down');
  assert.match(result.lastError, /7 observations found in buckets, but the count is 9/);
});

test('too many buckets lower the resolution; where that does not help, the scrape fails and is counted', async () => {
  const spans = message(12, int(1, zigzag(1)), int(2, 4));
  const four = [message(7, int(1, 4), int(5, zigzag(1)), spans, packed(13, [1, 0, 0, 0]))];
  const wide = family('h', types.histogram, [four]);
  const within = await (await loopOf([wide], { nativeHistogramBucketLimit: 2 })).scrape(1000);
  const histogram = within.batch.histograms?.[0];
  assert.deepEqual([histogram?.schema, [...(histogram?.positiveBuckets ?? [])]], [0, [2, 2]]);
  const { registry: own, count } = registry();
  const over = await (await loopOf([native], { nativeHistogramBucketLimit: 1 }, protobuf, own)).scrape(1000);
  assert.equal(over.lastError, 'histogram bucket limit exceeded');
  assert.deepEqual(samples(over), []);
  assert.equal(await count('prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total'), 1);
});

test('the factor between buckets sets the finest schema', async () => {
  assert.deepEqual(
    [0, 1, 1.002, 1.00271, 1.1, 1.5, 2, 4, 1e9].map(schemaOfFactor),
    [8, 8, 8, 8, 2, 0, 0, -1, -4],
  );
  const result = await (await loopOf([native], { nativeHistogramMinBucketFactor: 1.5 })).scrape(1000);
  assert.equal(result.batch.histograms?.[0]?.schema, 0);
});

test('classic histograms become native ones with custom buckets, counted as they are stored', async () => {
  const text = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 3\nh_sum 2\nh_count 3\ng 1\n';
  const loop = await loopOf([text, text, 'g 1\n'], { convertClassicHistogramsToNhcb: true }, 'text/plain');
  const first = await loop.scrape(1000);
  assert.deepEqual(
    samples(first),
    ['h {count:3, sum:2, [-Inf,1]:1, (1,+Inf]:2} @1000', 'g 1 @1000'].sort().reverse(),
  );
  assert.deepEqual([first.counts.scraped, first.counts.kept, first.counts.seriesAdded], [2, 2, 2]);
  const second = await loop.scrape(2000);
  assert.equal(second.counts.seriesAdded, 0);
  assert.deepEqual(samples(await loop.scrape(3000)), ['g 1 @3000', 'h stale @3000']);
});

const counterAt = (value: number, startMs: number): Uint8Array =>
  exposition(
    family('c_total', types.counter, [[message(3, double(1, value), timestamp(3, startMs))]]),
    family('h', types.histogram, [[message(7, ...nativeFields, timestamp(15, startMs))]]),
  );
const startTimes = { features: { startTimeZeroSamples: true, typeAndUnitLabels: false } };

test('a counter that began since its last sample was zero at its start', async () => {
  const loop = await loopOf(
    [counterAt(1, 600), counterAt(2, 600), counterAt(1, 2500), counterAt(1, 9000), counterAt(1, 0)],
    startTimes,
  );
  const first = await loop.scrape(1000);
  assert.deepEqual(samples(first), [
    'c_total 0 @600',
    'c_total 1 @1000',
    'h {count:0, sum:0} @600',
    `${nativeText} @1000`,
  ]);
  assert.deepEqual([first.zeros, first.exposedSamples], [[0, 2], 4]);
  assert.equal(samples(await loop.scrape(2000)).length, 2, 'the same start');
  assert.deepEqual(samples(await loop.scrape(3000)).slice(0, 2), ['c_total 0 @2500', 'c_total 1 @3000']);
  assert.equal(samples(await loop.scrape(4000)).length, 2, 'a start in the future');
  assert.equal(samples(await loop.scrape(5000)).length, 2, 'none');
  const old = await (await loopOf([counterAt(1, 1)], startTimes)).scrape(3_600_002);
  assert.equal(samples(old).length, 2, 'further back than the head reaches');
  const off = await (await loopOf([counterAt(1, 600)])).scrape(1000);
  assert.equal(samples(off).length, 2);
});

test('OpenMetrics tells start times by _created lines, which are then no series', async () => {
  const text =
    '# TYPE a counter\na_total{x="1"} 5\na_total{x="2"} 6\na_created{x="2"} 0.5\n' +
    '# TYPE s summary\ns{quantile="0.5",y="1"} 2\ns_count{y="1"} 2\ns_created{y="1"} 0.75\n' +
    '# TYPE g gauge\ng_created 3\n# EOF\n';
  const on = await (await loopOf([text], startTimes, openMetrics)).scrape(1000);
  assert.deepEqual(samples(on), [
    'a_total{x="1"} 5 @1000',
    'a_total{x="2"} 0 @500',
    'a_total{x="2"} 6 @1000',
    's{quantile="0.5", y="1"} 0 @750',
    's{quantile="0.5", y="1"} 2 @1000',
    's_count{y="1"} 0 @750',
    's_count{y="1"} 2 @1000',
    'g_created 3 @1000',
  ]);
  assert.equal(on.counts.scraped, 5);
  const off = await (await loopOf([text], {}, openMetrics)).scrape(1000);
  assert.equal(off.counts.scraped, 7);
});

test('features change what jobs do, and ask for protobuf first unless the job names its protocols', () => {
  const own = ['PrometheusText0.0.4'] as const;
  const jobs = [scrapeConfig({ scrapeProtocols: defaultProtocols }), scrapeConfig({ scrapeProtocols: own })];
  const [first, second] = withScrapeFeatures(jobs, ['native-histograms', 'type-and-unit-labels']);
  assert.equal(first?.scrapeProtocols, protoFirstProtocols);
  assert.equal(second?.scrapeProtocols, own);
  assert.deepEqual(first?.features, { startTimeZeroSamples: false, typeAndUnitLabels: true });
  assert.ok(first?.scrapeNativeHistograms && !first.extraScrapeMetrics);
  assert.equal(withScrapeFeatures(jobs, [])[0]?.scrapeProtocols, defaultProtocols);
});

test('the sample limit counts no histograms, and samples too far ahead as well', async () => {
  const many = exposition(
    native,
    family('i', types.histogram, [[message(7, ...nativeFields)]]),
    counterAt(1, 0),
  );
  assert.equal((await (await loopOf([many], { sampleLimit: 1 })).scrape(1000)).lastError, '');
  const ahead = Date.now() + 700_000;
  const both = `a 1 ${ahead}\nb 1\n`;
  const over = await (await loopOf([both], { sampleLimit: 1 }, 'text/plain')).scrape(1000);
  assert.equal(over.lastError, 'sample limit exceeded');
});

test('a schema finer than any that is kept is read at the finest', async () => {
  const fine = family('h', types.histogram, [
    [message(7, int(1, 2), int(5, zigzag(9)), message(12, int(1, zigzag(0)), int(2, 2)), packed(13, [1, 0]))],
  ]);
  const result = await (await loopOf([fine])).scrape(1000);
  assert.equal(result.lastError, '');
  assert.equal(result.batch.histograms?.[0]?.schema, 8);
});
