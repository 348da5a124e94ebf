/**
 * Connections as an HTTP section of the configuration asks for them: TLS with its files, and a proxy, fixed or from the
 * environment. One per section: its users share connections.
 */
import { readFile } from 'node:fs/promises';
import type { Dispatcher, EnvHttpProxyAgent } from 'undici';
import { errorText } from '../base/index.ts';
import type { HttpClientConfig, TlsConfig, TlsVersion } from '../model/index.ts';
import { loadUndici } from './undici.ts';

export interface Connections {
  readonly perOriginMax: number;
  /** How long an unused connection stays open. */
  readonly idleMs: number;
  readonly connectTimeoutMs: number;
}

/** Reads the TLS files; rejects with an Error that names the first missing one. To be destroyed by the caller. */
export async function openDispatcher(
  config: HttpClientConfig,
  { perOriginMax, idleMs, connectTimeoutMs }: Connections,
): Promise<Dispatcher> {
  const connect = { ...(await tlsOptions(config.tlsConfig)), timeout: connectTimeoutMs };
  const { Agent, EnvHttpProxyAgent } = await loadUndici();
  // Deadlines are the callers', over the whole exchange.
  const common = { connections: perOriginMax, keepAliveTimeout: idleMs, bodyTimeout: 0, headersTimeout: 0 };
  return config.proxyUrl !== '' || config.proxyFromEnvironment
    ? new EnvHttpProxyAgent({ ...common, ...proxyOptions(config), connect, requestTls: connect })
    : new Agent({ ...common, connect });
}

/** Plain HTTP is asked of the proxy by whole URL, as Go does and PushProx needs; only HTTPS is tunnelled. */
function proxyOptions(config: HttpClientConfig): EnvHttpProxyAgent.Options {
  const headers = Object.fromEntries(
    Object.entries(config.proxyConnectHeader).map(([name, values]) => [name, values.join(', ')]),
  );
  const { proxyUrl, noProxy } = config;
  const fixed = proxyUrl === '' ? {} : { httpProxy: proxyUrl, httpsProxy: proxyUrl, noProxy };
  return { proxyTunnel: false, headers, ...fixed };
}

const tlsVersionName: Readonly<Record<TlsVersion, 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

interface TlsOptions {
  rejectUnauthorized: boolean;
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  minVersion?: (typeof tlsVersionName)[TlsVersion];
  maxVersion?: (typeof tlsVersionName)[TlsVersion];
}

async function tlsOptions(tls: TlsConfig): Promise<TlsOptions> {
  const options: TlsOptions = { rejectUnauthorized: !tls.insecureSkipVerify };
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
    throw new Error(`unable to read TLS file: ${errorText(cause)}`, { cause });
  }
  if (tls.serverName !== '') options.servername = tls.serverName;
  if (tls.minVersion !== undefined) options.minVersion = tlsVersionName[tls.minVersion];
  if (tls.maxVersion !== undefined) options.maxVersion = tlsVersionName[tls.maxVersion];
  return options;
}
