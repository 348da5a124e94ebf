import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { createLogger } from '../base/index.ts';
import { listen } from './http_server.ts';
import { type ServerLimits, WebSettings } from './web_server.ts';

const certificates = join(import.meta.dirname, 'testing/tls');
const pem = (name: string): string => readFileSync(join(certificates, name), 'utf8');
const log = createLogger({ level: 'error', format: 'logfmt' });
/** The cheapest that bcrypt knows. */
const hashOf = (password: string): string => hashSync(password, 4);
const defaults: ServerLimits = { readTimeoutMs: 60_000, connectionsMax: 100 };

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server under a web configuration in a folder of its own, with certificates beside it. */
async function serve(context: TestContext, config: string, limits: Partial<ServerLimits> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'torchring-web-'));
  const file = join(folder, 'web.yml');
  for (const name of ['server.pem', 'server.key', 'ca.pem']) {
    copyFileSync(join(certificates, name), join(folder, name));
  }
  const write = (text: string): void => writeFileSync(file, text);
  write(config);
  const settings = new WebSettings(file, log);
  const mount = async (app: { get: (url: string, run: () => Promise<string>) => unknown }): Promise<void> => {
    app.get('/x', async () => 'fine');
  };
  const listener = await listen('127.0.0.1:0', mount as never, {
    settings,
    limits: { ...defaults, ...limits },
  });
  context.after(async () => {
    await listener.close();
    await settings.passwords.close();
    rmSync(folder, { recursive: true });
  });
  return { folder, write, settings, port: Number(listener.address.split(':').at(-1)) };
}

