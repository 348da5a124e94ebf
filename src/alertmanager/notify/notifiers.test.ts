import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { Registry } from 'prom-client';
import { type Clock, seededRandom, silentLogger } from '../../base/index.ts';
import { type HttpClientConfig, httpClient } from '../../model/index.ts';
import type { WebhookConfig } from '../config.ts';
import type { NotifyRequest } from '../effects.ts';
import { createAlertmanagerMetrics } from '../metrics.ts';
import { alertmanagerConfig, plainHttp, receiverConfig, webhookConfig } from '../testing/config.ts';
import { Notifiers } from './notifiers.ts';

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
  readonly path: string;
}

let server: Server;
let url = '';
let received: Received[] = [];
/** Statuses to answer, the last one for ever; 0 breaks the connection. */
let statuses: number[] = [200];
const open: Notifiers[] = [];

before(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
        path: request.url ?? '',
      });
      const status = statuses.length > 1 ? (statuses.shift() ?? 200) : (statuses[0] ?? 200);
      if (status === 0) request.socket.destroy();
      else if (status === 307) response.writeHead(307, { location: '/moved' }).end();
      else response.writeHead(status).end('the answer');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
after(() => server.close());
afterEach(async () => {
  received = [];
  statuses = [200];
  await Promise.all(open.splice(0).map((notifiers) => notifiers.close()));
});

/** Virtual time: a pause passes at once, unless it would pass the end. */
class JumpClock implements Clock {
  time = 1_000_000;
  readonly pauses: number[] = [];
  #deadline: { atMs: number; run: () => void } | undefined;
  nowMs = (): number => this.time;
  monotonicMs = (): number => this.time;
  after(delayMs: number, run: () => void): { cancel: () => void } {
    if (this.#deadline === undefined) {
      this.#deadline = { atMs: this.time + delayMs, run };
      return { cancel: () => undefined };
    }
    this.pauses.push(delayMs);
    const { atMs, run: expire } = this.#deadline;
    this.time = Math.min(atMs, this.time + delayMs);
    setImmediate(this.time >= atMs ? expire : run);
    return { cancel: () => undefined };
  }
}

const plainOAuth2: NonNullable<HttpClientConfig['oauth2']> = {
  ...httpClient().initial(),
  clientId: '',
  clientSecret: '',
  clientSecretFile: '',
  clientSecretRef: '',
  clientCertificateKeyId: '',
  clientCertificateKey: '',
  clientCertificateKeyFile: '',
  clientCertificateKeyRef: '',
  signatureAlgorithm: '',
  iss: '',
  audience: '',
  claims: {},
  grantType: '',
  scopes: [],
  tokenUrl: '',
  endpointParams: {},
};

function request(deadlineMs = 1_300_000): NotifyRequest {
  const alerts = [
    {
      fingerprint: 'f1',
      labels: { alertname: 'A', id: 'a' },
      annotations: {},
      startsAtMs: 0,
      endsAtMs: undefined,
      generatorUrl: 'http://g',
    },
  ];
  return {
    alerts,
    omitted: 0,
    deadlineMs,
    intent: {
      key: 'key-1',
      receiver: 'team',
      integration: 'webhook',
      index: 0,
      groupKey: '{}:{}',
      groupLabels: {},
      reason: 'first notification',
      firing: ['f1'],
      resolved: [],
      alerts,
      alertsOmitted: 0,
      createdAtMs: 0,
      groupIntervalMs: 300_000,
      repeatIntervalMs: 1,
    },
  };
}

function notifiers(
  part: Partial<WebhookConfig>,
  clock = new JumpClock(),
  registry = new Registry(),
): Notifiers {
  const config = alertmanagerConfig({
    receivers: [receiverConfig('team', [webhookConfig({ url, ...part })])],
  });
  const made = new Notifiers(config, {
    clock,
    random: seededRandom(1),
    log: silentLogger,
    externalUrl: 'http://am',
    metrics: createAlertmanagerMetrics(registry),
  });
  open.push(made);
  return made;
}

const never = new AbortController().signal;

test('webhook: posts the version 4 message with the idempotency key', async () => {
  assert.equal(await notifiers({}).notify(request(), never), undefined);
  const [{ headers, body } = assert.fail()] = received;
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['x-torchring-idempotency-key'], 'key-1');
  assert.equal(body['version'], '4');
  assert.equal(body['status'], 'firing');
  assert.deepEqual(body['commonLabels'], { alertname: 'A', id: 'a' });
});

test('webhook: 5xx, 429 and broken connections are retried with growing pauses and the same key', async () => {
  statuses = [500, 429, 0, 200];
  const clock = new JumpClock();
  const registry = new Registry();
  assert.equal(await notifiers({}, clock, registry).notify(request(), never), undefined);
  assert.equal(received.length, 4);
  assert.deepEqual(
    new Set(received.map(({ headers }) => headers['x-torchring-idempotency-key'])),
    new Set(['key-1']),
  );
  assert.equal(clock.pauses.length, 3);
  const text = await registry.metrics();
  assert.match(text, /alertmanager_notifications_total\{integration="webhook"\} 1/);
  assert.match(text, /alertmanager_notification_requests_failed_total\{integration="webhook"\} 3/);
});

