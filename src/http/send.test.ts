import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type HttpClientConfig, httpClient } from '../model/index.ts';
import { type HttpConnections, openDispatcher } from './dispatcher.ts';
import { send } from './send.ts';

interface Seen {
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

const config: HttpClientConfig = {
  ...httpClient().initial(),
  authorization: { type: '', credentials: 'secret', credentialsFile: '', credentialsRef: '' },
};

/** Answers a path `/STATUS` with that status and a redirection to `moved`, everything else with 200. */
async function serve(context: TestContext, moved = '/end'): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      seen.push({ path, body: Buffer.concat(chunks).toString(), headers: request.headers });
      const status = Number(path.slice(1));
      if (status > 0) response.writeHead(status, { location: moved });
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function open(context: TestContext): Promise<HttpConnections> {
  const dispatcher = await openDispatcher(config, {
    perOriginMax: 1,
    idleMs: 1_000,
    connectTimeoutMs: 5_000,
  });
  context.after(() => dispatcher.destroy());
  return dispatcher;
}

async function status(url: string, dispatcher: HttpConnections, method: 'GET' | 'POST'): Promise<number> {
  const body = method === 'POST' ? { body: 'text' } : {};
  const request = { method, url, headers: {}, signal: new AbortController().signal, ...body };
  const response = await send(request, config, dispatcher);
  await response.body.dump();
  return response.statusCode;
}

test('a GET follows every redirect, a POST those that ask for it again, with its body', async (context) => {
  const { url, seen } = await serve(context);
  const dispatcher = await open(context);
  for (const code of [301, 302, 303, 307, 308])
    assert.equal(await status(`${url}/${code}`, dispatcher, 'GET'), 200);
  for (const code of [301, 302, 303]) assert.equal(await status(`${url}/${code}`, dispatcher, 'POST'), code);
  seen.length = 0;
  for (const code of [307, 308]) assert.equal(await status(`${url}/${code}`, dispatcher, 'POST'), 200);
  assert.deepEqual(
    seen.map(({ path, body }) => `${path} ${body}`),
    ['/307 text', '/end text', '/308 text', '/end text'],
  );
});

test('credentials stay with the origin that they were configured for', async (context) => {
  const other = await serve(context);
  const first = await serve(context, `${other.url}/end`);
  const same = await serve(context);
  const dispatcher = await open(context);
  await status(`${first.url}/307`, dispatcher, 'POST');
  await status(`${same.url}/307`, dispatcher, 'POST');
  assert.deepEqual(
    first.seen.map(({ headers }) => headers.authorization),
    ['Bearer secret'],
  );
  assert.deepEqual(
    other.seen.map(({ headers }) => headers.authorization),
    [undefined],
  );
  assert.equal(same.seen[1]?.headers.authorization, 'Bearer secret');
});

test('redirects that go round in circles end', async (context) => {
  const { url, seen } = await serve(context, '/302');
  const dispatcher = await open(context);
  await assert.rejects(status(`${url}/302`, dispatcher, 'GET'), /stopped after 10 redirects/);
  assert.equal(seen.length, 11);
});

test('a GET whose idle connection was closed is sent once more, a first connection gets no second try', async (context) => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    if (requests === 2 || request.url === '/closed') request.socket.end();
    else response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dispatcher = await open(context);
  assert.equal(await status(`${url}/a`, dispatcher, 'GET'), 200);
  assert.equal(await status(`${url}/a`, dispatcher, 'GET'), 200);
  assert.equal(requests, 3);
  const fresh = await open(context);
  await assert.rejects(status(`${url}/closed`, fresh, 'GET'));
  assert.equal(requests, 4);
});