function ask(port: number, options: RequestOptions & { readonly isTls?: boolean } = {}): Promise<Answer> {
  const { isTls = false, ...rest } = options;
  const send = isTls ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const all = { host: '127.0.0.1', port, path: '/x', agent: false, ...rest };
    const sent = send(all as RequestOptions, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

const tls = (more = ''): string =>
  `tls_server_config: {cert_file: server.pem, key_file: server.key${more}}\n`;
const asUser = (user: string, password: string): RequestOptions => ({ auth: `${user}:${password}` });

test('who gives no right password is refused, on every path', async (context) => {
  const { port } = await serve(context, `basic_auth_users: {ann: "${hashOf('secret')}"}\n`);
  const refused = await ask(port);
  assert.deepEqual([refused.status, refused.body], [401, 'Unauthorized\n']);
  assert.equal(refused.headers['www-authenticate'], 'Basic');
  assert.equal((await ask(port, { path: '/unknown' })).status, 401);
  assert.equal((await ask(port, asUser('ann', 'wrong'))).status, 401);
  assert.equal((await ask(port, asUser('bob', 'secret'))).status, 401);
  assert.equal((await ask(port, { headers: { authorization: 'Basic !' } })).status, 401);
  for (let i = 0; i < 2; i++) assert.equal((await ask(port, asUser('ann', 'secret'))).body, 'fine');
});

test('users and headers are those of the file as it is at the request', async (context) => {
  const { port, write } = await serve(context, 'http_server_config: {headers: {X-Frame-Options: deny}}\n');
  const before = await ask(port);
  assert.deepEqual([before.status, before.headers['x-frame-options']], [200, 'deny']);
  write(`basic_auth_users: {ann: "${hashOf('a')}"}\n`);
  assert.equal((await ask(port)).status, 401);
  write('basic_auth_users: [');
  assert.equal((await ask(port, asUser('ann', 'a'))).status, 500);
  write('');
  assert.equal((await ask(port)).status, 200);
});

test('TLS speaks HTTP/2 and 1.1, with the certificate that is there at the connection', async (context) => {
  const { port, folder } = await serve(context, tls());
  const trusted = { isTls: true, ca: pem('ca.pem'), servername: 'server.test' };
  assert.equal((await ask(port, trusted)).body, 'fine');
  const session = http2Connect(`https://127.0.0.1:${port}`, { ca: pem('ca.pem'), servername: 'server.test' });
  const stream = session.request({ ':path': '/x' });
  const headers = await new Promise<Record<string, unknown>>((resolve) => stream.on('response', resolve));
  assert.equal(headers[':status'], 200);
  session.destroy();
  for (const kind of ['pem', 'key']) {
    copyFileSync(join(certificates, `server-2.${kind}`), join(folder, `server.${kind}`));
  }
  await assert.rejects(ask(port, trusted), /server\.test/);
  assert.equal((await ask(port, { ...trusted, servername: 'server-2.test' })).body, 'fine');
});

test('without http2 there is HTTP/1.1 alone', async (context) => {
  const { port } = await serve(context, `${tls()}http_server_config: {http2: false}\n`);
  assert.equal((await ask(port, { isTls: true, ca: pem('ca.pem') })).body, 'fine');
  const session = http2Connect(`https://127.0.0.1:${port}`, { ca: pem('ca.pem') });
  await assert.rejects(new Promise((_, reject) => session.on('error', reject)));
});

const stranger = { cert: pem('stranger.pem'), key: pem('stranger.key') };
const client = { cert: pem('client.pem'), key: pem('client.key') };
const ca = ', client_ca_file: ca.pem';

for (const [type, more, nobody, unknown, known] of [
  ['NoClientCert', '', true, true, true],
  ['RequestClientCert', ca, true, true, true],
  ['RequireAnyClientCert', ca, false, true, true],
  ['VerifyClientCertIfGiven', ca, true, false, true],
  ['RequireAndVerifyClientCert', ca, false, false, true],
  ['RequireAndVerifyClientCert', `${ca}, client_allowed_sans: [client.test]`, false, false, true],
  ['RequireAndVerifyClientCert', `${ca}, client_allowed_sans: [other.test]`, false, false, false],
] as const) {
  test(`client certificates: ${type} ${more}`, async (context) => {
    const { port } = await serve(context, tls(`, client_auth_type: ${type}${more}`));
    const isLetIn = async (own: RequestOptions): Promise<boolean> => {
      const answer = ask(port, { isTls: true, ca: pem('ca.pem'), ...own });
      return answer.then(
        ({ body }) => body === 'fine',
        () => false,
      );
    };
    assert.deepEqual(
      [await isLetIn({}), await isLetIn(stranger), await isLetIn(client)],
      [nobody, unknown, known],
    );
  });
}

test('versions and ciphers are those of the file', async (context) => {
  const limited = ', max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]';
  const { port } = await serve(context, tls(limited));
  const trusted = { isTls: true, ca: pem('ca.pem') } as const;
  assert.equal((await ask(port, { ...trusted, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).body, 'fine');
  await assert.rejects(ask(port, { ...trusted, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }));
  await assert.rejects(ask(port, { ...trusted, minVersion: 'TLSv1.3' }));
});

test('a bad file is refused with what is wrong', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'torchring-web-'));
  context.after(() => rmSync(folder, { recursive: true }));
  copyFileSync(join(certificates, 'server.pem'), join(folder, 'server.pem'));
  copyFileSync(join(certificates, 'client.key'), join(folder, 'client.key'));
  const file = join(folder, 'web.yml');
  for (const [text, expected] of [
    ['tls: {}', /tls/],
    ['tls_server_config: {cert_file: server.pem}', /missing one of key or key_file/],
    ['tls_server_config: {cert_file: server.pem, key_file: none.key}', /failed to read key_file/],
    ['tls_server_config: {cert_file: server.pem, key_file: client.key}', /failed to load the certificate/],
    ['tls_server_config: {cipher_suites: [x]}', /unknown cipher: x/],
    ['tls_server_config: {min_version: TLS9}', /unknown TLS version: TLS9/],
    ['tls_server_config: {curve_preferences: [x]}', /unknown curve: x/],
    [
      'tls_server_config: {cert_file: server.pem, key_file: client.key, client_auth_type: x}',
      /invalid ClientAuth: x/,
    ],
    ['http_server_config: {headers: {X-Other: a}}', /HTTP header "X-Other" can not be configured/],
    ['http_server_config: {headers: {X-Frame-Options: a}}', /invalid value for X-Frame-Options/],
    ['basic_auth_users: {ann: plain}', /the password of "ann" is no bcrypt hash/],
  ] as const) {
    writeFileSync(file, text);
    assert.throws(() => new WebSettings(file, log), expected, text);
  }
});

test('a request that does not arrive in time is cut off', async (context) => {
  const { port } = await serve(context, '', { readTimeoutMs: 200 });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => socket.on('close', resolve));
  assert.match(text, /^HTTP\/1\.1 408 /);
});

test('more connections than allowed are closed', async (context) => {
  const { port } = await serve(context, '', { connectionsMax: 1 });
  const first = connect(port, '127.0.0.1');
  await new Promise((resolve) => first.on('connect', resolve));
  await assert.rejects(ask(port));
  first.destroy();
});
