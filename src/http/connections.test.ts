import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HttpClientConfig, httpClient } from '../model/index.ts';
import { openDispatcher } from './dispatcher.ts';
import { proxyFor, proxyRules } from './proxy.ts';
import { requestErrorText } from './request_error.ts';
import { send } from './send.ts';
import { firstIdentity, secondIdentity } from './testing/identities.ts';

const defaults: HttpClientConfig = httpClient().initial();
const connections = { perOriginMax: 2, idleMs: 60_000, connectTimeoutMs: 5_000 };

async function directoryOf(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'torchring-http-'));
  context.after(() => rm(directory, { recursive: true }));
  return directory;
}

test('changed TLS files take effect without a new client, missing ones fail the request', async (context) => {
  const directory = await directoryOf(context);
  const caFile = join(directory, 'ca.crt');
  const server = createServer({ ...firstIdentity }, (_, response) => response.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const config = { ...defaults, tlsConfig: { ...defaults.tlsConfig, caFile } };
  await assert.rejects(openDispatcher(config, connections), /unable to read TLS file.*ca\.crt/);
  await writeFile(caFile, secondIdentity.cert);
  const opened = await openDispatcher(config, connections);
  context.after(async () => {
    await opened.destroy();
    server.closeAllConnections();
    server.close();
  });
  const get = async (): Promise<number> => {
    const signal = AbortSignal.timeout(5_000);
    const response = await send({ method: 'GET', url, headers: {}, signal }, config, opened);
    await response.body.dump();
    return response.statusCode;
  };
  await assert.rejects(get(), (error) =>
    requestErrorText(error).startsWith('tls: failed to verify certificate: x509: certificate signed by'),
  );
  await writeFile(caFile, firstIdentity.cert);
  assert.equal(await get(), 200);
  await writeFile(caFile, secondIdentity.cert);
  await assert.rejects(get(), 'the connection made with the old file is not used any more');
  await rm(caFile);
  await assert.rejects(get(), /unable to read TLS file/);
});

test('HTTP/2 is spoken where both sides may, and the name that the certificate must have can be given', async (context) => {
  const server = createSecureServer({ ...firstIdentity, allowHTTP1: true }, (request, response) => {
    response.end(request.httpVersion);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (const enableHttp2 of [true, false]) {
    const tlsConfig = { ...defaults.tlsConfig, ca: firstIdentity.cert, serverName: 'target.test' };
    const config = { ...defaults, enableHttp2, tlsConfig };
    const opened = await openDispatcher(config, connections);
    for (let i = 0; i < 3; i++) {
      const signal = AbortSignal.timeout(5_000);
      const response = await send({ method: 'GET', url, headers: { 'x-a': 'b' }, signal }, config, opened);
      assert.equal(await response.body.text(), enableHttp2 ? '2.0' : '1.1');
    }
    await opened.destroy();
  }
  const wrongName = { ...defaults.tlsConfig, ca: firstIdentity.cert, serverName: 'other.test' };
  const config = { ...defaults, tlsConfig: wrongName };
  const opened = await openDispatcher(config, connections);
  const signal = AbortSignal.timeout(5_000);
  await assert.rejects(send({ method: 'GET', url, headers: {}, signal }, config, opened), (error) =>
    /^tls: failed to verify certificate: x509: /.test(requestErrorText(error)),
  );
  await opened.destroy();
});

test('no_proxy names domains, addresses, networks and ports as in Go', () => {
  const none = { proxyUrl: '', noProxy: '', proxyFromEnvironment: false, proxyConnectHeader: {} };
  const rules = proxyRules(
    {
      ...none,
      proxyUrl: 'http://p',
      noProxy: 'a.test, .b.test,*.c.test,10.0.0.0/8,1.2.3.4:90,[::5],d.test:81',
    },
    {},
  );
  assert.ok(rules);
  const direct = (url: string): boolean => proxyFor(new URL(url), rules) === '';
  for (const url of [
    'http://a.test',
    'http://x.A.test',
    'http://x.b.test',
    'http://x.c.test',
    'http://10.1.2.3:9',
    'http://1.2.3.4:90',
    'http://[::5]:1',
    'http://d.test:81',
    'http://127.0.0.1',
    'http://localhost:9',
  ]) {
    assert.ok(direct(url), url);
  }
  for (const url of ['http://b.test', 'http://c.test', 'http://11.0.0.1', 'http://1.2.3.4', 'http://d.test'])
    assert.ok(!direct(url), url);
  const always = proxyRules({ ...none, proxyUrl: 'http://p' }, {});
  assert.equal(always && proxyFor(new URL('http://localhost'), always), 'http://p');
  const environment = { HTTPS_PROXY: 'http://s', http_proxy: 'http://h', NO_PROXY: 'x' };
  const found = proxyRules({ ...none, proxyFromEnvironment: true }, environment);
  assert.equal(found && proxyFor(new URL('https://y'), found), 'http://s');
  assert.equal(found && proxyFor(new URL('http://y'), found), 'http://h');
  assert.equal(found && proxyFor(new URL('http://x'), found), '');
  assert.equal(proxyRules({ ...none, proxyFromEnvironment: true }, {}), undefined);
  assert.equal(proxyRules(none, environment), undefined);
});
