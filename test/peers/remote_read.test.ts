/**
 * The same data is remote-written to a real Prometheus and to a node. Then both are federated from and remote-read from:
 * bodies are the same byte for byte or message for message, and another real Prometheus that reads from the node through
 * its remote_read section answers queries as the one that has the data itself.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type QuerySchema,
  ReadRequestSchema,
  ReadResponseSchema,
  WriteRequestSchema,
} from '../../proto/gen/prometheus/remote_pb.ts';
import type { HistogramSchema, TimeSeriesSchema } from '../../proto/gen/prometheus/types_pb.ts';
import { snappyCompress, snappyUncompress } from '../../src/remote/index.ts';
import { api, difference } from './compare.ts';
import { freePorts, skipWithoutPeers, startCluster, startReal, testDirectory } from './programs.ts';

type Series = MessageInitShape<typeof TimeSeriesSchema>;
type Histogram = MessageInitShape<typeof HistogramSchema>;

const stepMs = 10_000n;
const steps = 30;
const answerBytesMax = 1 << 26;

const values = [0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, 1_234_567, 1e-5, 0.1, 1e21, 5e-324];

function labels(given: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(given)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
}

function integerHistogram(step: number, timestamp: bigint): Histogram {
  const counts = [BigInt(step), BigInt(step * 2), BigInt(step % 20)] as const;
  const zero = BigInt(step % 7 === 0 ? 1 : 0);
  return {
    count: { case: 'countInt', value: counts[0] + counts[1] + counts[2] + zero },
    sum: step * 1.25,
    schema: 3,
    zeroThreshold: step < 20 ? 2.938735877055719e-39 : 1e-128,
    zeroCount: { case: 'zeroCountInt', value: zero },
    positiveSpans:
      step < 10
        ? [
            { offset: -1, length: 2 },
            { offset: 3, length: 1 },
          ]
        : [{ offset: -1, length: 3 }],
    positiveDeltas: [counts[0], counts[1] - counts[0], counts[2] - counts[1]],
    timestamp,
  };
}

function customHistogram(step: number, timestamp: bigint): Histogram {
  return {
    count: { case: 'countFloat', value: step + 1.5 },
    sum: step,
    schema: -53,
    customValues: [0.1, 0.25, 1.0001, 40_000],
    zeroCount: { case: 'zeroCountFloat', value: 0 },
    positiveSpans: [
      { offset: 0, length: 2 },
      { offset: 1, length: 1 },
    ],
    positiveCounts: [step + 0.5, 0.5, 0.5],
    timestamp,
  };
}

function seriesAt(step: number, timestamp: bigint): Series[] {
  const sample = (value: number): { value: number; timestamp: bigint }[] => [{ value, timestamp }];
  return [
    { labels: labels({ __name__: 'counter', job: 'j' }), samples: sample(step * 1.5) },
    ...values.map((_, i) => ({
      labels: labels({ __name__: 'values', i: String(i) }),
      samples: sample(values[(i + step) % values.length] as number),
    })),
    { labels: labels({ __name__: 'own', cluster: 'mine', text: 'a"b\\c\nd' }), samples: sample(step) },
    { labels: labels({ __name__: 'a name.with ü', 'l.b': 'x' }), samples: sample(step) },
    { labels: labels({ __name__: 'native' }), histograms: [integerHistogram(step, timestamp)] },
    {
      labels: labels({ __name__: 'native', g: '1' }),
      histograms: [{ ...integerHistogram(step, timestamp), resetHint: 3 }],
    },
    { labels: labels({ __name__: 'custom' }), histograms: [customHistogram(step, timestamp)] },
    step % 8 < 4
      ? { labels: labels({ __name__: 'mixed' }), samples: sample(step) }
      : { labels: labels({ __name__: 'mixed' }), histograms: [customHistogram(step, timestamp)] },
  ];
}

async function writeBoth(urls: readonly string[], startMs: bigint): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const timeseries = seriesAt(step, startMs + BigInt(step) * stepMs);
    const body = snappyCompress(toBinary(WriteRequestSchema, create(WriteRequestSchema, { timeseries })));
    for (const url of urls) {
      const response = await fetch(`${url}/api/v1/write`, { method: 'POST', body });
      assert.equal(response.status, 204, await response.text());
    }
  }
}

const selections = [
  'match[]={__name__=~".%2B"}',
  'match[]=counter&match[]=values',
  'match[]=values{i="3"}&match[]=values',
  'match[]=bad{',
  '',
  'match[]=nothing',
  'match[]={}',
  'match[]={zz=""}',
  'foo=%zz',
];
const family = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
const accepts = [
  '*/*',
  'text/plain;version=0.0.4;escaping=allow-utf-8',
  'application/openmetrics-text;version=1.0.0',
  family,
  `${family};escaping=values`,
  `${family};q=0.5,text/plain;q=0.9;escaping=dots`,
  'text/plain;escaping=values',
];

async function federated(url: string, query: string, accept: string): Promise<object> {
  const response = await fetch(`${url}/federate?${query}`, { headers: { accept } });
  const body = Buffer.from(await response.arrayBuffer()).toString('latin1');
  return { status: response.status, type: response.headers.get('content-type'), body };
}

type Query = MessageInitShape<typeof QuerySchema>;

