/** `tls_config` as the platform's TLS wants it. Its files may change at any time; what they hold is compared by content. */
import { readFile } from 'node:fs/promises';
import { errorText } from '../base/index.ts';
import type { TlsConfig, TlsVersion } from '../model/index.ts';

const tlsVersionName: Readonly<Record<TlsVersion, 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

export interface TlsOptions {
  rejectUnauthorized: boolean;
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  minVersion?: (typeof tlsVersionName)[TlsVersion];
  maxVersion?: (typeof tlsVersionName)[TlsVersion];
}

export const hasTlsFiles = (tls: TlsConfig): boolean =>
  tls.caFile !== '' || tls.certFile !== '' || tls.keyFile !== '';

/** Rejects with an Error that names the first file that can't be read. */
export async function tlsOptions(tls: TlsConfig): Promise<TlsOptions> {
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
