import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import fastify from 'fastify';
import { BodyBudget, limitBodies } from './body_budget.ts';

test('bodies beyond the budget are put off, and a sender that goes away gives its bytes back', async (context) => {
  const budget = new BodyBudget(100);
  const app = fastify();
  context.after(() => app.close());
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  limitBodies(app, budget, 80);
  app.post('/', { bodyLimit: 80 }, async () => 'ok');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as { port: number };

  const slow = connect(port, '127.0.0.1');
  await once(slow, 'connect');
  slow.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: a/b\r\ncontent-length: 60\r\n\r\n1');
  await new Promise<void>((resolve) => {
    const look = (): void => (budget.bytes === 60 ? resolve() : void setImmediate(look));
    look();
  });
  const post = (length: number): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { 'content-type': 'a/b' },
      body: Buffer.alloc(length),
    });
  assert.equal((await post(40)).status, 200);
  const refused = await post(41);
  assert.equal(`${refused.status} ${refused.headers.get('retry-after')}`, '503 2');
  assert.equal((await post(81)).status, 413);
  slow.destroy();
  await new Promise<void>((resolve) => {
    const look = (): void => (budget.bytes === 0 ? resolve() : void setImmediate(look));
    look();
  });
  assert.equal((await post(80)).status, 200);
});
