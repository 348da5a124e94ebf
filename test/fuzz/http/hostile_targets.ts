/** Targets that answer each scrape with something else that a scraper should not trust, drawn from a seed. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import type { Random } from '../../../src/base/index.ts';
import {
  bucket,
  double,
  exposition,
  family,
  label,
  message,
  nativeFields,
  types,
} from '../../../src/scrape/testing/proto_writer.ts';
import { broken, gzipBomb, zstdBomb } from './bodies.ts';

const formats = [
  'text/plain; version=0.0.4',
  'application/openmetrics-text; version=1.0.0',
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  'text/html',
  ';;',
] as const;
/** What an endless answer sends before it gives up. */
const endlessBytesMax = 200 * 1024 * 1024;

const text = `# HELP a help
# TYPE a counter
a_total{x="1",y="é"} 5 1234567890 # {trace="x"} 1 2
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 2
h_sum 3
h_count 2
{"utf.8","label"="x"} 1e400
b{a="\\n\\\\\\""} NaN
# EOF
`;
const bytes = exposition(
  family('g', types.gauge, [[label('a', 'b'), message(2, double(1, 4))]]),
  family('n', types.histogram, [[label('a', 'b'), message(7, ...nativeFields, bucket(1, 3))]]),
);

type Answer = (random: Random, response: ServerResponse) => void;

function endless(response: ServerResponse): void {
  const piece = 'endless{a="b"} 1\n'.repeat(10_000);
  const pieces = Array<string>(Math.floor(endlessBytesMax / piece.length)).fill(piece);
  // The scraper hangs up.
  pipeline(Readable.from(pieces), response, () => undefined);
}

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)] as T;
const repeated = (random: Random): string => {
  const count = 10 ** random.below(6);
  return pick(random, [
    `a{${'x="1",'.repeat(count)}} 1\n`,
    `${'a'.repeat(count * 10)} 1\n`,
    `a{b="${'c'.repeat(count * 10)}"} 1\n`,
    Array.from({ length: count }, (_, i) => `many{i="${random.below(1e6)}",j="${i}"} 1\n`).join(''),
    '\n'.repeat(count * 10),
    `# TYPE ${'t'.repeat(count)} ${'u'.repeat(count)}\n`,
    `a ${'9'.repeat(count)}\n`,
    `a 1 ${'9'.repeat(count)}\n`,
    `a{b="${'\\\\'.repeat(count)}`,
  ]);
};

const answers: readonly Answer[] = [
  (random, response) => response.end(broken(random, Buffer.from(text))),
  (random, response) => response.end(broken(random, Buffer.from(text))),
  (random, response) => response.end(broken(random, bytes)),
  (random, response) => response.setHeader('content-type', formats[2]).end(broken(random, bytes)),
  (random, response) => response.setHeader('content-type', formats[1]).end(broken(random, Buffer.from(text))),
  (random, response) => response.end(repeated(random)),
  (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipBomb()),
  (_, response) => response.setHeader('content-encoding', 'zstd').end(zstdBomb()),
  (_, response) => endless(response),
  (_, response) => response.socket?.destroy(),
  (_, response) => response.write('a 1\n'),
  (random, response) => response.writeHead(pick(random, [204, 301, 304, 401, 500, 599])).end(),
  (_, response) => response.writeHead(302, { location: '/again' }).end(),
  (_, response) => response.setHeader('x', 'y'.repeat(100_000)).end('a 1\n'),
  (_, response) =>
    response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\na 1\n'),
  (_, response) => response.socket?.end('\u0000\u0000\u0000'),
];

/** A server whose answers count up memory of the scraper; close it with closeAllConnections. */
export async function serveHostile(random: Random): Promise<Server> {
  const server = createServer((_, response) => {
    response.on('error', () => response.destroy());
    response.setHeader('content-type', pick(random, formats));
    pick(random, answers)(random, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