async function readSamples(url: string, queries: Query[]): Promise<string[]> {
  const request = toBinary(ReadRequestSchema, create(ReadRequestSchema, { queries }));
  const response = await fetch(`${url}/api/v1/read`, { method: 'POST', body: snappyCompress(request) });
  assert.equal(response.status, 200);
  const body = snappyUncompress(new Uint8Array(await response.arrayBuffer()), answerBytesMax);
  const { results } = fromBinary(ReadResponseSchema, body);
  // The real one doesn't sort what it doesn't stream.
  return results.flatMap(({ timeseries }, i) => timeseries.map((series) => `${i} ${jsonOf(series)}`)).sort();
}

const gaugeHint = 3;

/** Whether a counter was reset is found out anew by whoever reads; the real one has looked already. */
function jsonOf(message: object): string {
  return JSON.stringify(message, (key, value: unknown) => {
    // The real one leaves the bounds out here, though not in chunks.
    if (key === 'customValues') return undefined;
    if (key === 'resetHint') return value === gaugeHint;
    const isText = typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value));
    return isText ? String(value) : value;
  });
}

/** The first series that differs, in short. */
function firstDifference(ours: readonly string[], real: readonly string[]): string | undefined {
  const longer = ours.length > real.length ? ours : real;
  const at = longer.findIndex((_, i) => ours[i] !== real[i]);
  if (at < 0) return undefined;
  const [a, b] = [ours[at] ?? '', real[at] ?? ''];
  const from = Math.max(0, [...a].findIndex((char, i) => char !== b[i]) - 100);
  return `series ${at} of ${real.length}: ours ...${a.slice(from, from + 200)}, real ...${b.slice(from, from + 200)}`;
}

test('federation and remote read give what a real Prometheus gives of the same data', {
  skip: skipWithoutPeers,
  timeout: 120_000,
}, async (context) => {
  const directory = testDirectory(context);
  const config = join(directory, 'prometheus.yml');
  writeFileSync(config, 'global: {external_labels: {cluster: c1, zone: z}}\n');
  const [realPort, readerPort] = (await freePorts(2)) as [number, number];
  const real = await startReal(context, 'prometheus', realPort, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/real`,
    '--web.enable-remote-write-receiver',
    '--enable-feature=native-histograms',
  ]);
  const [node] = await startCluster(context, 1, config);
  assert.ok(node);
  const nowMs = BigInt(Date.now());
  const startMs = nowMs - BigInt(steps) * stepMs;
  await writeBoth([real.url, node.url], startMs);

  for (const selection of selections) {
    for (const accept of accepts) {
      const ours = await federated(node.url, selection, accept);
      const theirs = await federated(real.url, selection, accept);
      assert.deepEqual(ours, theirs, `${selection} ${accept}`);
    }
  }

  const query = (matchers: Query['matchers'], from = startMs, to = nowMs): Query => ({
    startTimestampMs: from,
    endTimestampMs: to,
    matchers: matchers ?? [],
  });
  // The real one gives native histograms of a chunk the same, wider spans; the reader below compares what they mean.
  const all = query([{ type: 3, name: '__name__', value: 'native|' }]);
  const external = query([
    { type: 0, name: '__name__', value: 'counter' },
    { type: 0, name: 'cluster', value: 'c1' },
  ]);
  const part = query(
    [{ type: 0, name: '__name__', value: 'counter' }],
    startMs + stepMs,
    startMs + 2n * stepMs,
  );
  const others = query([
    { type: 1, name: 'i', value: '1' },
    { type: 3, name: '__name__', value: 'native|c.*' },
  ]);
  for (const queries of [[all], [external], [part], [external, others, part], []]) {
    const unlike = firstDifference(
      await readSamples(node.url, queries),
      await readSamples(real.url, queries),
    );
    assert.equal(unlike, undefined);
  }

  const readerConfig = join(directory, 'reader.yml');
  writeFileSync(readerConfig, `remote_read: [{url: "${node.url}/api/v1/read", read_recent: true}]\n`);
  const reader = await startReal(context, 'prometheus', readerPort, [
    `--config.file=${readerConfig}`,
    `--storage.tsdb.path=${directory}/reader`,
    '--enable-feature=native-histograms',
  ]);
  const time = String(Number(nowMs) / 1000);
  for (const text of [
    '{__name__=~".+"}[300s]',
    'count_over_time({__name__=~".+"}[300s])',
    'rate(native[100s])',
    'increase(custom[300s])',
    'histogram_quantile(0.9, native)',
    'resets(native[300s])',
  ]) {
    const [read, own] = await Promise.all(
      [reader, real].map(({ url }) => api(url, 'query', { query: text, time })),
    );
    assert.ok(read && own);
    // The external labels are those of the server that was read from.
    const found = difference(withoutExternal(read), own, { tolerance: 0, ordered: false });
    assert.equal(found, undefined, text);
  }
});

interface Labelled {
  readonly metric: Record<string, string>;
}

function withoutExternal<A extends { readonly data?: unknown }>(answer: A): A {
  for (const { metric } of (answer.data as { result?: Labelled[] } | undefined)?.result ?? []) {
    if (metric['cluster'] === 'c1') delete metric['cluster'];
    delete metric['zone'];
  }
  return answer;
}
