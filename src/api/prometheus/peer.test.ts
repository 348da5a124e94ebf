/** The same requests to a real Prometheus without data and to ours without data: status, headers and bodies are equal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipWithoutPeers, startPeer } from '../../base/testing/peer.ts';
import { prometheusServer } from '../testing/fake_backend.ts';
import { listen, type RawAnswer, type RawRequest, rawHttp } from '../testing/raw_http.ts';

const range = '/api/v1/query_range?query=1';
const urls = [
  '/-/ready',
  '/-/healthy',
  '/-/reload',
  '/-/quit',
  '/nope',
  '/api/v1/nope',
  '/api/v1/',
  '/API/v1/query',
  '/api/v1/query',
  '/api/v1/query?query=',
  '/api/v1/query?query=)',
  '/api/v1/query?query=1&time=1',
  '/api/v1/query?query=1&time=1&time=2&query=3',
  '/api/v1/query?query=1&time=1&limit=%2B1',
  '/api/v1/query?query=1&time=1&lookback_delta=-1',
  '/api/v1/query?query=1&time=1&lookback_delta=0',
  ...[
    'abc',
    '0x10',
    '+1',
    '2020-02-30T00:00:00Z',
    '2020-01-01t00:00:00z',
    '2020-01-01T00:00:00',
    '%22%0a',
    '%C3%A4',
  ].map((time) => `/api/v1/query?query=1&time=${time}`),
  ...['abc', '1d1d', '1e300', 'Inf', '1x', '-1x', '-1d'].map(
    (text) => `/api/v1/query?query=1&timeout=${text}`,
  ),
  ...[
    '-1',
    'abc',
    '1.5',
    '1_0',
    '%22%0a',
    '99999999999999999999',
    '-99999999999999999999',
    '9223372036854775808',
  ].map((limit) => `/api/v1/query?query=1&limit=${limit}`),
  '/api/v1/query?query=1&lookback_delta=abc',
  '/api/v1/query?query=1&limit=x&time=x&timeout=x&lookback_delta=x',
  '/api/v1/query?query=%zz&time=1',
  '/api/v1/query?time=1&query=1;b=2',
  '/api/v1/query?time=1&query=1%',
  '/api/v1/query?%zz=1&query=1&time=1',
  ...[
    '',
    '&start=1',
    '&start=1&end=0&step=1',
    '&start=1&end=2',
    '&start=1&end=2&step=0',
    '&start=1&end=2&step=-1',
    '&start=1&end=2&step=1x',
    '&start=0&end=11001&step=1',
    '&start=0&end=1&step=1&timeout=x',
    '&start=0&end=1&step=1&limit=-1',
    '&start=0&end=1&step=1&lookback_delta=x',
  ].map((parameters) => range + parameters),
  '/api/v1/query_range?query=)&start=0&end=1&step=1',
  '/api/v1/query_range?start=0&end=1&step=1',
  ...['', '?match[]=)', '?match[]=up&match[]=)', '?match=up', '?match[]=up', '?match[]=up&%zz'].map(
    (query) => `/api/v1/series${query}`,
  ),
  '/api/v1/series?match[]=up&start=x',
  '/api/v1/series?match[]=up&start=2&end=1',
  '/api/v1/series?match[]=up&limit=-1',
  '/api/v1/series?match[]=)&limit=-1&start=x',
  ...['', '?start=x', '?end=x', '?start=2&end=1', '?match[]=)', '?limit=x'].flatMap((query) => [
    `/api/v1/labels${query}`,
    `/api/v1/label/job/values${query}`,
  ]),
  ...['a.b', 'U__a_2e_b', 'U__', '%20', '%00', '%C3%A4', '%zz'].map((name) => `/api/v1/label/${name}/values`),
  '/api/v1/label/a/b/values',
  '/api/v1/label/job',
  ...['', '?state=x', '?state=DROPPED', '?scrapePool=x'].map((query) => `/api/v1/targets${query}`),
  '/api/v1/scrape_pools',
  ...['', '?limit=x', '?limit_per_metric=x', '?limit=-1'].map((query) => `/api/v1/metadata${query}`),
  ...[
    '',
    '?type=x',
    '?type=ALERT',
    '?exclude_alerts=x',
    '?exclude_alerts=T',
    '?match[]=)',
    '?group_next_token=x',
    '?group_limit=x',
    '?group_limit=0',
    '?group_limit=1',
    '?a=%zz',
    '?a=1;b=2',
  ].map((query) => `/api/v1/rules${query}`),
  '/api/v1/alerts',
  '/api/v1/alertmanagers',
  '/favicon.ico',
];

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const post = (path: string, body: string, headers: Record<string, string> = form): RawRequest => ({
  method: 'POST',
  path,
  headers,
  body: Buffer.from(body, 'latin1'),
});

const requests: RawRequest[] = [
  ...urls.map((path) => ({ path })),
  ...[
    ['POST', '/api/v1/targets'],
    ['POST', '/api/v1/label/a/values'],
    ['PUT', '/api/v1/query'],
    ['DELETE', '/api/v1/query'],
    ['HEAD', '/api/v1/query?query=1'],
    ['OPTIONS', '/api/v1/query'],
    ['OPTIONS', '/api/v1/nope'],
    ['OPTIONS', '/'],
    ['OPTIONS', '/-/ready'],
    ['HEAD', '/-/ready'],
    ['HEAD', '/-/healthy'],
    ['HEAD', '/metrics'],
    ['POST', '/-/ready'],
    ['POST', '/-/reload'],
    ['PUT', '/-/reload'],
    ['DELETE', '/-/reload'],
    ['POST', '/-/quit'],
    ['GET', '/api/v1/write'],
    ['POST', '/api/v1/write'],
    ['POST', '/metrics'],
    ['PATCH', '/api/v1/labels'],
    ['POST', '/'],
    ['POST', '/nope'],
    ['POST', '/api/v1/nope'],
  ].map(([method = '', path = '']) => ({ method, path })),
  post('/api/v1/query?query=1&time=7', 'query=1&time=1'),
  post('/api/v1/query?time=1', 'query=1', {
    'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8',
  }),
  post('/api/v1/query?time=1', 'query=1', { 'Content-Type': 'text/plain' }),
  post('/api/v1/query?time=1', 'query=1', {}),
  post('/api/v1/query?time=1', '{"query":"1"}', { 'Content-Type': 'application/json' }),
  post('/api/v1/query?time=1', 'query=%zz'),
  post('/api/v1/query?time=1', '%zz=1&query=1'),
  post('/api/v1/series', 'match[]=%zz'),
  post('/api/v1/series', 'match[]=up&match[]=up2'),
  post('/api/v1/series', 'match[]=up&x=%zz'),
  { path: '/api/v1/query?time=1&query=1', headers: { Origin: 'http://good.x' } },
  { path: '/api/v1/query?time=1&query=1', headers: { Origin: 'http://bad.x' } },
  { path: '/api/v1/query?time=1&query=1', headers: { Accept: 'text/plain' } },
  { method: 'OPTIONS', path: '/api/v1/query', headers: { Origin: 'http://good.x' } },
  { path: '/-/ready', headers: { Origin: 'http://good.x' } },
];

const comparedHeaders = [
  'content-type',
  'allow',
  'vary',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'x-content-type-options',
];

/** Go tells no content type of a body that it does not have; ours is that of GET. */
function comparable(method: string, { status, headers, body }: RawAnswer): unknown {
  const names =
    method === 'HEAD' ? comparedHeaders.filter((name) => name !== 'content-type') : comparedHeaders;
  const kept = names.map((name) => [name, headers.get(name)]);
  return { status, body, headers: Object.fromEntries(kept) };
}

test('ours answers as a real Prometheus does', { skip: skipWithoutPeers }, async (context) => {
  const peer = await startPeer('prometheus', {
    ready: /Starting rule manager/,
    config: 'global: {}\n',
    flags: (directory) => [`--storage.tsdb.path=${directory}`, '--web.cors.origin=http://good\\..*'],
  });
  context.after(() => peer.stop());
  if (!peer.isUp) return context.skip(`prometheus does not start here: ${peer.lastWords}`);
  const options = { isLifecycleEnabled: false, remoteWrite: { isEnabled: false, acceptedMessages: [] } };
  const { app } = await prometheusServer({}, options);
  context.after(() => app.close());
  const port = await listen(app);
  for (const request of requests) {
    const { method = 'GET', path, body = '' } = request;
    await context.test(`${method} ${path} ${body}`, async () => {
      const [theirs, ours] = await Promise.all([rawHttp(peer.port, request), rawHttp(port, request)]);
      assert.deepEqual(comparable(method, ours), comparable(method, theirs));
    });
  }
});
