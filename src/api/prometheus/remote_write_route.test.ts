import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prometheusServer } from '../testing/fake_backend.ts';

const url = '/api/v1/write';
const protobuf = 'application/x-protobuf';

const second = `${protobuf};proto=io.prometheus.write.v2.Request`;
const accepted = [
  [undefined, 1],
  [protobuf, 1],
  [`${protobuf};proto=prometheus.WriteRequest`, 1],
  [`${protobuf}; q=1`, 1],
  [second, 2],
  [`${protobuf}; proto=io.prometheus.write.v2.Request; q=1`, 2],
] as const;
for (const [type, protocol] of accepted) {
  test(`a body of content type ${type} reaches the backend as it came`, async () => {
    const { app, calls } = await prometheusServer();
    const payload = Buffer.from([0, 255, 128]);
    const headers = { 'content-encoding': 'snappy', ...(type === undefined ? {} : { 'content-type': type }) };
    const { statusCode, headers: answered } = await app.inject({ method: 'POST', url, headers, payload });
    assert.equal(statusCode, 204);
    const written = ['samples', 'histograms', 'exemplars'].map(
      (what) => answered[`x-prometheus-remote-write-${what}-written`],
    );
    assert.deepEqual(written, ['7', '2', '1']);
    assert.deepEqual(calls, [{ method: 'write', args: [payload, protocol] }]);
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
    `got ${protobuf};proto=foo content type; unknown remote write protobuf message foo, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request`,
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

test('a message that is not among those accepted is refused', async () => {
  const remoteWrite = { isEnabled: true, acceptedMessages: ['prometheus.WriteRequest'] };
  const { app, calls } = await prometheusServer({}, { remoteWrite });
  const headers = { 'content-type': second };
  const { statusCode, body } = await app.inject({ method: 'POST', url, headers, payload: 'x' });
  const message =
    'io.prometheus.write.v2.Request protobuf message is not accepted by this server; accepted [prometheus.WriteRequest]';
  assert.equal(`${statusCode} ${body}`, `415 ${message}\n`);
  assert.deepEqual(calls, []);
});

const nothing = { samplesWritten: 0, histogramsWritten: 0, exemplarsWritten: 0 };

test('senders are told to come again after 503, and why after 400', async () => {
  const { remote } = (await prometheusServer()).backend;
  const later = await prometheusServer({
    remote: { ...remote, write: async () => ({ status: 503, message: 'shard moves', ...nothing }) },
  });
  const first = await later.app.inject({ method: 'POST', url, payload: 'x' });
  assert.equal(`${first.statusCode} ${first.headers['retry-after']} ${first.body}`, '503 2 shard moves\n');
  const never = await prometheusServer({
    remote: { ...remote, write: async () => ({ status: 400, message: 'snappy: corrupt input', ...nothing }) },
  });
  const answered = await never.app.inject({ method: 'POST', url, payload: 'x' });
  assert.equal(`${answered.statusCode} ${answered.body}`, '400 snappy: corrupt input\n');
  assert.equal(answered.headers['retry-after'], undefined);
});

test('a receiver that is not enabled says which flag does it', async () => {
  const { app } = await prometheusServer({}, { remoteWrite: { isEnabled: false, acceptedMessages: [] } });
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
