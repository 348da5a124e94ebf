/**
 * Targets that misbehave by a script: what one does depends on how often the scraper at hand has asked, so that a real
 * Prometheus and a node of ours, which ask at times of their own, see the same.
 */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import {
  bucket,
  double,
  exposition,
  family,
  int,
  label,
  message,
  nativeFields,
  timestamp,
  types,
} from '../../src/scrape/testing/proto_writer.ts';

export type Script = (count: number, response: ServerResponse) => void;

const text = 'text/plain; version=0.0.4';
const openMetrics = 'application/openmetrics-text; version=1.0.0';
const protobuf =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const slowMs = 1_500;

const say = (response: ServerResponse, body: string | Uint8Array, type = text): void => {
  response.setHeader('content-type', type).end(body);
};
const isEvery = (count: number, period: number): boolean => count % period === 0;

const histogramText = (count: number): string =>
  `# TYPE c histogram\nc_bucket{le="1"} ${count}\nc_bucket{le="2.5"} ${count * 2}\nc_bucket{le="+Inf"} ${count * 3}\nc_sum ${count}\nc_count ${count * 3}\nother ${count}\n`;

function protobufBody(count: number): Uint8Array {
  const sizes = [int(1, count * 2), double(2, count), bucket(1, count)];
  return exposition(
    family('steady', types.gauge, [[label('format', 'any'), message(2, double(1, count))]]),
    family('n', types.histogram, [[label('a', 'b'), message(7, ...nativeFields, bucket(1, 3))]]),
    family('c', types.histogram, [[message(7, ...sizes)]]),
    family('s', types.summary, [[message(4, int(1, count), message(3, double(1, 0.9), double(2, count)))]]),
  );
}

