/** POST to a receiver with what its HTTP section asks for: authentication, TLS, proxy, headers, redirects. */
import { readFile } from 'node:fs/promises';
import type { Dispatcher } from 'undici';
import type { HttpClientConfig, TlsConfig, TlsVersion } from '../../model/index.ts';

const redirectsMax = 10;
/** Of an answer that is read into an error message. */
const answerBytesMax = 1024;
const connectTimeoutMs = 10_000;
const connectionsMax = 8;

export interface PostAnswer {
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
}

export interface PostClient {
  /** Rejects when no answer came. */
  post(
    url: string,
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PostAnswer>;
  close(): Promise<void>;
}

const tlsVersions: Readonly<Record<TlsVersion, 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

async function textOrFile(text: string, file: string): Promise<string | undefined> {
  if (file !== '') return readFile(file, 'utf8');
  return text === '' ? undefined : text;
}

async function connectOptions(tls: TlsConfig): Promise<Record<string, unknown>> {
  const [ca, cert, key] = await Promise.all([
    textOrFile(tls.ca, tls.caFile),
    textOrFile(tls.cert, tls.certFile),
    textOrFile(tls.key, tls.keyFile),
  ]);
  return {
    timeout: connectTimeoutMs,
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.serverName === '' ? {} : { servername: tls.serverName }),
    ...(tls.minVersion === undefined ? {} : { minVersion: tlsVersions[tls.minVersion] }),
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tlsVersions[tls.maxVersion] }),
  };
}

/** Read for every request, so that rotated files are picked up. */
async function secretHeaders(config: HttpClientConfig): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, header] of Object.entries(config.httpHeaders)) {
    const values = [...header.values, ...header.secrets];
    for (const file of header.files) values.push((await readFile(file, 'utf8')).trim());
    headers[name] = values.join(', ');
  }
  const { basicAuth, authorization } = config;
  if (basicAuth !== undefined) {
    const user = (await textOrFile(basicAuth.username, basicAuth.usernameFile)) ?? '';
    const password = (await textOrFile(basicAuth.password, basicAuth.passwordFile)) ?? '';
    headers['authorization'] = `Basic ${Buffer.from(`${user.trim()}:${password.trim()}`).toString('base64')}`;
  } else if (authorization !== undefined) {
    const credentials = (await textOrFile(authorization.credentials, authorization.credentialsFile)) ?? '';
    headers['authorization'] = `${authorization.type} ${credentials.trim()}`;
  }
  return headers;
}

async function beginning(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= answerBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, answerBytesMax).toString('utf8').trim();
}

/** Megabytes of code, hence not loaded before there is something to send. */
const loadUndici = (): Promise<typeof import('undici')> => import('undici');

/** Opened at the first use, so that a missing TLS file fails the notification and not the start. */
export function createPostClient(config: HttpClientConfig): PostClient {
  let opened: Promise<Dispatcher> | undefined;
  const open = async (): Promise<Dispatcher> => {
    const connect = await connectOptions(config.tlsConfig);
    const { Agent, ProxyAgent } = await loadUndici();
    if (config.proxyUrl === '') return new Agent({ connect, connections: connectionsMax });
    return new ProxyAgent({ uri: config.proxyUrl, requestTls: connect, connections: connectionsMax });
  };
  const dispatcher = (): Promise<Dispatcher> => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    async post(url, body, headers, signal) {
      const { request } = await loadUndici();
      const secrets = await secretHeaders(config);
      const { origin } = new URL(url);
      let target = url;
      for (let redirects = 0; ; redirects++) {
        // Credentials stay with the origin they were configured for.
        const sent = new URL(target).origin === origin ? { ...headers, ...secrets } : headers;
        const options = {
          method: 'POST',
          body,
          headers: sent,
          dispatcher: await dispatcher(),
          signal,
        } as const;
        const answer = await request(target, options);
        const { location } = answer.headers;
        const repeats = answer.statusCode === 307 || answer.statusCode === 308;
        if (config.followRedirects && repeats && typeof location === 'string') {
          await answer.body.dump();
          if (redirects === redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`);
          target = new URL(location, target).href;
          continue;
        }
        return { status: answer.statusCode, text: await beginning(answer.body) };
      }
    },
    async close() {
      await (await opened?.catch(() => undefined))?.destroy();
    },
  };
}
