import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labels, setStaleNaN } from '../model/index.ts';
import type { ScrapeConfig } from './config_types.ts';
import { ScrapeError } from './errors.ts';
import type { HttpAnswer } from './http_client.ts';
import type { ScrapeLoop, ScrapeResult } from './loop.ts';
import { batchLines, clientOf, loopOver, scrapeConfig } from './testing/fixtures.ts';

const loopOf = (
  answers: (string | Uint8Array | Error)[],
  changes: Partial<ScrapeConfig> = {},
  contentType?: string,
): Promise<ScrapeLoop> => loopOver('h:1', scrapeConfig(changes), { client: clientOf(answers, contentType) });

/** The samples without report series and without the target's labels. */
const samples = (result: ScrapeResult): string[] =>
  batchLines(result.batch)
    .filter((line) => !/^(up|scrape_)/.test(line))
    .map((line) => line.replace(/instance="h:1", job="test"(, )?/, '').replace('{}', ''));

type Report = Partial<
  Record<'up' | 'samples_scraped' | 'samples_post_metric_relabeling' | 'series_added', number>
>;

const report = (result: ScrapeResult): Report =>
  Object.fromEntries(
    batchLines(result.batch)
      .map((line) => /^(up|scrape_\w+)\{instance="h:1", job="test"\} (\S+)/.exec(line))
      .filter((match) => match !== null)
      .map((match) => [String(match[1]).replace('scrape_', ''), Number(match[2])]),
  );

test('a good scrape carries samples and the report, stamped with the scheduled time', async () => {
  const loop = await loopOf(['a 1\nb{x="y"} 2\n', 'a 3\nb{x="y"} 4\n']);
  const first = await loop.scrape(1000);
  assert.deepEqual(batchLines(first.batch).slice(0, 2), [
    'a{instance="h:1", job="test"} 1 @1000',
    'b{instance="h:1", job="test", x="y"} 2 @1000',
  ]);
  assert.equal(first.health, 'up');
  assert.deepEqual(
    { ...report(first), duration_seconds: 0 },
    { up: 1, duration_seconds: 0, samples_scraped: 2, samples_post_metric_relabeling: 2, series_added: 2 },
  );
  const second = await loop.scrape(2000);
  assert.equal(report(second).series_added, 0);
  assert.equal(second.batch.series[0], first.batch.series[0], 'a known series is the same object');
});

test('a vanished series gets one marker and counts as added when it is back', async () => {
  const loop = await loopOf(['a 1\nb 1\n', 'a 1\n', 'a 1\n', 'a 1\nb 1\n']);
  await loop.scrape(1000);
  assert.deepEqual(samples(await loop.scrape(2000)), ['a 1 @2000', 'b stale @2000']);
  assert.deepEqual(samples(await loop.scrape(3000)), ['a 1 @3000']);
  assert.equal(report(await loop.scrape(4000)).series_added, 1);
});

test('the marker has the bits that Prometheus gives it', async () => {
  const loop = await loopOf(['a NaN\n', new ScrapeError('request', 'down')]);
  const first = await loop.scrape(1000);
  const second = await loop.scrape(2000);
  const bits = (values: Float64Array): bigint | undefined => new BigUint64Array(values.slice().buffer)[0];
  assert.equal(bits(first.batch.values), 0x7ff8_0000_0000_0001n);
  const marker = new Float64Array(1);
  setStaleNaN(marker, 0);
  assert.equal(bits(second.batch.values), bits(marker));
});

test('a failed scrape keeps nothing, marks everything that the last good one held, and up is 0', async () => {
  const failures: [string | Error, RegExp][] = [
    ['a 2\nc 1\nbroken{\n', /^expected label name, got "\\n" \("INVALID"\) while parsing: "broken{\\n"$/],
    [new ScrapeError('timeout', 'context deadline exceeded'), /deadline/],
  ];
  for (const [answer, reason] of failures) {
    const loop = await loopOf(['a 1\nb 1\n', answer, 'a 1\nb 1\n']);
    await loop.scrape(1000);
    const failed = await loop.scrape(2000);
    assert.deepEqual(samples(failed), ['a stale @2000', 'b stale @2000']);
    assert.equal(failed.health, 'down');
    assert.match(failed.lastError, reason);
    assert.equal(report(failed).up, 0);
    assert.deepEqual(samples(await loop.scrape(3000)), ['a 1 @3000', 'b 1 @3000']);
  }
});

test('an empty body is a good scrape of nothing', async () => {
  const loop = await loopOf(['a 1\n', ''], {}, 'text/plain');
  await loop.scrape(1000);
  const empty = await loop.scrape(2000);
  assert.deepEqual(samples(empty), ['a stale @2000']);
  assert.equal(report(empty).up, 1);
});

