/** The same requests to a real Alertmanager and to ours, and the real amtool against ours. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { peersDirectory, skipWithoutPeers, startPeer } from '../../base/testing/peer.ts';
import { alertmanagerServer, silenceId } from '../testing/fake_alertmanager.ts';
import { listen, type RawAnswer, type RawRequest, rawHttp } from '../testing/raw_http.ts';

const unknownId = '00000000-0000-0000-0000-000000000000';
const silence = '"comment":"c","createdBy":"d","endsAt":"2030-01-02T00:00:00Z"';
const json = { 'Content-Type': 'application/json' };
const post = (path: string, body: string, headers: Record<string, string> = json): RawRequest => ({
  method: 'POST',
  path,
  headers,
  body: Buffer.from(body),
});

const requests: RawRequest[] = [
  ...[
    '/-/ready',
    '/-/healthy',
    '/-/reload',
    '/nope',
    '/api/v2/nope',
    '/api/v2/%3Cnope%26?a=b',
    '/api/v1/alerts',
    '/api/v1/nope',
    '/api/v2/alerts',
    '/api/v2/alerts?active=x&silenced=yes',
    '/api/v2/alerts?filter=a',
    '/api/v2/alerts?filter=',
    '/api/v2/alerts?filter=a%3Db&filter=c%3Dd',
    '/api/v2/alerts?%zz=1',
    '/api/v2/alerts/',
    '/api/v2/alerts/groups',
    '/api/v2/silences',
    '/api/v2/silences?filter=a',
    '/api/v2/silence/x',
    `/api/v2/silence/${unknownId}`,
    '/api/v2/silence/ABCDEF00-0000-0000-0000-000000000000',
  ].map((path) => ({ path })),
  ...[
    ['HEAD', '/api/v2/alerts'],
    ['PUT', '/api/v2/alerts'],
    ['DELETE', '/api/v2/alerts'],
    ['OPTIONS', '/api/v2/alerts'],
    ['POST', '/api/v2/status'],
    ['DELETE', '/api/v2/silence/x'],
    ['DELETE', `/api/v2/silence/${unknownId}`],
    ['HEAD', '/-/ready'],
    ['POST', '/-/ready'],
    ['PUT', '/-/reload'],
    ['POST', '/-/reload'],
    ['OPTIONS', '/-/ready'],
  ].map(([method = '', path = '']) => ({ method, path })),
  { path: '/api/v2/alerts', headers: { Origin: 'http://x' } },
  ...['POST', 'DELETE'].map((asked) => ({
    method: 'OPTIONS',
    path: '/api/v2/alerts',
    headers: { Origin: 'http://x', 'Access-Control-Request-Method': asked },
  })),
  post('/api/v2/alerts', '[]', {}),
  post('/api/v2/alerts', '[]', { 'Content-Type': 'text/plain' }),
  post('/api/v2/alerts', '', {}),
  ...['', '[]', 'null', '[{}]', '[{"labels":null}]', '[{"labels":{"a":"b"},"generatorURL":"::"}]'].map(
    (body) => post('/api/v2/alerts', body),
  ),
  ...[
    '',
    '{}',
    'null',
    '{"comment":"c"}',
    '{"comment":"c","createdBy":"d"}',
    `{${silence}}`,
    `{${silence},"matchers":[]}`,
    `{${silence},"matchers":[{}]}`,
    `{${silence},"matchers":[{"isRegex":true}]}`,
    `{${silence},"matchers":[{"isRegex":true,"name":"a"}]}`,
    `{${silence},"matchers":[{"isRegex":false,"name":"a","value":"b"}]}`,
    `{"id":"${unknownId}",${silence},"matchers":[{"isRegex":false,"name":"a","value":"b"}],"startsAt":"2030-01-01T00:00:00Z"}`,
  ].map((body) => post('/api/v2/silences', body)),
];

const comparedHeaders = [
  'content-type',
  'allow',
  'vary',
  'cache-control',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'x-content-type-options',
];

/** Go tells no content type of a body that it does not have. */
function comparable(method: string, { status, headers, body }: RawAnswer): unknown {
  const names =
    method === 'HEAD' ? comparedHeaders.filter((name) => name !== 'content-type') : comparedHeaders;
  const kept = names.map((name) => [name, name === 'allow' ? sorted(headers.get(name)) : headers.get(name)]);
  const message = body.replace(/(?<=but \[).*(?=\] are)/, (methods) => sorted(methods) ?? '');
  return { status, body: message, headers: Object.fromEntries(kept) };
}

/** The real one lists methods in the random order of a Go map. */
function sorted(list: string | undefined): string | undefined {
  return list?.split(/, ?/).sort().join(',');
}

const config = 'route: {receiver: r}\nreceivers: [{name: r}]\n';

test('ours answers as a real Alertmanager does', { skip: skipWithoutPeers }, async (context) => {
  const peer = await startPeer('alertmanager', {
    ready: /msg="Listening on"/,
    config,
    flags: (directory) => [`--storage.path=${directory}`, '--cluster.listen-address='],
  });
  context.after(() => peer.stop());
  if (!peer.isUp) return context.skip(`alertmanager does not start here: ${peer.lastWords}`);
  const { app } = await alertmanagerServer();
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

test('amtool adds, queries and expires through ours', { skip: skipWithoutPeers }, async (context) => {
  const { app, posted, queries } = await alertmanagerServer({}, { prefix: '/alertmanager' });
  context.after(() => app.close());
  const port = await listen(app);
  const amtool = async (...words: string[]): Promise<string> => {
    const url = `--alertmanager.url=http://127.0.0.1:${port}/alertmanager`;
    const { stdout } = await promisify(execFile)(join(peersDirectory, 'amtool'), [url, ...words]);
    return stdout;
  };
  await amtool('alert', 'add', 'alertname=Down', 'job=x', '--annotation=summary=gone');
  assert.equal(posted.length, 1);
  assert.deepEqual((posted[0] as { labels: unknown }).labels, { alertname: 'Down', job: 'x' });
  assert.match(await amtool('alert', 'query', 'alertname=Down', '--output=extended'), /alertname="Down"/);
  assert.deepEqual(queries.at(-1)?.filter, ['alertname=Down']);
  const added = await amtool(
    'silence',
    'add',
    'alertname=Down',
    '--comment=c',
    '--author=me',
    '--duration=1h',
  );
  assert.equal(added.trim(), silenceId);
  assert.match(await amtool('silence', 'query'), new RegExp(`${silenceId}.*alertname="Down"`));
  assert.equal(await amtool('silence', 'expire', silenceId), '');
  assert.doesNotMatch(await amtool('silence', 'query'), new RegExp(silenceId));
  assert.match(await amtool('cluster', 'show'), /disabled/);
  assert.match(await amtool('config', 'show'), /<route>/);
});
