import assert from 'node:assert/strict';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { prometheusServer } from '../api/testing/fake_backend.ts';
import { Notifications } from './notifications.ts';

const told = (): Notifications => new Notifications(1, () => 0, new Registry());
const date = '1970-01-01T00:00:00.000Z';

test('a listener is told what holds, what comes and what ends', () => {
  const notifications = told();
  notifications.add('a');
  const heard: string[] = [];
  const stop = notifications.subscribe(({ text, active }) => heard.push(`${text} ${active}`));
  notifications.add('b');
  notifications.remove('a');
  notifications.remove('never');
  assert.deepEqual(heard, ['a true', 'b true', 'a false']);
  assert.deepEqual(notifications.list(), [{ text: 'b', date, active: true }]);
  assert.equal(
    notifications.subscribe(() => undefined),
    undefined,
    'one listener is allowed',
  );
  stop?.();
  assert.notEqual(
    notifications.subscribe(() => undefined),
    undefined,
  );
});

test('live ones come as server-sent events, a listener too many gets 204', async (context) => {
  const notifications = told();
  notifications.add('a');
  const { app } = await prometheusServer({ notifications });
  context.after(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/api/v1/notifications/live`;
  const events: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const sent = get(url, { agent: false }, (response) => {
      assert.equal(response.headers['content-type'], 'text/event-stream');
      response.on('data', async (chunk) => {
        events.push(String(chunk));
        if (events.length === 1) {
          assert.equal((await fetch(url)).status, 204);
          notifications.remove('a');
        } else {
          sent.destroy();
          resolve();
        }
      });
      response.on('error', () => undefined);
    });
    sent.on('error', reject);
  });
  const event = (active: boolean): string => `data: ${JSON.stringify({ text: 'a', date, active })}\n\n`;
  assert.deepEqual(events, [event(true), event(false)]);
});
