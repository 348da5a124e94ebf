import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { systemClock } from '../base/index.ts';
import type { ScrapeConfig } from './config_types.ts';
import { createHttpClient } from './http_client.ts';
import type { ScrapeResult } from './loop.ts';
import { httpDefaults, loopOver, scrapeConfig } from './testing/fixtures.ts';

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function scrapeOnce(address: string, changes: Partial<ScrapeConfig> = {}): Promise<ScrapeResult> {
  await using loop = await loopOver(address, scrapeConfig(changes));
  return await loop.scrape(1000);
}

const plain = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
const exposition = 'a{x="y"} 1\n'.repeat(1);

test('the request says what is accepted, for how long, and by whom', async (context) => {
  let seen: IncomingMessage | undefined;
  const address = await serve(context, (request, response) => {
    seen = request;
    response.writeHead(200, plain).end(exposition);
  });
  const result = await scrapeOnce(address, { params: { module: ['a b'] } });
  assert.equal(result.health, 'up', result.lastError);
  assert.equal(seen?.url, '/metrics?module=a+b');
  assert.equal(seen?.headers['user-agent'], 'Torchring/0.0.0');
  assert.equal(seen?.headers['x-prometheus-scrape-timeout-seconds'], '5');
  assert.equal(seen?.headers['accept-encoding'], 'gzip, zstd;q=0.5');
  assert.equal(
    seen?.headers.accept,
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
      'application/openmetrics-text;version=0.0.1;q=0.5,' +
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  );
});

test('compressed answers are read; broken ones fail', async (context) => {
  const whole = gzipSync(exposition);
  const bodies = [
    { encoding: 'gzip', body: whole },
    { encoding: 'gzip', body: whole.subarray(0, whole.length - 9) },
    { encoding: 'gzip', body: Buffer.from('not gzip at all') },
    { encoding: 'zstd', body: zstdCompressSync(exposition) },
  ];
  const address = await serve(context, (_, response) => {
    const { encoding, body } = bodies.shift() ?? { encoding: '', body: '' };
    response.writeHead(200, { ...plain, 'content-encoding': encoding }).end(body);
  });
  const good = await scrapeOnce(address);
  assert.equal(good.lastError, '');
  assert.equal(good.bodyBytes, exposition.length);
  assert.equal((await scrapeOnce(address)).lastError, 'unexpected EOF');
  assert.equal((await scrapeOnce(address)).lastError, 'gzip: invalid header');
  const zstd = await scrapeOnce(address);
  assert.equal(zstd.lastError, '');
  assert.equal(zstd.bodyBytes, exposition.length);
});

test('body_size_limit bounds what is unpacked, however small it was on the wire', async (context) => {
  const blown = Buffer.alloc(50_000_000, 'a');
  const bombs: Record<string, Buffer> = { gzip: gzipSync(blown), zstd: zstdCompressSync(blown) };
  const address = await serve(context, (request, response) => {
    const encoding = request.url?.slice(1) ?? '';
    const bomb = bombs[encoding];
    response.writeHead(200, { ...plain, ...(bomb === undefined ? {} : { 'content-encoding': encoding }) });
    response.end(bomb ?? Buffer.alloc(2_000_000, 'a'));
  });
  for (const metricsPath of ['/gzip', '/zstd', '/plain']) {
    const result = await scrapeOnce(address, { bodySizeLimitBytes: 1_000_000, metricsPath });
    assert.equal(result.lastError, 'body size limit exceeded');
    assert.equal(result.bodyBytes, -1);
  }
});

test('a server that is too slow, in its headers or its body, meets the deadline', async (context) => {
  const address = await serve(context, (request, response) => {
    if (request.url === '/body') response.writeHead(200, plain).write('a 1\n');
  });
  for (const metricsPath of ['/headers', '/body']) {
    const result = await scrapeOnce(address, { metricsPath, scrapeTimeoutMs: 100 });
    const begun = metricsPath === '/body' ? '' : `Get "http://${address}${metricsPath}": `;
    assert.equal(result.lastError, `${begun}context deadline exceeded`);
    assert.ok(result.durationMs < 4000);
  }
});

test('a request that was called off beforehand is not made', async (context) => {
  const address = await serve(context, () => assert.fail('a request came'));
  const client = await createHttpClient(httpDefaults, systemClock);
  context.after(() => client.close());
  const get = { url: `http://${address}/`, headers: {}, timeoutMs: 60_000, bodyBytesMax: 0 };
  await assert.rejects(client.get({ ...get, signal: AbortSignal.abort() }), { code: 'request' });
});