export const scripts: Readonly<Record<string, Script>> = {
  steady: (count, response) => say(response, `a_total ${count}\nb{x="y"} NaN\nc -Inf\n`),
  vanishing: (count, response) => say(response, `a ${count}\n${isEvery(count, 3) ? '' : `b ${count}\n`}`),
  churning: (count, response) => say(response, `a{round="${count}"} ${count}\n`),
  slow: (count, response) => {
    setTimeout(() => say(response, `a ${count}\n`), isEvery(count, 4) ? slowMs : 0);
  },
  stalling: (count, response) => {
    response.setHeader('content-type', text).write(`a ${count}\n`);
    setTimeout(() => response.end(), isEvery(count, 4) ? slowMs : 0);
  },
  closing: (count, response) => {
    // On a connection that was used before, Go asks once more.
    response.setHeader('connection', 'close');
    if (isEvery(count, 3)) response.socket?.end();
    else say(response, `a ${count}\n`);
  },
  cut: (count, response) => {
    if (!isEvery(count, 3)) return say(response, `a ${count}\n`);
    response.writeHead(200, { 'content-type': text, 'content-length': '1000' });
    response.write(`a ${count}\n`, () => response.socket?.end());
  },
  garbage: (count, response) => say(response, isEvery(count, 3) ? `a ${count}\nb{"x` : `a ${count}\n`),
  binary: (count, response) => {
    say(response, isEvery(count, 3) ? Uint8Array.of(97, 32, 49, 10, 0xff, 0xfe, 0) : `a ${count}\n`);
  },
  huge: (count, response) =>
    say(response, `a ${count}\n${'# filler\n'.repeat(isEvery(count, 3) ? 5000 : 1)}`),
  packed: (count, response) => {
    const body = `a ${count}\n`;
    if (!isEvery(count, 2)) response.setHeader('content-encoding', 'gzip');
    say(response, isEvery(count, 2) ? body : isEvery(count, 5) ? 'no gzip at all' : gzipSync(body));
  },
  formats: (count, response) => {
    const line = `steady{format="any"} ${count}\n`;
    if (count % 3 === 0) say(response, line);
    else if (count % 3 === 1) say(response, `${line}# EOF\n`, openMetrics);
    else say(response, protobufBody(count), protobuf);
  },
  untyped: (count, response) => say(response, `a ${count}\n`, isEvery(count, 3) ? 'text/html' : text),
  duplicates: (count, response) =>
    say(response, `a ${count}\na ${count + 1}\nb{x="1",y="2"} 1\nb{y="2",x="1"} 1\n`),
  past: (count, response) =>
    say(response, `a ${count} ${Date.now() - 5_500}\n${isEvery(count, 3) ? '' : `b ${count}\n`}`),
  ignored: (count, response) => say(response, `a ${count} ${Date.now() - 5_500}\n`),
  tracked: (count, response) => {
    say(response, isEvery(count, 3) ? 'b 1\n' : `a ${count} ${Date.now() - 400}\nb 1\n`);
  },
  outOfOrder: (count, response) => {
    say(response, `a ${count} ${Date.now() - (isEvery(count, 2) ? 60_000 : 2_500)}\nb ${count}\n`);
  },
  future: (count, response) => say(response, `a ${count} ${Date.now() + 700_000}\nb ${count}\n`),
  refusing: (count, response) => {
    if (isEvery(count, 2)) response.writeHead(500).end('no');
    else say(response, `a ${count}\n`);
  },
  empty: (count, response) => say(response, isEvery(count, 3) ? '' : `a ${count}\n`),
  limited: (count, response) => {
    const lines = Array.from({ length: isEvery(count, 3) ? 6 : 5 }, (_, i) => `a{i="${i}"} ${count}\n`);
    say(response, lines.join(''));
  },
  labelled: (count, response) => {
    say(response, `a{long="${'x'.repeat(isEvery(count, 3) ? 40 : 3)}"} ${count}\n`);
  },
  redirected: (count, response) => {
    if (isEvery(count, 2)) response.writeHead(302, { location: '/steady/moved' }).end();
    else say(response, `a ${count}\n`);
  },
  exemplars: (count, response) => {
    say(response, `# TYPE a counter\na_total ${count} # {trace="t${count}"} ${count}\n# EOF\n`, openMetrics);
  },
  protobuf: (count, response) => say(response, protobufBody(count), protobuf),
  classic: (count, response) => say(response, protobufBody(count), protobuf),
  custom: (count, response) => say(response, histogramText(count)),
  customKept: (count, response) => say(response, histogramText(count)),
  buckets: (count, response) => say(response, protobufBody(count), protobuf),
  coarse: (count, response) => say(response, protobufBody(count), protobuf),
  broken: (count, response) => {
    const body = protobufBody(count);
    say(response, isEvery(count, 3) ? body.subarray(0, body.length - 5) : body, protobuf);
  },
  started: (count, response) => {
    const counter = message(3, double(1, count), timestamp(3, 1_000));
    say(response, family('a_total', types.counter, [[counter]]), protobuf);
  },
};

/** What the jobs say beyond their path. */
export const jobFields: Readonly<Record<string, string>> = {
  huge: 'body_size_limit: 10KB',
  ignored: 'honor_timestamps: false',
  tracked: 'track_timestamps_staleness: true',
  limited: 'sample_limit: 5',
  labelled: 'label_value_length_limit: 30',
  classic: 'always_scrape_classic_histograms: true',
  custom: 'convert_classic_histograms_to_nhcb: true',
  customKept: 'convert_classic_histograms_to_nhcb: true, always_scrape_classic_histograms: true',
  buckets: 'native_histogram_bucket_limit: 2',
  coarse: 'native_histogram_min_bucket_factor: 1.8',
};

/** Serves scripts at their names; counts by the program that asks, the script and whatever follows its name. */
export async function serveScripts(served: Readonly<Record<string, Script>> = scripts): Promise<Server> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const key = `${String(request.headers['user-agent']).split('/')[0]} ${path}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const script = served[path.split('/')[1] ?? ''];
    if (script === undefined) response.writeHead(404).end();
    else script(count, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
