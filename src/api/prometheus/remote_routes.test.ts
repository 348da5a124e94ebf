import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { ReadAnswer, RemoteBackend } from '../remote_backend.ts';
import { prometheusServer, type Server } from '../testing/fake_backend.ts';

const json = { 'content-type': 'application/json' };

async function serverWith(changes: Partial<RemoteBackend>): Promise<Server> {
  const { remote } = (await prometheusServer()).backend;
  return prometheusServer({ remote: { ...remote, ...changes } });
}

test('OTLP bodies reach the backend as they came, with what the headers say of them', async () => {
  const { app, calls } = await prometheusServer();
  const url = '/api/v1/otlp/v1/metrics';
  const ask = async (headers: Record<string, string>): Promise<string> => {
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url,
      headers,
      payload: Buffer.from('x'),
    });
    return `${statusCode} ${body}`;
  };
  assert.equal(await ask(json), '200 ');
  assert.equal(await ask({ 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' }), '200 ');
  assert.deepEqual(
    calls.map(({ args }) => args[0]),
    [
      { bytes: Buffer.from('x'), isGzip: false, isJson: true },
      { bytes: Buffer.from('x'), isGzip: true, isJson: false },
    ],
  );
  assert.equal(
    await ask({ 'content-type': 'text/plain' }),
    '400 unsupported content type: text/plain, supported: [application/json, application/x-protobuf]\n',
  );
  assert.equal(
    await ask({ ...json, 'content-encoding': 'zstd' }),
    '400 unsupported compression: zstd. Only "gzip" or no compression supported\n',
  );
  const off = await prometheusServer({}, { otlp: { isEnabled: false } });
  const { statusCode, body } = await off.app.inject({ method: 'POST', url, headers: json, payload: '{}' });
  assert.equal(
    `${statusCode} ${body}`,
    '404 otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n',
  );
});

test('a remote read is answered in one piece, in frames, or with what is wrong', async () => {
  const url = '/api/v1/read';
  const whole = await prometheusServer();
  const first = await whole.app.inject({ method: 'POST', url, payload: Buffer.from('q') });
  assert.equal(first.headers['content-type'], 'application/x-protobuf');
  assert.equal(first.headers['content-encoding'], 'snappy');
  assert.equal(first.body, 'read');
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one');
    yield Buffer.from('two');
  }
  const streamed = await serverWith({ read: async () => ({ type: 'chunks', pieces: pieces() }) });
  const second = await streamed.app.inject({ method: 'POST', url, payload: Buffer.from('q') });
  assert.equal(
    second.headers['content-type'],
    'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
  );
  assert.equal(second.body, 'onetwo');
  const answer: ReadAnswer = { type: 'refused', status: 400, message: 'snappy: corrupt input' };
  const refused = await serverWith({ read: async () => answer });
  const third = await refused.app.inject({ method: 'POST', url, payload: Buffer.from('q') });
  assert.equal(`${third.statusCode} ${third.body}`, '400 snappy: corrupt input\n');
});

test('an answer is made as fast as the client takes it, and no more of it when the client is gone', async (context) => {
  let made = 0;
  let isEnded = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        made++;
        yield Buffer.alloc(1 << 20);
      }
    } finally {
      isEnded = true;
    }
  }
  const { app } = await serverWith({ read: async () => ({ type: 'chunks', pieces: endless() }) });
  context.after(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /api/v1/read HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nq');
  await once(socket, 'readable');
  // Nobody reads on: what the sockets hold is made, and then nothing more.
  let before = -1;
  while (before !== made) {
    before = made;
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  }
  assert.ok(made < 64, `${made} MiB were made`);
  socket.destroy();
  while (!isEnded) await new Promise(setImmediate);
});

test('federation passes on what is selected and what is accepted', async () => {
  const { app, calls } = await prometheusServer();
  const url = '/federate?match[]=up&match[]=a{b="c"}';
  const { statusCode, body } = await app.inject({ url, headers: { accept: 'text/plain' } });
  assert.equal(`${statusCode} ${body}`, '200 up 1\n');
  assert.deepEqual(calls, [{ method: 'federate', args: [['up', 'a{b="c"}'], 'text/plain'] }]);
  const bad = await app.inject({ url: '/federate?match[]=%zz' });
  assert.equal(`${bad.statusCode} ${bad.body}`, '400 error parsing form values: invalid URL escape "%zz"\n');
});
