/**
 * GET with everything a job's HTTP section asks for: authentication, TLS, proxy, custom headers, redirects,
 * a deadline over the whole exchange, and bounds on what is read, before and after decompression.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher, EnvHttpProxyAgent } from 'undici';
import { type Clock, errorText } from '../base/index.ts';
import type { HttpClientConfig, TlsConfig, TlsVersion } from '../model/index.ts';
import { ScrapeError } from './errors.ts';

/** No exposition is read beyond this, whatever body_size_limit says. */
const bodyBytesMax = 512 * 1024 * 1024;
const redirectsMax = 10;
const connectionsPerTargetMax = 2;
const idleConnectionMs = 5 * 60_000;

export interface HttpGet {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Bound on the uncompressed body; 0: only the absolute one. */
  readonly bodyBytesMax: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** One per job: connections and credentials are shared by its targets. */
export interface HttpClient {
  /** Resolves on status 200; otherwise rejects with a ScrapeError that names the URL or the status. */
  get(get: HttpGet): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Reads the TLS files; throws ScrapeError when one is missing. */
export async function createHttpClient(config: HttpClientConfig, clock: Clock): Promise<HttpClient> {
  const connect = await tlsOptions(config.tlsConfig);
  const undici = await loadUndici();
  const common = {
    connections: connectionsPerTargetMax,
    keepAliveTimeout: idleConnectionMs,
    bodyTimeout: 0,
    headersTimeout: 0,
  };
  const dispatcher = usesProxy(config)
    ? new undici.EnvHttpProxyAgent({ ...common, ...proxyOptions(config), connect, requestTls: connect })
    : new undici.Agent({ ...common, connect });
  return {
    get: (get) => withDeadline(get, clock, (signal) => fetchBody(get, config, dispatcher, signal)),
    close: () => dispatcher.destroy(),
  };
}

/** Megabytes in each thread, hence not loaded before there is something to scrape. */
const loadUndici = (): Promise<typeof import('undici')> => import('undici');

const usesProxy = (config: HttpClientConfig): boolean =>
  config.proxyUrl !== '' || config.proxyFromEnvironment;

/** Plain HTTP is asked of the proxy by whole URL, as Go does and PushProx needs; only HTTPS is tunnelled. */
function proxyOptions(config: HttpClientConfig): EnvHttpProxyAgent.Options {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(config.proxyConnectHeader)) headers[name] = values.join(', ');
  const { proxyUrl, noProxy } = config;
  const fixed = proxyUrl === '' ? {} : { httpProxy: proxyUrl, httpsProxy: proxyUrl, noProxy };
  return { proxyTunnel: false, headers, ...fixed };
}

async function withDeadline<T>(
  get: HttpGet,
  clock: Clock,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let isLate = false;
  const timer = clock.after(get.timeoutMs, () => {
    isLate = true;
    controller.abort();
  });
  const onAbort = (): void => controller.abort();
  get.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await run(controller.signal);
  } catch (cause) {
    if (isLate) throw new ScrapeError('timeout', `Get "${get.url}": context deadline exceeded`, { cause });
    if (cause instanceof ScrapeError) throw cause;
    throw new ScrapeError('request', `Get "${get.url}": ${causeText(cause)}`, { cause });
  } finally {
    timer.cancel();
    get.signal?.removeEventListener('abort', onAbort);
  }
}

/** When every address of a host failed, the platform's error has no text of its own. */
function causeText(cause: unknown): string {
  return cause instanceof AggregateError ? cause.errors.map(errorText).join('; ') : errorText(cause);
}

