import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type HttpClientConfig, httpClient } from '../model/index.ts';
import { createHttpDiscovery } from './http.ts';
import { RunningDiscovery } from './testing/running.ts';

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

interface World {
  readonly url: string;
  readonly running: RunningDiscovery;
  /** What is answered from now on. */
  respond: Respond;
}

const json =
  (value: unknown, contentType = 'application/json'): Respond =>
  (_, response) => {
    response.setHeader('content-type', contentType);
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };

async function start(
  context: TestContext,
  respond: Respond,
  client: Partial<HttpClientConfig> = {},
): Promise<World> {
  const server = createServer((request, response) => world.respond(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sd?x=1`;
  const world: World = { url, respond, running: undefined as never };
  const config = {
    mechanism: 'http',
    url,
    refreshIntervalMs: 1_500,
    httpClientConfig: { ...httpClient().initial(), ...client },
  } as const;
  const running = new RunningDiscovery(context, (deps) => createHttpDiscovery(config, deps));
  return Object.assign(world, { running });
}

test('groups carry the URL, and the server is told who asks and how often', async (context) => {
  let seen: IncomingMessage['headers'] = {};
  const { url, running } = await start(
    context,
    (request, response) => {
      seen = request.headers;
      json([
        { targets: ['a:1', 'b:2'], labels: { env: 'x' } },
        { Targets: ['c:3'], labels: null },
      ])(request, response);
    },
    {
      basicAuth: {
        username: 'u',
        usernameFile: '',
        usernameRef: '',
        password: 'p',
        passwordFile: '',
        passwordRef: '',
      },
    },
  );
  const groups = await running.nextGroups();
  assert.deepEqual(
    groups.map(({ source }) => source),
    [`${url}:0`, `${url}:1`],
  );
  assert.deepEqual(groups[0]?.labels.toRecord(), { __meta_url: url, env: 'x' });
  assert.deepEqual(
    groups[1]?.targets.map((target) => target.toRecord()),
    [{ __address__: 'c:3' }],
  );
  assert.equal(seen['x-prometheus-refresh-interval-seconds'], '1.5');
  assert.equal(seen.accept, 'application/json');
  assert.equal(seen['user-agent'], 'Torchring/0');
  assert.equal(seen.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`);
});

test('an answer that is the one before is not read again', async (context) => {
  const world = await start(context, json([{ targets: ['a:1'] }]));
  const first = await world.running.nextGroups();
  await world.running.refresh();
  assert.equal(await world.running.nextGroups(), first);
  world.respond = json([{ targets: ['b:1'] }]);
  await world.running.refresh();
  assert.notEqual(await world.running.nextGroups(), first);
});

test('what is no good answer keeps the last targets and is counted', async (context) => {
  const good = json([{ targets: ['a:1'] }]);
  const world = await start(context, good);
  const { running } = world;
  assert.equal((await running.next()).length, 1);
  const bad: Respond[] = [
    (_, response) => response.writeHead(503, { 'content-type': 'application/json' }).end('[]'),
    json('[]', 'text/html'),
    json('[]', 'application/json; charset=latin1'),
    json('[{"targets": ['),
    json([null]),
    json({ targets: [] }),
    (_, response) => response.destroy(),
    (_, response) =>
      response.setHeader('content-type', 'application/json').setHeader('content-encoding', 'gzip').end('x'),
  ];
  for (const respond of bad) {
    world.respond = respond;
    await running.refresh();
    await running.idle();
  }
  world.respond = json([], ' Application/JSON;charset="utf-8"');
  await running.refresh();
  assert.deepEqual(await running.next(), [], 'nothing was published in between');
  assert.equal(await running.value('prometheus_sd_http_failures_total'), bad.length);
  assert.equal(await running.value('prometheus_sd_refresh_failures_total'), bad.length);
});

test('a server that never answers is given up after the interval, and asked again', async (context) => {
  let isAsked = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const world = await start(context, () => isAsked());
  await asked;
  world.respond = json([{ targets: ['a:1'] }]);
  world.running.ring();
  await world.running.refresh();
  assert.equal((await world.running.next()).length, 1);
  assert.equal(await world.running.value('prometheus_sd_http_failures_total'), 1);
});

test('a compressed answer is read, one beyond the bound is not, however small it travels', async (context) => {
  const gzip =
    (body: Buffer): Respond =>
    (_, response) =>
      response
        .setHeader('content-type', 'application/json')
        .setHeader('content-encoding', 'gzip')
        .end(gzipSync(body));
  const world = await start(context, gzip(Buffer.from('[{"targets":["a:1"]}]')));
  assert.equal((await world.running.next()).length, 1);
  world.respond = gzip(Buffer.alloc(65 * 1024 * 1024, ' '));
  await world.running.refresh();
  await world.running.idle();
  assert.equal(await world.running.value('prometheus_sd_http_failures_total'), 1);
});

test('a certificate that is not there is a failed refresh, and looked for again', async (context) => {
  const tlsConfig = { ...httpClient().initial().tlsConfig, caFile: '/nonexistent/ca.pem' };
  const { running } = await start(context, json([]), { tlsConfig });
  await running.refresh();
  await running.idle();
  assert.equal(await running.value('prometheus_sd_http_failures_total'), 2);
});
