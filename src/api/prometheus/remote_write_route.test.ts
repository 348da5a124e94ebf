import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prometheusServer } from '../testing/fake_backend.ts';

const url = '/api/v1/write';
const protobuf = 'application/x-protobuf';

const accepted = [undefined, protobuf, `${protobuf};proto=prometheus.WriteRequest`, `${protobuf}; q=1`];
for (const type of accepted) {
  test(`a body of content type ${type} reaches the backend as it came`, async () => {
    const { app, calls } = await prometheusServer();
    const payload = Buffer.from([0, 255, 128]);
    const headers = { 'content-encoding': 'snappy', ...(type === undefined ? {} : { 'content-type': type }) };
    const { statusCode, headers: answered } = await app.inject({ method: 'POST', url, headers, payload });
    assert.equal(statusCode, 204);
    assert.equal(answered['x-prometheus-remote-write-samples-written'], '7');
    assert.deepEqual(calls, [{ method: 'remoteWrite', args: [payload] }]);
  });
}

const refused: [Record<string, string>, string][] = [
  [
    { 'content-type': 'text/plain' },
    'expected application/x-protobuf as the first (media) part, got text/plain content-type',
  ],
  [
    { 'content-type': protobuf, 'content-encoding': 'gzip' },
    'gzip encoding (compression) is not accepted by this server; only snappy is acceptable',
  ],
  [
    { 'content-type': `${protobuf};proto=foo` },
    `got ${protobuf};proto=foo content type; unknown remote write protobuf message foo, supported: prometheus.WriteRequest`,
  ],
  [
    { 'content-type': `${protobuf};proto=io.prometheus.write.v2.Request` },
    `${protobuf};proto=io.prometheus.write.v2.Request protobuf message is not accepted by this server; accepted: prometheus.WriteRequest`,
  ],
];
for (const [headers, message] of refused) {
  test(`remote write refuses ${JSON.stringify(headers)}`, async () => {
    const { app, calls } = await prometheusServer();
    const { statusCode, body } = await app.inject({ method: 'POST', url, headers, payload: 'x' });
    assert.equal(`${statusCode} ${body}`, `415 ${message}\n`);
    assert.deepEqual(calls, []);
  });
}

test('senders are told to come again after 503, and why after 400', async () => {
  const later = await prometheusServer({
    remoteWrite: async () => ({ status: 503, message: 'shard moves', samplesWritten: 0 }),
  });
  const first = await later.app.inject({ method: 'POST', url, payload: 'x' });
  assert.equal(`${first.statusCode} ${first.headers['retry-after']} ${first.body}`, '503 2 shard moves\n');
  const never = await prometheusServer({
    remoteWrite: async () => ({ status: 400, message: 'snappy: corrupt input', samplesWritten: 0 }),
  });
  const second = await never.app.inject({ method: 'POST', url, payload: 'x' });
  assert.equal(`${second.statusCode} ${second.body}`, '400 snappy: corrupt input\n');
  assert.equal(second.headers['retry-after'], undefined);
});

test('a receiver that is not enabled says which flag does it', async () => {
  const { app } = await prometheusServer({}, { remoteWrite: { isEnabled: false } });
  const { statusCode, body } = await app.inject({ method: 'POST', url, payload: 'x' });
  const hint = 'remote write receiver needs to be enabled with --web.enable-remote-write-receiver';
  assert.equal(`${statusCode} ${body}`, `404 ${hint}\n`);
});

test('a body beyond the bound is refused for good', async () => {
  const { app, calls } = await prometheusServer();
  const payload = Buffer.alloc(32 * 1024 * 1024 + 1);
  const { statusCode, body } = await app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': protobuf },
    payload,
  });
  assert.equal(`${statusCode} ${body}`, '413 Request body is too large\n');
  assert.deepEqual(calls, []);
});
