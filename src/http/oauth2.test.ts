import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../base/index.ts';
import { httpClient, type OAuth2Config } from '../model/index.ts';
import { TokenSource } from './oauth2.ts';

interface Asked {
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

type Answer = (asked: Asked, response: ServerResponse) => void;

async function tokenServer(context: TestContext, answer: Answer): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const one = { authorization: request.headers.authorization, form: new URLSearchParams(body) };
      asked.push(one);
      answer(one, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, asked };
}

const configOf = (tokenUrl: string, changes: Partial<OAuth2Config> = {}): OAuth2Config => ({
  ...httpClient().initial(),
  clientId: 'me:1',
  clientSecret: 'se cret',
  clientSecretFile: '',
  clientSecretRef: '',
  clientCertificateKeyId: '',
  clientCertificateKey: '',
  clientCertificateKeyFile: '',
  clientCertificateKeyRef: '',
  signatureAlgorithm: '',
  iss: '',
  audience: '',
  grantType: '',
  claims: {},
  scopes: ['a', 'b'],
  tokenUrl,
  endpointParams: { audience: 'x' },
  ...changes,
});

const signal = new AbortController().signal;

function movableClock(): Clock & { nowMsValue: number } {
  const clock = { ...systemClock, nowMsValue: 1_000_000, monotonicMs: () => clock.nowMsValue };
  return clock;
}

test('a token is asked for once, and again shortly before it expires', async (context) => {
  let count = 0;
  const { url, asked } = await tokenServer(context, (_, response) => {
    response.end(JSON.stringify({ access_token: `t${++count}`, token_type: 'bearer', expires_in: 60 }));
  });
  const clock = movableClock();
  const source = new TokenSource(configOf(url), clock);
  assert.deepEqual(await Promise.all([source.header(signal), source.header(signal)]), [
    'Bearer t1',
    'Bearer t1',
  ]);
  clock.nowMsValue += 49_000;
  assert.equal(await source.header(signal), 'Bearer t1');
  clock.nowMsValue += 2_000;
  assert.equal(await source.header(signal), 'Bearer t2');
  const credentials = Buffer.from('me%3A1:se%20cret').toString('base64');
  assert.equal(asked[0]?.authorization, `Basic ${credentials}`);
  assert.deepEqual(Object.fromEntries(asked[0]?.form ?? []), {
    grant_type: 'client_credentials',
    scope: 'a b',
    audience: 'x',
  });
});

test('a server that wants the credentials in the body gets them there', async (context) => {
  const { url, asked } = await tokenServer(context, ({ form }, response) => {
    if (form.get('client_secret') === 'se cret') response.end('{"access_token":"t","token_type":"MAC"}');
    else response.writeHead(401).end('no');
  });
  const source = new TokenSource(configOf(url), systemClock);
  assert.equal(await source.header(signal), 'MAC t');
  assert.equal(asked.length, 2);
});

test('a refusal is told with its status and body, a changed secret file asks anew', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'torchring-oauth-'));
  context.after(() => rm(directory, { recursive: true }));
  const clientSecretFile = join(directory, 'secret');
  const right = `Basic ${Buffer.from('me%3A1:right').toString('base64')}`;
  const { url } = await tokenServer(context, ({ authorization }, response) => {
    if (authorization === right) response.end('{"access_token":"t"}');
    else response.writeHead(401).end('{"error":"invalid_client"}');
  });
  const source = new TokenSource(configOf(url, { clientSecret: '', clientSecretFile }), systemClock);
  await assert.rejects(source.header(signal), /^Error: unable to read oauth2 client secret: ENOENT/);
  await writeFile(clientSecretFile, 'wrong\n');
  await assert.rejects(source.header(signal), (error: Error) => {
    assert.equal(
      error.message,
      'oauth2: cannot fetch token: 401 Unauthorized\nResponse: {"error":"invalid_client"}',
    );
    return true;
  });
  await writeFile(clientSecretFile, 'right\n');
  assert.equal(await source.header(signal), 'Bearer t');
  await writeFile(clientSecretFile, 'wrong\n');
  await assert.rejects(source.header(signal), /401/);
});

test('a server without a token in its answer is at fault', async (context) => {
  const { url } = await tokenServer(context, (_, response) => response.end('{}'));
  await assert.rejects(new TokenSource(configOf(url), systemClock).header(signal), /missing access_token/);
});

test('the JWT bearer grant signs who asks for whom', async (context) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { url, asked } = await tokenServer(context, (_, response) => response.end('{"access_token":"t"}'));
  const source = new TokenSource(
    configOf(url, {
      grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      clientCertificateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      clientCertificateKeyId: 'k1',
      signatureAlgorithm: 'RS512',
      claims: { own: 1 },
    }),
    systemClock,
  );
  assert.equal(await source.header(signal), 'Bearer t');
  const [header = '', claims = '', signature = ''] = (asked[0]?.form.get('assertion') ?? '').split('.');
  const decoded = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString());
  assert.deepEqual(decoded(header), { alg: 'RS512', typ: 'JWT', kid: 'k1' });
  const { iss, sub, aud, scope, own } = decoded(claims);
  assert.deepEqual([iss, sub, aud, scope, own], ['me:1', 'me:1', url, 'a b', 1]);
  const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }));
  const isGood = verify(
    'RSA-SHA512',
    Buffer.from(`${header}.${claims}`),
    key,
    Buffer.from(signature, 'base64url'),
  );
  assert.ok(isGood);
});