async function fetchBody(
  get: HttpGet,
  config: HttpClientConfig,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { request } = await loadUndici();
  const secrets = await secretHeaders(config);
  const origin = new URL(get.url).origin;
  let url = get.url;
  for (let redirects = 0; ; redirects++) {
    // Credentials stay with the origin they were configured for.
    const headers = new URL(url).origin === origin ? { ...get.headers, ...secrets } : get.headers;
    const response = await request(url, { method: 'GET', headers, dispatcher, signal });
    const { location } = response.headers;
    if (config.followRedirects && isRedirect(response.statusCode) && typeof location === 'string') {
      await response.body.dump();
      if (redirects === redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`);
      url = new URL(location, url).href;
      continue;
    }
    if (response.statusCode !== 200) {
      await response.body.dump();
      const text = `${response.statusCode} ${response.statusText}`.trimEnd();
      throw new ScrapeError('http_status', `server returned HTTP status ${text}`);
    }
    return {
      contentType: String(response.headers['content-type'] ?? ''),
      body: await readBody(response, get.bodyBytesMax),
    };
  }
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

const gunzipAsync = promisify(gunzip);

async function readBody(response: Dispatcher.ResponseData, configuredMax: number): Promise<Uint8Array> {
  const limit = configuredMax > 0 ? Math.min(configuredMax, bodyBytesMax) : bodyBytesMax;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length >= limit) throw bodySizeError();
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks, length);
  if (response.headers['content-encoding'] !== 'gzip') return raw;
  try {
    return await gunzipAsync(raw, { maxOutputLength: limit - 1, chunkSize: 64 * 1024 });
  } catch (cause) {
    if (cause instanceof RangeError) throw bodySizeError();
    throw cause;
  }
}

const bodySizeError = (): ScrapeError => new ScrapeError('body_size_limit', 'body size limit exceeded');

type RequestHeaders = Record<string, string> & { authorization?: string };

/** Headers from configuration. Files are read for each request, so that rotated secrets are seen at once. */
async function secretHeaders(config: HttpClientConfig): Promise<RequestHeaders> {
  if (config.oauth2 !== undefined) throw new Error('oauth2 is not implemented');
  const headers: RequestHeaders = {};
  for (const [name, { values, secrets, files }] of Object.entries(config.httpHeaders)) {
    const fromFiles = await Promise.all(files.map(readSecret));
    headers[name] = [...values, ...secrets, ...fromFiles].join(', ');
  }
  const { authorization, basicAuth } = config;
  if (authorization !== undefined) {
    const credentials = await secretOr(authorization.credentialsFile, authorization.credentials);
    headers.authorization = `${authorization.type === '' ? 'Bearer' : authorization.type} ${credentials}`;
  }
  if (basicAuth !== undefined) {
    const username = await secretOr(basicAuth.usernameFile, basicAuth.username);
    const password = await secretOr(basicAuth.passwordFile, basicAuth.password);
    headers.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
  return headers;
}

const secretOr = (file: string, inline: string): Promise<string> =>
  file === '' ? Promise.resolve(inline) : readSecret(file);

async function readSecret(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}

const tlsVersionName: Readonly<Record<TlsVersion, 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

interface ConnectOptions {
  rejectUnauthorized: boolean;
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  minVersion?: (typeof tlsVersionName)[TlsVersion];
  maxVersion?: (typeof tlsVersionName)[TlsVersion];
}

async function tlsOptions(tls: TlsConfig): Promise<ConnectOptions> {
  const options: ConnectOptions = { rejectUnauthorized: !tls.insecureSkipVerify };
  try {
    for (const [name, file, inline] of [
      ['ca', tls.caFile, tls.ca],
      ['cert', tls.certFile, tls.cert],
      ['key', tls.keyFile, tls.key],
    ] as const) {
      if (file !== '') options[name] = await readFile(file, 'utf8');
      else if (inline !== '') options[name] = inline;
    }
  } catch (cause) {
    throw new ScrapeError('request', `unable to read TLS file: ${errorText(cause)}`, { cause });
  }
  if (tls.serverName !== '') options.servername = tls.serverName;
  if (tls.minVersion !== undefined) options.minVersion = tlsVersionName[tls.minVersion];
  if (tls.maxVersion !== undefined) options.maxVersion = tlsVersionName[tls.maxVersion];
  return options;
}
