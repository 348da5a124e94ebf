/**
 * What a cluster under test talks to besides itself: an exporter with a counter, and a webhook receiver that remembers
 * what it was sent. A process of its own, so that it can be killed like the real thing.
 * Usage: node companion.ts PORT [HOST]
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const port = Number(process.argv[2] ?? '0');
const host = process.argv[3] ?? '127.0.0.1';
const startedAtMs = Date.now();
const received: unknown[] = [];

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function exposition(): string {
  const seconds = (Date.now() - startedAtMs) / 1000;
  return [
    '# HELP companion_seconds_total Seconds since the start.',
    '# TYPE companion_seconds_total counter',
    `companion_seconds_total{kind="wall"} ${seconds}`,
    `companion_seconds_total{kind="twice"} ${seconds * 2}`,
    '# TYPE companion_answer gauge',
    'companion_answer 42',
    '',
  ].join('\n');
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '/';
  if (path === '/metrics') {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(exposition());
  } else if (path === '/hook' && request.method === 'POST') {
    received.push({
      atMs: Date.now(),
      idempotencyKey:
        Object.entries(request.headers).find(([name]) => name.includes('idempotency'))?.[1] ?? '',
      payload: JSON.parse(await bodyOf(request)),
    });
    response.writeHead(200).end();
  } else if (path === '/received') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(received));
  } else {
    response.writeHead(404).end();
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
});
server.listen(port, host, () => process.stdout.write('companion is listening\n'));
process.on('SIGTERM', () => process.exit(0));
