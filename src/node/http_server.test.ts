import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../base/index.ts';
import { hostAndPort, listen, routePrefix } from './http_server.ts';
import { WebSettings } from './web_server.ts';

test('the route prefix is the one given, else the path of the external URL', () => {
  assert.equal(routePrefix('', ''), '');
  assert.equal(routePrefix('/', 'http://x/prom'), '');
  assert.equal(routePrefix('prom/', ''), '/prom');
  assert.equal(routePrefix('', 'https://x.example/a/b/'), '/a/b');
});

test('a listen address is host:port, the host may be empty or in brackets', () => {
  assert.deepEqual(hostAndPort(':9090'), { host: '', port: 9090 });
  assert.deepEqual(hostAndPort('[::1]:9090'), { host: '::1', port: 9090 });
  assert.throws(() => hostAndPort('9090'), /"9090" is not host:port/);
});

test('an address that is taken is refused by name', async () => {
  const log = createLogger({ level: 'error', format: 'logfmt' });
  const options = {
    settings: new WebSettings('', log),
    limits: { readTimeoutMs: 1000, connectionsMax: 10 },
  };
  const first = await listen('127.0.0.1:0', async () => undefined, options);
  try {
    await assert.rejects(
      listen(first.address, async () => undefined, options),
      /cannot listen on 127\.0\.0\.1:\d+/,
    );
  } finally {
    await first.close();
  }
});