test('refused, reset and cut connections fail the scrape', async (context) => {
  const address = await serve(context, (request, response) => {
    if (request.url === '/reset') request.socket.resetAndDestroy();
    else {
      response
        .writeHead(200, { ...plain, 'content-length': '1000' })
        .write('a 1\n', () => request.socket.destroy());
    }
  });
  for (const metricsPath of ['/reset', '/cut']) {
    const result = await scrapeOnce(address, { metricsPath });
    assert.equal(result.health, 'down');
    assert.match(
      result.lastError,
      metricsPath === '/cut'
        ? /^unexpected EOF$/
        : /^Get "http:\/\/127\.0\.0\.1:\d+\/reset": read tcp.*: connection reset by peer$/,
    );
  }
  const refused = /^Get "http:.*:1\/metrics": dial tcp .*:1: connect: connection refused$/;
  assert.match((await scrapeOnce('127.0.0.1:1')).lastError, refused);
  assert.match((await scrapeOnce('localhost:1')).lastError, refused);
});

test('other statuses fail; redirects are followed as configured, without credentials to other hosts', async (context) => {
  const seen: (string | undefined)[] = [];
  const other = await serve(context, (request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(200, plain).end(exposition);
  });
  const address = await serve(context, (request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: `http://${other}/x` }).end('moved');
    else if (request.url === '/loop') response.writeHead(307, { location: '/loop' }).end();
    else if (request.url === '/near') response.writeHead(308, { location: 'metrics' }).end();
    else if (request.url === '/metrics') {
      seen.push(request.headers.authorization);
      response.writeHead(200, plain).end(exposition);
    } else response.writeHead(404).end('nothing here');
  });
  const basicAuth = {
    username: 'me',
    password: 'pä',
    usernameFile: '',
    usernameRef: '',
    passwordFile: '',
    passwordRef: '',
  };
  const httpClientConfig = { ...httpDefaults, basicAuth };
  assert.equal(
    (await scrapeOnce(address, { metricsPath: '/none' })).lastError,
    'server returned HTTP status 404 Not Found',
  );
  assert.match((await scrapeOnce(address, { metricsPath: '/loop' })).lastError, /stopped after 10 redirects/);
  assert.equal((await scrapeOnce(address, { metricsPath: '/near', httpClientConfig })).lastError, '');
  assert.equal((await scrapeOnce(address, { metricsPath: '/away', httpClientConfig })).lastError, '');
  assert.deepEqual(seen, [`Basic ${Buffer.from('me:pä').toString('base64')}`, undefined]);
  const stay = { ...httpDefaults, followRedirects: false };
  assert.equal(
    (await scrapeOnce(address, { metricsPath: '/near', httpClientConfig: stay })).lastError,
    'server returned HTTP status 308 Permanent Redirect',
  );
});

test('credentials may come from a file that is read for each scrape; own headers are sent', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'torchring-scrape-'));
  context.after(() => rm(directory, { recursive: true }));
  const credentialsFile = join(directory, 'token');
  const seen: unknown[] = [];
  const address = await serve(context, (request, response) => {
    seen.push([request.headers.authorization, request.headers['x-own']]);
    response.writeHead(200, plain).end(exposition);
  });
  const httpClientConfig = {
    ...httpDefaults,
    authorization: { type: 'Bearer', credentials: '', credentialsFile, credentialsRef: '' },
    httpHeaders: { 'X-Own': { values: ['a'], secrets: ['b'], files: [] } },
  };
  await using loop = await loopOver(address, scrapeConfig({ httpClientConfig }));
  assert.match((await loop.scrape(1)).lastError, /ENOENT/);
  for (const token of ['one', 'two']) {
    await writeFile(credentialsFile, `${token}\n`);
    assert.equal((await loop.scrape(1)).lastError, '');
  }
  assert.deepEqual(seen, [
    ['Bearer one', 'a, b'],
    ['Bearer two', 'a, b'],
  ]);
});

test('a proxy is asked by whole URL, except for hosts that need none', async (context) => {
  const seen: (string | undefined)[] = [];
  const proxy = await serve(context, (request, response) => {
    seen.push(request.url);
    response.writeHead(200, plain).end(exposition);
  });
  const httpClientConfig = { ...httpDefaults, proxyUrl: `http://${proxy}`, noProxy: 'localhost' };
  assert.equal((await scrapeOnce('nowhere.invalid:9100', { httpClientConfig })).lastError, '');
  assert.match((await scrapeOnce('localhost:1', { httpClientConfig })).lastError, /connection refused/);
  assert.deepEqual(seen, ['http://nowhere.invalid:9100/metrics']);
});
