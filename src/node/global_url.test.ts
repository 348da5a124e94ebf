import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globalUrl } from './global_url.ts';

test('targets at localhost have the host of the external URL; the node itself all of its address', () => {
  const node = { externalUrl: 'https://prom.example:8443/p', port: '9090' };
  assert.equal(globalUrl('http://localhost:9090/metrics?a=b', node), 'https://prom.example:8443/metrics?a=b');
  assert.equal(globalUrl('http://127.0.0.1:9100/metrics', node), 'http://prom.example:9100/metrics');
  assert.equal(globalUrl('https://[::1]:9100/', node), 'https://prom.example:9100/');
  for (const other of ['http://localhost/metrics', 'http://host:9090/metrics', 'http://127.0.0.2:1/']) {
    assert.equal(globalUrl(other, node), other);
  }
  const bare = { externalUrl: 'http://vm', port: '9090' };
  assert.equal(globalUrl('http://localhost:9090/metrics', bare), 'http://vm/metrics');
});