test('explicit timestamps are honored, go without markers, and can be ignored or tracked', async () => {
  const bodies = ['a 1 500\n', 'b 1\n'];
  const honored = await loopOf(bodies);
  assert.deepEqual(samples(await honored.scrape(1000)), ['a 1 @500']);
  assert.deepEqual(samples(await honored.scrape(2000)), ['b 1 @2000']);
  const tracked = await loopOf(bodies, { trackTimestampsStaleness: true });
  await tracked.scrape(1000);
  assert.deepEqual(samples(await tracked.scrape(2000)), ['b 1 @2000', 'a stale @2000']);
  const ignored = await loopOf(bodies, { honorTimestamps: false });
  assert.deepEqual(samples(await ignored.scrape(1000)), ['a 1 @1000']);
});

test('a sample more than ten minutes ahead is dropped and counted', async () => {
  const loop = await loopOf([`a 1 ${Date.now() + 700_000}\nb 1\n`]);
  const result = await loop.scrape(1000);
  assert.deepEqual(samples(result), ['b 1 @1000']);
  assert.equal(result.counts.outOfBounds, 1);
});

test('an OpenMetrics time that is no number of milliseconds costs the target that sample alone', async () => {
  for (const seconds of ['-1e300', '1e300', '-9007199254741']) {
    const loop = await loopOf(
      [`a 1 ${seconds}\nb 1\n# EOF\n`],
      {},
      'application/openmetrics-text; version=1.0.0',
    );
    const result = await loop.scrape(1000);
    assert.deepEqual(samples(result), ['b 1 @1000'], seconds);
    assert.equal(result.counts.outOfBounds, 1, seconds);
  }
});

test('a series repeated in one exposition counts, its first sample stays', async () => {
  const loop = await loopOf(['a 1\na 2\nb{x="1",y="2"} 1\nb{y="2",x="1"} 1\n']);
  const result = await loop.scrape(1000);
  assert.equal(result.counts.duplicates, 1);
  assert.equal(report(result).samples_post_metric_relabeling, 4);
  assert.equal(result.batch.series.length, 2 + 5, 'two spellings of a series are one entry of the batch');
});

test('another spelling of a series is not its end', async () => {
  const loop = await loopOf(['b{x="1",y="2"} 1\n', 'b{y="2",x="1"} 1\n']);
  await loop.scrape(1000);
  assert.equal(samples(await loop.scrape(2000)).length, 1);
});

test('honor_labels decides collisions with target labels', async () => {
  const body = 'a{job="mine",exported_job="older",instance=""} 1\n';
  const renamed = (await (await loopOf([body])).scrape(1)).batch.series[0] as Labels;
  assert.deepEqual(renamed.toRecord(), {
    __name__: 'a',
    exported_exported_job: 'mine',
    exported_job: 'older',
    instance: 'h:1',
    job: 'test',
  });
  const honored = (await (await loopOf([body], { honorLabels: true })).scrape(1)).batch.series[0] as Labels;
  assert.deepEqual(honored.toRecord(), { __name__: 'a', exported_job: 'older', job: 'mine' });
});

test('metric relabeling drops before limits count, limits fail the whole scrape', async () => {
  const drop = {
    action: 'drop',
    sourceLabels: ['__name__'],
    separator: ';',
    regex: 'a',
    modulus: 0,
    targetLabel: '',
    replacement: '$1',
  } as const;
  const body = 'a 1\nb 1\nc 1\n';
  const within = await (await loopOf([body], { metricRelabelConfigs: [drop], sampleLimit: 2 })).scrape(1);
  assert.equal(within.health, 'up');
  assert.equal(report(within).samples_post_metric_relabeling, 2);
  const over = await (await loopOf([body], { sampleLimit: 2 })).scrape(1);
  assert.equal(over.lastError, 'sample limit exceeded');
  assert.deepEqual(samples(over), []);
  assert.equal(report(over).samples_scraped, 3);
  assert.equal(report(over).series_added, 2, 'what comes after the limit does not count');
  const limits: [Partial<ScrapeConfig>, RegExp][] = [
    [{ labelLimit: 2 }, /^label_limit exceeded \(metric: a, number of labels: 3, limit: 2\)/],
    [{ labelNameLengthLimit: 7 }, /^label_name_length_limit exceeded/],
    [{ labelValueLengthLimit: 2 }, /^label_value_length_limit exceeded/],
  ];
  for (const [limit, reason] of limits) {
    assert.match((await (await loopOf([body], limit)).scrape(1)).lastError, reason);
  }
});

test('a repeated label name, or a name that the job does not allow, fails the scrape', async () => {
  assert.match((await (await loopOf(['a{x="1",x="2"} 1\n'])).scrape(1)).lastError, /not unique/);
  const legacy = await loopOf(['c 1\n{"a.b"} 1\nd 1\n'], { metricNameValidationScheme: 'legacy' });
  const ended = await legacy.scrape(1);
  assert.match(ended.lastError, /invalid metric name or label names/);
  assert.equal(report(ended).samples_scraped, 2, 'the sample that ended the scrape counts');
});

