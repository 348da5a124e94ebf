import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HTTPMethods } from 'fastify';
import { CodedError } from '../../base/index.ts';
import { type AlertmanagerServer, alertmanagerServer, silenceId } from '../testing/fake_alertmanager.ts';

const json = { 'content-type': 'application/json' };
const silence = {
  matchers: [{ name: 'a', value: 'b', isRegex: false }],
  startsAt: '2030-01-01T00:00:00Z',
  endsAt: '2030-01-02T00:00:00Z',
  createdBy: 'me',
  comment: '<c>',
};

async function ask(server: AlertmanagerServer, method: HTTPMethods, url: string): Promise<string> {
  const { statusCode, body } = await server.app.inject({ method, url });
  return `${statusCode} ${body}`;
}

async function post(server: AlertmanagerServer, url: string, payload: string): Promise<string> {
  const { statusCode, body } = await server.app.inject({ method: 'POST', url, headers: json, payload });
  return `${statusCode} ${body}`;
}

const gets: [HTTPMethods, string, string][] = [
  ['GET', '/-/ready', '200 OK'],
  ['GET', '/-/healthy', '200 OK'],
  ['HEAD', '/-/ready', '200 '],
  ['POST', '/-/reload', '200 '],
  ['GET', '/-/reload', '405 Method Not Allowed\n'],
  ['GET', '/nope', '404 404 page not found\n'],
  ['GET', '/metrics', '404 404 page not found\n'],
  ['GET', '/api/v2/receivers', '200 [{"name":"r"}]\n'],
  ['GET', '/api/v2/alerts', '200 []\n'],
  ['GET', '/api/v2/alerts/groups', '200 []\n'],
  ['GET', '/api/v2/silences', '200 []\n'],
  ['GET', '/api/v2/alerts?filter=a', '400 "bad matcher format: a"\n'],
  ['GET', '/api/v2/silences?filter=%3C', '400 "bad matcher format: <"\n'],
  [
    'GET',
    '/api/v2/silence/x',
    '422 {"code":601,"message":"silenceID in path must be of type uuid: \\"x\\""}',
  ],
  ['GET', `/api/v2/silence/${silenceId}`, '404 '],
  ['DELETE', `/api/v2/silence/${silenceId}`, '404 '],
  ['GET', '/api/v2/nope?a=b', '404 {"code":404,"message":"path /api/v2/nope was not found"}'],
  ['PUT', '/api/v2/alerts', '405 {"code":405,"message":"method PUT is not allowed, but [GET,POST] are"}'],
  ['OPTIONS', '/api/v2/status', '405 {"code":405,"message":"method OPTIONS is not allowed, but [GET] are"}'],
];

for (const [method, url, expected] of gets) {
  test(`${method} ${url} answers ${expected.trim()}`, async () => {
    assert.equal(await ask(await alertmanagerServer(), method, url), expected);
  });
}

