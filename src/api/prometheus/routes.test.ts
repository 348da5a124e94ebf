/** Routes beside queries: what they ask of the backend, what they answer, what they refuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HTTPMethods } from 'fastify';
import { prometheusServer } from '../testing/fake_backend.ts';

const answers: [string, string][] = [
  ['/api/v1/targets', '{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}'],
  ['/api/v1/targets?state=x', '{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":null}'],
  ['/api/v1/scrape_pools', '{"scrapePools":[]}'],
  ['/api/v1/metadata', '{}'],
  ['/api/v1/rules', '{"groups":[]}'],
  ['/api/v1/alerts', '{"alerts":[]}'],
  ['/api/v1/alertmanagers', '{"activeAlertmanagers":[],"droppedAlertmanagers":[]}'],
  ['/api/v1/status/config', '{"yaml":"global: {}\\n"}'],
  ['/api/v1/status/flags', '{"config.file":"p.yml","web.listen-address":"\\u003c:9090\\u003e"}'],
  ['/api/v1/status/buildinfo', '{"version":"3.5.3"}'],
  ['/api/v1/status/runtimeinfo', '{"storageRetention":"15d"}'],
  ['/api/v1/cluster', '{"name":"c","self":"a","leader":null,"members":[],"table":{"version":1,"shards":[]}}'],
  ['//api/v1/alerts/', '{"alerts":[]}'],
];

for (const [url, data] of answers) {
  test(`GET ${url} answers success`, async () => {
    const { app } = await prometheusServer();
    const { statusCode, body, headers } = await app.inject({ url });
    assert.equal(`${statusCode} ${body}`, `200 {"status":"success","data":${data}}`);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['vary'], 'Origin');
  });
}

const filters: [string, string, unknown][] = [
  ['/api/v1/targets?state=ACTIVE&scrapePool=p', 'targets', { state: 'active', scrapePool: 'p' }],
  ['/api/v1/targets?state=&scrapePool=', 'targets', { state: 'any' }],
  [
    '/api/v1/metadata?metric=m&limit=0&limit_per_metric=2',
    'metadata',
    { metric: 'm', limit: 0, limitPerMetric: 2 },
  ],
  ['/api/v1/metadata?limit=-1&limit_per_metric=0', 'metadata', {}],
  [
    '/api/v1/rules?type=ALERT&rule_name[]=a&rule_name[]=b&rule_group[]=g&file[]=f&exclude_alerts=T&match[]=x&group_limit=2&group_next_token=z',
    'rules',
    {
      type: 'alert',
      ruleNames: ['a', 'b'],
      ruleGroups: ['g'],
      files: ['f'],
      excludeAlerts: true,
      match: ['x'],
      groupLimit: 2,
      groupNextToken: 'z',
    },
  ],
];

for (const [url, method, filter] of filters) {
  test(`GET ${url} passes its filters on`, async () => {
    const { app, calls } = await prometheusServer();
    await app.inject({ url });
    assert.deepEqual(calls, [{ method, args: [filter] }]);
  });
}

const refused: [string, string][] = [
  ['/api/v1/metadata?limit=x', 'limit must be a number'],
  ['/api/v1/metadata?limit_per_metric=1.5', 'limit_per_metric must be a number'],
  ['/api/v1/rules?type=x', 'invalid parameter "type": not supported value "x"'],
  [
    '/api/v1/rules?exclude_alerts=x',
    'invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: parsing "x": invalid syntax',
  ],
  ['/api/v1/rules?a=1;b=2', 'error parsing form values: invalid semicolon separator in query'],
  [
    '/api/v1/rules?group_next_token=x',
    'invalid parameter "group_next_token": group_limit needs to be present in order to paginate over the groups',
  ],
  [
    '/api/v1/rules?group_limit=x',
    'invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  ['/api/v1/rules?group_limit=0', 'invalid parameter "group_limit": group_limit needs to be greater than 0'],
];

for (const [url, error] of refused) {
  test(`GET ${url} is refused`, async () => {
    const { app, calls } = await prometheusServer();
    const { statusCode, body } = await app.inject({ url });
    assert.equal(statusCode, 400);
    assert.deepEqual(JSON.parse(body), { status: 'error', errorType: 'bad_data', error });
    assert.deepEqual(calls, []);
  });
}

const texts: [HTTPMethods, string, number, string][] = [
  ['GET', '/-/ready', 200, 'Prometheus Server is Ready.\n'],
  ['GET', '/-/healthy', 200, 'Prometheus Server is Healthy.\n'],
  ['HEAD', '/-/ready', 200, ''],
  ['HEAD', '/-/healthy', 200, ''],
  ['GET', '/version', 200, '{"version":"3.5.3"}\n'],
  ['GET', '/metrics', 200, 'up 1\n'],
  ['GET', '/nope', 404, '404 page not found\n'],
  ['POST', '/nope', 404, '404 page not found\n'],
  ['GET', '/api/v1/nope', 404, '404 page not found\n'],
  ['GET', '/API/v1/query', 404, '404 page not found\n'],
  ['GET', '/api/v1/label//values', 404, '404 page not found\n'],
  ['GET', '/-/reload', 405, 'Only POST or PUT requests allowed'],
  ['GET', '/-/quit', 405, 'Only POST or PUT requests allowed'],
  ['POST', '/-/reload', 200, ''],
  ['PUT', '/-/reload', 200, ''],
  ['OPTIONS', '/api/v1/query', 204, ''],
  ['OPTIONS', '/api/v1/nope', 204, ''],
];

for (const [method, url, status, text] of texts) {
  test(`${method} ${url} answers ${status}`, async () => {
    const { app } = await prometheusServer();
    const { statusCode, body } = await app.inject({ method, url });
    assert.equal(statusCode, status);
    if (method !== 'HEAD') assert.equal(body, text);
  });
}

const otherMethods: [HTTPMethods, string, string][] = [
  ['PUT', '/api/v1/query', 'GET, OPTIONS, POST'],
  ['HEAD', '/api/v1/query', 'GET, OPTIONS, POST'],
  ['PATCH', '/api/v1/labels', 'GET, OPTIONS, POST'],
  ['POST', '/api/v1/targets', 'GET, OPTIONS'],
  ['POST', '/api/v1/label/a/values', 'GET, OPTIONS'],
  ['GET', '/api/v1/write', 'OPTIONS, POST'],
  ['POST', '/-/ready', 'GET, HEAD, OPTIONS'],
  ['DELETE', '/-/reload', 'GET, OPTIONS, POST, PUT'],
  ['HEAD', '/metrics', 'GET, OPTIONS'],
  ['POST', '/', 'GET, OPTIONS'],
];

for (const [method, url, allow] of otherMethods) {
  test(`${method} ${url} answers 405 and tells the methods`, async () => {
    const { app } = await prometheusServer();
    const { statusCode, headers } = await app.inject({ method, url });
    assert.equal(statusCode, 405);
    assert.equal(headers['allow'], allow);
  });
}

test('OPTIONS of a path outside the API tells the methods', async () => {
  const { app } = await prometheusServer();
  const { statusCode, headers } = await app.inject({ method: 'OPTIONS', url: '/-/ready' });
  assert.equal(`${statusCode} ${headers['allow']}`, '200 GET, HEAD, OPTIONS');
});

test('a node that is not ready says so, to GET and to HEAD', async () => {
  const { app } = await prometheusServer({ ready: () => false, healthy: () => false });
  for (const url of ['/-/ready', '/-/healthy']) {
    const { statusCode, body } = await app.inject({ url });
    assert.equal(`${statusCode} ${body}`, '503 Service Unavailable');
    assert.equal((await app.inject({ url, method: 'HEAD' })).statusCode, 503);
  }
});

test('a bad configuration is told to who asked for the reload', async () => {
  const { app } = await prometheusServer({ reload: () => Promise.reject(new Error('line 3: no')) });
  const { statusCode, body } = await app.inject({ method: 'POST', url: '/-/reload' });
  assert.equal(`${statusCode} ${body}`, '500 failed to reload config: line 3: no\n');
});

test('without the lifecycle API nothing is reloaded and nobody quits', async () => {
  const reload = (): Promise<void> => Promise.reject(new Error('called'));
  const { app, calls } = await prometheusServer({ reload }, { isLifecycleEnabled: false });
  for (const url of ['/-/reload', '/-/quit']) {
    const { statusCode, body } = await app.inject({ method: 'POST', url });
    assert.equal(`${statusCode} ${body}`, '403 Lifecycle API is not enabled.');
  }
  assert.deepEqual(calls, []);
});

test('the node quits after it has said so', async () => {
  const { app, calls } = await prometheusServer();
  const { body } = await app.inject({ method: 'POST', url: '/-/quit' });
  assert.equal(body, 'Requesting termination... Goodbye!');
  assert.deepEqual(calls, [{ method: 'quit', args: [] }]);
});

test('scripts of allowed origins may read answers, others learn only what could be allowed', async () => {
  const { app } = await prometheusServer();
  const of = async (origin: string): Promise<unknown[]> => {
    const { headers } = await app.inject({ url: '/api/v1/query?query=1', headers: { origin } });
    return [headers['access-control-allow-origin'], headers['access-control-allow-methods'], headers['vary']];
  };
  assert.deepEqual(await of('http://good.x'), ['http://good.x', 'GET, POST, OPTIONS', 'Origin']);
  assert.deepEqual(await of('http://bad.x'), [undefined, 'GET, POST, OPTIONS', 'Origin']);
  const plain = await app.inject({ url: '/-/ready', headers: { origin: 'http://good.x' } });
  assert.equal(plain.headers['access-control-allow-origin'], undefined);
});

test('requests are counted by route and status, unknown paths not at all', async () => {
  const { app, registry } = await prometheusServer();
  for (const url of ['/api/v1/query?query=1', '/api/v1/query', '/api/v1/label/a/values', '/nope']) {
    await app.inject({ url });
  }
  const text = await registry.metrics();
  const counts = text.split('\n').filter((line) => line.startsWith('prometheus_http_requests_total'));
  assert.deepEqual(counts, [
    'prometheus_http_requests_total{handler="/api/v1/query",code="200"} 1',
    'prometheus_http_requests_total{handler="/api/v1/query",code="400"} 1',
    'prometheus_http_requests_total{handler="/api/v1/label/:name/values",code="200"} 1',
  ]);
  assert.match(text, /response_size_bytes_sum\{handler="\/api\/v1\/label\/:name\/values"\} 30\n/);
  assert.match(text, /request_duration_seconds_count\{handler="\/api\/v1\/query"\} 2\n/);
});

test('two servers count into one registry', async () => {
  const first = await prometheusServer();
  const second = await prometheusServer({}, { registry: first.registry });
  for (const { app } of [first, second]) await app.inject({ url: '/-/ready' });
  const text = await first.registry.metrics();
  assert.match(text, /prometheus_http_requests_total\{handler="\/-\/ready",code="200"\} 2\n/);
});