test('without a valid Content-Type only a fallback protocol helps', async () => {
  for (const [type, reason] of [
    ['', /blank Content-Type/],
    ['text/html', /unsupported Content-Type/],
    ['nonsense', /unsupported Content-Type/],
    ['/x', /^cannot parse Content-Type "\/x" .*\nmime: no media type$/],
    [
      'application/vnd.google.protobuf',
      /^clientpb: insufficient length of buffer, expected at least 98 bytes, got 4/,
    ],
  ] as const) {
    assert.match((await (await loopOf(['a 1\n'], {}, type)).scrape(1)).lastError, reason);
    if (type.startsWith('application/')) continue;
    const fallback = await loopOf(['a 1\n'], { fallbackScrapeProtocol: 'PrometheusText0.0.4' }, type);
    assert.equal((await fallback.scrape(1)).health, 'up');
  }
  const openMetrics = await loopOf(
    ['a 1\n'],
    {},
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  );
  assert.match((await openMetrics.scrape(1)).lastError, /# EOF/);
});

test('the end of a target marks its series and the report, also what a predecessor tracked', async () => {
  const loop = await loopOf(['a 1\n']);
  await loop.scrape(1000);
  const last = batchLines(loop.endOfLife(2000));
  assert.equal(last.length, 6);
  assert.ok(
    last.every((line) => line.endsWith(' stale @2000')),
    String(last),
  );

  const inherited = [
    Labels.fromRecord({ __name__: 'old' }),
    Labels.fromRecord({ __name__: 'a', instance: 'h:1', job: 'test' }),
  ];
  const successor = await loopOver('h:1', scrapeConfig(), { client: clientOf(['a 1\n']), inherited });
  assert.deepEqual(samples(await successor.scrape(1000)), ['a 1 @1000', 'old stale @1000']);
});

test('what is well written in one format is judged anew in another, as the same series', async () => {
  const body = 'a{x="1", y="2"} 1\nb 1\n';
  const answers = [
    { body, contentType: 'text/plain' },
    { body: `${body}# EOF\n`, contentType: 'application/openmetrics-text' },
    { body: 'b 1\n# EOF\n', contentType: 'application/openmetrics-text' },
    { body, contentType: 'text/plain' },
  ];
  const get = async (): Promise<HttpAnswer> => {
    const answer = answers.shift();
    assert.ok(answer);
    return { contentType: answer.contentType, body: new TextEncoder().encode(answer.body) };
  };
  const loop = await loopOver('h:1', scrapeConfig(), { client: { ...clientOf([]), get } });
  const added: (number | undefined)[] = [];
  const errors: string[] = [];
  while (answers.length > 0) {
    const result = await loop.scrape(1000 * (4 - answers.length));
    added.push(report(result).series_added);
    errors.push(result.lastError);
  }
  assert.match(String(errors.splice(1, 1)), /^expected label name, got " " \("INVALID"\)/);
  assert.deepEqual(errors, ['', '', '']);
  assert.deepEqual(added, [2, 0, 0, 1]);
});

test('metadata is kept and forgotten only long after its last mention', async () => {
  const loop = await loopOf([
    '# HELP a Line\\none\n# TYPE a counter\na 1\n',
    ...new Array<string>(12).fill('a 1\n'),
  ]);
  await loop.scrape(1);
  assert.deepEqual(loop.metadata.list(), [{ family: 'a', type: 'counter', help: 'Line\none', unit: '' }]);
  for (let i = 0; i < 9; i++) await loop.scrape(2 + i);
  assert.equal(loop.metadata.get('a')?.type, 'counter');
  for (let i = 0; i < 3; i++) await loop.scrape(20 + i);
  assert.equal(loop.metadata.size, 0);
});

test('a target whose series change all the time does not grow the cache', async () => {
  const body = (round: number): string =>
    Array.from({ length: 500 }, (_, i) => `a{round="${round}",i="${i}"} 1\n`).join('');
  const rounds = 12;
  const loop = await loopOf([
    ...Array.from({ length: rounds }, (_, round) => body(round)),
    ...Array.from({ length: rounds }, (_, round) => `${body(100 + round)}broken`),
    body(0),
  ]);
  for (let round = 0; round < rounds; round++) {
    const result = await loop.scrape(round);
    assert.equal(result.batch.refs.length, 500 + 5 + (round === 0 ? 0 : 500));
  }
  for (let round = 0; round < rounds; round++) assert.equal((await loop.scrape(100 + round)).health, 'down');
  assert.ok(loop.cachedSpellings <= 2500, String(loop.cachedSpellings));
  assert.deepEqual((await loop.scrape(1000)).counts, {
    scraped: 500,
    kept: 500,
    seriesAdded: 500,
    duplicates: 0,
    outOfBounds: 0,
  });
});