test('webhook: other 4xx are final', async () => {
  statuses = [400];
  const registry = new Registry();
  assert.deepEqual(await notifiers({}, new JumpClock(), registry).notify(request(), never), {
    reason: 'clientError',
    message: 'webhook: unexpected status code 400: the answer',
  });
  assert.equal(received.length, 1);
  assert.match(
    await registry.metrics(),
    /notifications_failed_total\{integration="webhook",reason="clientError"\} 1/,
  );
});

test('webhook: retries end at the deadline with the last answer', async () => {
  statuses = [503];
  const clock = new JumpClock();
  const failure = await notifiers({}, clock).notify(request(1_030_000), never);
  assert.equal(failure?.reason, 'serverError');
  assert.match(failure?.message ?? '', /status code 503/);
  assert.equal(clock.time, 1_030_000);
  assert.ok(received.length >= 3 && received.length < 20, `${received.length} attempts`);
});

test('webhook: losing leadership ends it', async () => {
  const failure = await notifiers({}).notify(request(), AbortSignal.abort(new Error('not the leader')));
  assert.equal(failure?.reason, 'contextCanceled');
  assert.equal(received.length, 0);
});

test('webhook: basic auth, bearer token and custom headers', async () => {
  const basicAuth = {
    username: 'u',
    usernameFile: '',
    usernameRef: '',
    password: 'p',
    passwordFile: '',
    passwordRef: '',
  };
  const httpHeaders = { 'X-Team': { values: ['a'], secrets: ['b'], files: [] } };
  await notifiers({ httpConfig: { ...plainHttp, basicAuth, httpHeaders } }).notify(request(), never);
  const authorization = { type: 'Bearer', credentials: 't', credentialsFile: '', credentialsRef: '' };
  await notifiers({ httpConfig: { ...plainHttp, authorization } }).notify(request(), never);
  assert.equal(received[0]?.headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`);
  assert.equal(received[0]?.headers['x-team'], 'a, b');
  assert.equal(received[1]?.headers.authorization, 'Bearer t');
});

test('webhook: oauth2 fetches a token first, and without one nothing is sent', async (context) => {
  let tokenStatus = 500;
  const tokens = createServer((_, response) => {
    response.writeHead(tokenStatus, { 'content-type': 'application/json' });
    response.end('{"access_token": "t", "token_type": "Bearer", "expires_in": 60}');
  });
  await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    tokens.close();
    tokens.closeAllConnections();
  });
  const tokenUrl = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/`;
  const oauth2 = { ...plainOAuth2, clientId: 'c', clientSecret: 's', tokenUrl };
  const httpConfig = { ...plainHttp, oauth2 };
  // It is tried again to the end, as after any other failure on the way.
  const failure = await notifiers({ httpConfig }).notify(request(), never);
  assert.equal(failure?.reason, 'contextDeadlineExceeded');
  assert.equal(received.length, 0);
  tokenStatus = 200;
  assert.equal(await notifiers({ httpConfig }).notify(request(), never), undefined);
  assert.equal(received[0]?.headers.authorization, 'Bearer t');
});

test('webhook: redirects are followed with the body, unless switched off', async () => {
  statuses = [307, 200];
  assert.equal(await notifiers({}).notify(request(), never), undefined);
  assert.equal(received[1]?.path, '/moved');
  statuses = [307];
  const failure = await notifiers({ httpConfig: { ...plainHttp, followRedirects: false } }).notify(
    request(),
    never,
  );
  assert.match(failure?.message ?? '', /status code 307/);
});

test('webhook: URL and payload are templates', async () => {
  const payload = {
    text: '{{ .Alerts.Firing | len }} firing {{ .CommonLabels.SortedPairs.Values.Join "," }}',
    count: '{{ len .Alerts }}',
    list: ['{{ .Status }}'],
  };
  await notifiers({ url: `${url}/{{ .CommonLabels.alertname }}`, payload }).notify(request(), never);
  assert.equal(received[0]?.path, '/hook/A');
  assert.deepEqual(received[0]?.body, { text: '1 firing A,a', count: 1, list: ['firing'] });
});

test('webhook: what label values put into a payload can not keep it from being sent', async () => {
  const long = Array.from({ length: 50_000 }, (_, i) => `k${i}: v`).join('\n');
  const texts = { cycle: '&a [*a]', tag: '!x y', deep: '['.repeat(10_000), long };
  const payload = { ...texts, list: `[${'1,'.repeat(20_000)}1]` };
  const startMs = performance.now();
  assert.equal(await notifiers({ payload }).notify(request(), never), undefined);
  const body = received[0]?.body ?? {};
  assert.equal(body['cycle'], texts.cycle);
  assert.equal(body['tag'], texts.tag);
  assert.equal(body['deep'], texts.deep);
  assert.equal(body['long'], long);
  assert.equal((body['list'] as number[]).length, 20_001);
  // As YAML the long one takes half a minute.
  assert.ok(performance.now() - startMs < 5_000);
});

test('webhook: a template that fails is final and keeps the URL out of the message', async () => {
  const failure = await notifiers({ url: 'http://secret.example/{{ .Nope }}' }).notify(request(), never);
  assert.equal(failure?.reason, 'other');
  assert.doesNotMatch(failure?.message ?? '', /secret/);
});

test('an integration that the configuration no longer has is a final failure', async () => {
  const made = new Notifiers(alertmanagerConfig({ receivers: [] }), {
    clock: new JumpClock(),
    random: seededRandom(1),
    log: silentLogger,
    externalUrl: '',
  });
  assert.match((await made.notify(request(), never))?.message ?? '', /has no webhook\[0\]/);
});
