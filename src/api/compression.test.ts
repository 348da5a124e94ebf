import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { encodingFor } from './compression.ts';
import { answerOf, prometheusServer } from './testing/fake_backend.ts';

test('the first encoding that the client names and we know is taken', () => {
  assert.equal(encodingFor('br, gzip;q=0.5, zstd'), 'gzip');
  assert.equal(encodingFor('zstd,gzip'), 'zstd');
  assert.equal(encodingFor('GZIP;q=0, deflate'), 'deflate');
  for (const none of [undefined, '', 'identity', '*', 'gzip;q=0.0', 'constructor']) {
    assert.equal(encodingFor(none), undefined);
  }
});

for (const [what, size, isCompressed] of [
  ['small', 100, false],
  ['of one piece', 5_000, true],
  ['of many pieces', 500_000, true],
] as const) {
  test(`an answer that is ${what} is ${isCompressed ? '' : 'not '}compressed, and comes whole`, async (context) => {
    const server = await prometheusServer();
    context.after(() => server.app.close());
    const data = JSON.stringify('ab'.repeat(size / 2));
    server.script.answer = async () => answerOf(data, { warnings: ['careful'] });
    const url = '/api/v1/query?query=1';
    const headers = { 'accept-encoding': 'gzip' };
    const answer = await server.app.inject({ url, headers });
    assert.equal(answer.headers['content-encoding'], isCompressed ? 'gzip' : undefined);
    const body = isCompressed ? gunzipSync(answer.rawPayload).toString() : answer.body;
    assert.equal(body, `{"status":"success","data":${data},"warnings":["careful"]}`);
    const plain = await server.app.inject({ url });
    assert.equal(plain.body, body);
    assert.equal(plain.headers['content-length'], String(body.length));
  });
}