test('the first version of the API is told to be gone', async () => {
  const answer = await ask(await alertmanagerServer(), 'POST', '/api/v1/alerts');
  assert.match(answer, /^410 \{"status":"deprecated","error":"The Alertmanager v1 API was deprecated/);
});

test('status is the backend own value, without HTML escapes, not to be cached', async () => {
  const { app } = await alertmanagerServer();
  const { body, headers } = await app.inject({ url: '/api/v2/status' });
  assert.match(body, /"config":\{"original":"<route>"\}/);
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['cache-control'], 'no-store');
});

const everything = { active: true, silenced: true, inhibited: true, unprocessed: true, muted: true };
const queries: [string, object][] = [
  ['', { ...everything, filter: [], receiverMatchers: [] }],
  [
    '?active=false&silenced=0&inhibited=x&unprocessed=no&muted=off',
    {
      active: false,
      silenced: false,
      inhibited: false,
      unprocessed: false,
      muted: false,
      filter: [],
      receiverMatchers: [],
    },
  ],
  ['?active=YES&silenced=on&inhibited=1&muted=', { ...everything, filter: [], receiverMatchers: [] }],
  [
    '?filter=a%3D%22b%22&filter=c!=d&receiver=r.*&receiver_matchers=x%3Dy',
    { ...everything, filter: ['a="b"', 'c!=d'], receiver: 'r.*', receiverMatchers: ['x=y'] },
  ],
];
for (const [parameters, query] of queries) {
  test(`alerts and groups pass ${parameters === '' ? 'no parameters' : parameters} on`, async () => {
    const server = await alertmanagerServer();
    await ask(server, 'GET', `/api/v2/alerts${parameters}`);
    await ask(server, 'GET', `/api/v2/alerts/groups${parameters}`);
    assert.deepEqual(server.queries, [query, query]);
  });
}

test('a receiver pattern that does not compile is refused before the backend sees it', async () => {
  const server = await alertmanagerServer();
  assert.match(
    await ask(server, 'GET', '/api/v2/alerts?receiver=('),
    /^400 "failed to parse receiver param: .*\n$/,
  );
  assert.deepEqual(server.queries, []);
});

test('a silence is created, read, listed and expired', async () => {
  const server = await alertmanagerServer();
  assert.equal(
    await post(server, '/api/v2/silences', JSON.stringify(silence)),
    `200 {"silenceID":"${silenceId}"}\n`,
  );
  const read = await ask(server, 'GET', `/api/v2/silence/${silenceId}`);
  assert.match(read, /"comment":"<c>"/);
  assert.equal(await ask(server, 'GET', '/api/v2/silences'), `200 [${read.slice(4, -1)}]\n`);
  assert.equal(await ask(server, 'DELETE', `/api/v2/silence/${silenceId}`), '200 ');
  assert.equal(await ask(server, 'GET', `/api/v2/silence/${silenceId}`), '404 ');
});

test('an edit of a silence that is not there is 404 with the reason', async () => {
  const body = JSON.stringify({ ...silence, id: silenceId });
  assert.equal(await post(await alertmanagerServer(), '/api/v2/silences', body), '404 "silence not found"\n');
});

const required = (path: string): string => `422 {"code":602,"message":"${path} in body is required"}`;
const refusedSilences: [string, string][] = [
  ['', required('silence')],
  ['null', required('comment')],
  ['{}', required('comment')],
  ['{"comment":"c"}', required('createdBy')],
  ['{"comment":"c","createdBy":"d"}', required('endsAt')],
  ['{"comment":"c","createdBy":"d","endsAt":"x"}', required('matchers')],
  [
    '{"comment":"c","createdBy":"d","endsAt":"x","matchers":[]}',
    '422 {"code":612,"message":"matchers in body should have at least 1 items"}',
  ],
  ['{"comment":"c","createdBy":"d","endsAt":"x","matchers":[{}]}', required('matchers.0.isRegex')],
  [
    '{"comment":1}',
    '400 {"code":400,"message":"parsing silence body from \\"\\" failed, because comment is not a string"}',
  ],
  ['[]', '400 {"code":400,"message":"parsing silence body from \\"\\" failed, because it is not an object"}'],
];
for (const [body, expected] of refusedSilences) {
  test(`the silence ${body === '' ? 'without a body' : body} is refused`, async () => {
    assert.equal(await post(await alertmanagerServer(), '/api/v2/silences', body), expected);
  });
}

test('alerts are posted as they came, null as none', async () => {
  const server = await alertmanagerServer();
  const alerts = [
    { labels: { alertname: 'a', __proto__x: '' }, generatorURL: 'http://x/', startsAt: 'later' },
  ];
  assert.equal(await post(server, '/api/v2/alerts', JSON.stringify(alerts)), '200 ');
  assert.equal(await post(server, '/api/v2/alerts', 'null'), '200 ');
  assert.deepEqual(server.posted, alerts);
});

const unreadable = (reason: string): string =>
  `400 {"code":400,"message":"parsing alerts body from \\"\\" failed, because ${reason}"}`;
const refusedAlerts: [string, string][] = [
  ['', required('alerts')],
  ['{}', unreadable('it is not a list of alerts')],
  ['[{}]', required('0.labels')],
  ['[{"labels":{}},{"labels":null}]', required('1.labels')],
  ['[null]', unreadable('alert 0 is not an object')],
  ['[{"labels":{"a":1}}]', unreadable('labels of alert 0 are not all strings')],
  ['[{"labels":{"a":"b"},"annotations":[]}]', unreadable('annotations of alert 0 are not all strings')],
  [
    '[{"labels":{"a":"b"},"generatorURL":"foo"}]',
    '422 {"code":601,"message":"0.generatorURL in body must be of type uri: \\"foo\\""}',
  ],
];
for (const [body, expected] of refusedAlerts) {
  test(`the alerts ${body === '' ? 'without a body' : body} are refused`, async () => {
    const server = await alertmanagerServer();
    assert.equal(await post(server, '/api/v2/alerts', body), expected);
    assert.deepEqual(server.posted, []);
  });
}

test('hostile bodies are refused and the server goes on', async () => {
  const server = await alertmanagerServer();
  const url = '/api/v2/alerts';
  const bodies = ['[', '['.repeat(1_000_000), '[{"labels":{"a":"b"}}] x', '"\\ud800', '\0'];
  for (const body of bodies) assert.match(await post(server, url, body), /^400 \{"code":400/);
  const tooLarge = await post(server, url, ' '.repeat(32 * 1024 * 1024 + 1));
  assert.equal(tooLarge, '413 {"code":413,"message":"Request body is too large"}');
  for (const type of ['text/plain', 'text/json', undefined]) {
    const headers = type === undefined ? {} : { 'content-type': type };
    const payload = Buffer.from('[]');
    const { statusCode } = await server.app.inject({ method: 'POST', url, headers, payload });
    assert.equal(statusCode, 415);
  }
  assert.equal(await ask(server, 'GET', url), '200 []\n');
});

const failures: [string, number][] = [
  ['not_supported', 501],
  ['bad_alert', 400],
  ['bad_data', 400],
  ['actor_stopped', 503],
  ['anything', 500],
];
for (const [code, status] of failures) {
  test(`a backend that rejects with ${code} is answered with ${status} and its message`, async () => {
    const alerts = (): Promise<never> => Promise.reject(new CodedError(code, 'no'));
    assert.equal(
      await ask(await alertmanagerServer({ alerts }), 'GET', '/api/v2/alerts'),
      `${status} "no"\n`,
    );
  });
}

test('a bad configuration is told to who asked for the reload', async () => {
  const reload = (): Promise<never> => Promise.reject(new Error('line 3'));
  const server = await alertmanagerServer({ reload });
  assert.equal(await ask(server, 'POST', '/-/reload'), '500 failed to reload config: line 3\n');
});

test('every origin may read, and a preflight is answered', async () => {
  const { app } = await alertmanagerServer();
  const url = '/api/v2/alerts';
  const origin = 'http://x';
  const read = await app.inject({ url, headers: { origin } });
  assert.equal(read.headers['access-control-allow-origin'], '*');
  const preflight = await app.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  });
  assert.equal(preflight.statusCode, 204);
  assert.equal(preflight.headers['access-control-allow-methods'], 'POST');
  assert.equal(preflight.headers['access-control-allow-headers'], 'content-type');
});

test('mounted under a prefix, all is below it, and messages name paths without it', async () => {
  const server = await alertmanagerServer({}, { prefix: '/alertmanager' });
  assert.equal(await ask(server, 'GET', '/alertmanager/api/v2/alerts'), '200 []\n');
  assert.equal(await ask(server, 'GET', '/alertmanager/-/ready'), '200 OK');
  assert.equal(
    await ask(server, 'GET', '/alertmanager/api/v2/nope'),
    '404 {"code":404,"message":"path /api/v2/nope was not found"}',
  );
  assert.match(await ask(server, 'PUT', '/alertmanager/api/v2/alerts'), /^405 \{"code":405/);
  assert.match(await ask(server, 'GET', '/alertmanager'), /^200 Torchring/);
});

test('metrics are served where they are given', async () => {
  const metrics = async (): Promise<{ contentType: string; body: string }> => ({
    contentType: 'text/plain; version=0.0.4',
    body: 'up 1\n',
  });
  assert.equal(await ask(await alertmanagerServer({}, { metrics }), 'GET', '/metrics'), '200 up 1\n');
});
