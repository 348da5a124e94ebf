/** What only a real connection shows: clients that go away, raw bytes, sizes, and hostile requests. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { answerOf, prometheusServer, type Server } from '../testing/fake_backend.ts';
import { listen, type RawRequest, rawHttp } from '../testing/raw_http.ts';

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
let server: Server;
let port = 0;

before(async () => {
  server = await prometheusServer();
  port = await listen(server.app);
});
after(() => server.app.close());

test('a query ends when its client goes away, and only then', { timeout: 5000 }, async () => {
  const { promise: aborted, resolve } = Promise.withResolvers<unknown>();
  const { promise: asked, resolve: nowAsked } = Promise.withResolvers<AbortSignal>();
  const usual = server.script.answer;
  server.script.answer = (_method, signal) => {
    nowAsked(signal);
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        resolve(signal.reason);
        reject(signal.reason);
      });
    });
  };
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /api/v1/query?query=1 HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await asked).aborted, false);
  socket.destroy();
  assert.match(String(await aborted), /went away/);
  let late: AbortSignal | undefined;
  server.script.answer = async (method, signal) => {
    late = signal;
    return usual(method, signal);
  };
  const { status } = await rawHttp(port, { path: '/api/v1/query?query=1' });
  server.script.answer = usual;
  assert.equal(status, 200);
  assert.equal(late?.aborted, false);
});

test('answers of many megabytes arrive whole', async () => {
  const usual = server.script.answer;
  const data = `["${'x'.repeat(20_000_000)}"]`;
  server.script.answer = async () => answerOf(data);
  const { body } = await rawHttp(port, { path: '/api/v1/labels' });
  server.script.answer = usual;
  assert.equal(body.length, data.length + '{"status":"success","data":}'.length);
});

test('HEAD of a health page has no body, and the connection goes on', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write('HEAD /-/ready HTTP/1.1\r\nHost: x\r\n\r\n');
  socket.write('GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  assert.equal(text.match(/HTTP\/1.1 200 OK/g)?.length, 2);
  assert.equal(text.match(/Prometheus Server is Ready/g)?.length, 1);
});

test('queries of several megabytes arrive by form', async () => {
  const query = '1'.repeat(5_000_000);
  const { status } = await rawHttp(port, {
    method: 'POST',
    path: '/api/v1/query',
    headers: form,
    body: Buffer.from(`query=${query}`),
  });
  assert.equal(status, 200);
  assert.ok(server.calls.at(-1)?.args[0] === query);
});

const manyParameters = Array.from({ length: 100_000 }, (_, i) => `a=${i}`).join('&');
const hostile: [string, RawRequest, number][] = [
  ['100,000 parameters', { path: `/api/v1/query?query=1&${manyParameters}` }, 200],
  ['a header of 900 kB', { path: '/api/v1/query?query=1', headers: { X: 'y'.repeat(900_000) } }, 200],
  ['a header of 2 MB', { path: '/api/v1/query?query=1', headers: { X: 'y'.repeat(2_000_000) } }, 431],
  ['a bad percent escape in the path', { path: '/api/v1/label/%zz/values' }, 400],
  ['bytes that are not UTF-8, escaped, in the path', { path: '/api/v1/label/%ff/values' }, 400],
  ['raw bytes in the query', { path: '/api/v1/query?query=\xff' }, 400],
  ['bytes that are not UTF-8, escaped, in the query', { path: '/api/v1/query?query=%ff' }, 200],
  [
    'bytes that are not UTF-8 in a form',
    { method: 'POST', path: '/api/v1/query', headers: form, body: Buffer.from('query=\xff', 'latin1') },
    200,
  ],
  ['a zero byte in the path', { path: '/api/v1/query\0?query=1' }, 400],
  ['a method that nobody knows', { method: 'FOO', path: '/api/v1/query' }, 400],
  [
    'a form of five million parameters',
    {
      method: 'POST',
      path: '/api/v1/query',
      headers: form,
      body: Buffer.from('a&'.repeat(5_000_000)),
    },
    400,
  ],
  [
    'a form of 11 MB',
    { method: 'POST', path: '/api/v1/query', headers: form, body: Buffer.alloc(11_000_000, 'a') },
    400,
  ],
  [
    'a content type that is none',
    { method: 'POST', path: '/api/v1/query', headers: { 'Content-Type': ';;;' }, body: Buffer.from('x') },
    400,
  ],
  [
    'a content length that is none',
    { method: 'POST', path: '/api/v1/query', headers: { 'Content-Length': 'x' } },
    400,
  ],
  ['prototype names', { path: '/api/v1/__proto__?constructor=1&__proto__[x]=2' }, 404],
  ['dots that climb', { path: '/api/v1/../../../../etc/passwd' }, 404],
  ['an absolute URL', { path: 'http://other/api/v1/query?query=1' }, 200],
];

for (const [what, request, status] of hostile) {
  test(`${what} does no harm`, { timeout: 5000 }, async () => {
    const answer = await rawHttp(port, request);
    assert.equal(answer.status, status, answer.body.slice(0, 200));
    assert.equal((await rawHttp(port, { path: '/-/ready' })).status, 200);
  });
}
