/**
 * The web configuration file, as Prometheus' exporter toolkit defines it: TLS of the HTTP listeners, client
 * certificates, HTTP/2, headers of answers, users with bcrypt hashes.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { errorText } from '../base/index.ts';
import { ConfigError, type Decoder, decode, decodeYaml, quoteGo, type Report } from '../model/index.ts';
import { opensslCiphers, opensslCurves } from './web_ciphers.ts';

const { field, string, bool, list, map, secret, filePath, fromText } = decode;

const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'RequireClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof clientAuthTypes)[number];

interface TlsServerConfig {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string;
  readonly clientAuthType: string;
  readonly cipherSuites: readonly string[];
  readonly curvePreferences: readonly string[];
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly preferServerCipherSuites: boolean;
  readonly clientAllowedSans: readonly string[];
}

export interface WebConfig {
  readonly tls: TlsServerConfig;
  readonly http: { readonly http2: boolean; readonly headers: Readonly<Record<string, string>> };
  /** Bcrypt hashes by name. */
  readonly users: Readonly<Record<string, string>>;
}

/** What TLS needs, with the files read. */
export interface WebTls {
  readonly context: SecureContextOptions;
  readonly clientAuth: ClientAuthType;
  /** When not empty, a client's certificate must have one of them. */
  readonly allowedSans: readonly string[];
}

const tlsVersions: Readonly<Record<string, SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

const knownIn = (names: Readonly<Record<string, string>>, what: string): Decoder<string> =>
  fromText('', (text) => {
    const known = Object.hasOwn(names, text) ? names[text] : undefined;
    if (known === undefined) throw new Error(`unknown ${what}: ${text}`);
    return known;
  });

const tlsVersion = knownIn(tlsVersions, 'TLS version') as Decoder<SecureVersion>;

const tls = decode.object<TlsServerConfig>({
  cert: field('cert', string),
  key: field('key', secret),
  clientCa: field('client_ca', string),
  certFile: field('cert_file', filePath),
  keyFile: field('key_file', filePath),
  clientCaFile: field('client_ca_file', filePath),
  clientAuthType: field('client_auth_type', string),
  cipherSuites: field('cipher_suites', list(knownIn(opensslCiphers, 'cipher'))),
  curvePreferences: field('curve_preferences', list(knownIn(opensslCurves, 'curve'))),
  minVersion: field('min_version', tlsVersion, 'TLSv1.2'),
  maxVersion: field('max_version', tlsVersion, 'TLSv1.3'),
  preferServerCipherSuites: field('prefer_server_cipher_suites', bool, true),
  clientAllowedSans: field('client_allowed_sans', list(string)),
});

/** The headers that may be set, and to what; an empty list: to anything. */
const allowedHeaders: Readonly<Record<string, readonly string[]>> = {
  'Strict-Transport-Security': [],
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': [],
  'Content-Security-Policy': [],
};

function checkHeaders({ headers }: WebConfig['http'], report: Report): void {
  for (const [name, value] of Object.entries(headers)) {
    const allowed = Object.hasOwn(allowedHeaders, name) ? allowedHeaders[name] : undefined;
    if (allowed === undefined) report(`HTTP header ${quoteGo(name)} can not be configured`, 'headers');
    else if (allowed.length > 0 && !allowed.includes(value)) {
      const expected = allowed.map(quoteGo).join(' ');
      const problem = `invalid value for ${name}. Expected one of: [${expected}], but got: ${quoteGo(value)}`;
      report(problem, 'headers');
    }
  }
}

const http = decode.object<WebConfig['http']>(
  { http2: field('http2', bool, true), headers: field('headers', map(string)) },
  checkHeaders,
);

const bcryptHash = /^\$2[aby]?\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

const webConfig = decode.object<WebConfig>(
  {
    tls: field('tls_server_config', tls),
    http: field('http_server_config', http, { http2: true, headers: {} }),
    users: field('basic_auth_users', map(secret)),
  },
  ({ users }, report) => {
    for (const [name, hash] of Object.entries(users)) {
      if (!bcryptHash.test(hash))
        report(`the password of ${quoteGo(name)} is no bcrypt hash`, 'basic_auth_users');
    }
  },
);

/** Throws ConfigError with everything that is wrong with the text. */
function parseWebConfig(text: string, file: string): WebConfig {
  const options = { file, directory: dirname(file) };
  return decodeYaml(text, webConfig, options, decodeYaml('{}', webConfig, options).value).value;
}

export interface LoadedWebConfig extends Omit<WebConfig, 'tls'> {
  /** Undefined: plain HTTP. */
  readonly tls: WebTls | undefined;
  /** Files that were read. */
  readonly files: readonly string[];
}

/** Reads the file and those it names. Throws ConfigError with what is wrong. */
export function loadWebConfig(file: string): LoadedWebConfig {
  const refuse = (message: string, cause?: unknown): never => {
    const text = cause === undefined ? message : `${message}: ${errorText(cause)}`;
    throw new ConfigError(file, [{ line: 0, column: 0, field: 'tls_server_config', message: text }]);
  };
  const read = (path: string, what: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      return refuse(`failed to read ${what} (${path})`, error);
    }
  };
  const { tls: section, ...rest } = parseWebConfig(read(file, 'the web configuration'), file);
  const { cert, certFile, key, keyFile, clientCa, clientCaFile, clientAuthType } = section;
  const named = [certFile, keyFile, clientCaFile].filter((path) => path !== '');
  const isTls = [cert, key, clientCa, clientAuthType].concat(named).some((text) => text !== '');
  if (!isTls) return { ...rest, tls: undefined, files: [file] };
  if (certFile === '' && cert === '') refuse('missing one of cert or cert_file');
  if (keyFile === '' && key === '') refuse('missing one of key or key_file');
  const clientAuth = clientAuthTypes.find((type) => type === clientAuthType) ?? 'NoClientCert';
  if (clientAuthType !== '' && clientAuth !== clientAuthType) refuse(`invalid ClientAuth: ${clientAuthType}`);
  const ca = clientCaFile === '' ? clientCa : read(clientCaFile, 'client_ca_file');
  if (ca !== '' && clientAuth === 'NoClientCert') {
    refuse("client CA's have been configured without a Client Auth Policy");
  }
  const context: SecureContextOptions = {
    cert: certFile === '' ? cert : read(certFile, 'cert_file'),
    key: keyFile === '' ? key : read(keyFile, 'key_file'),
    ...(ca === '' ? {} : { ca }),
    ...protocolOptions(section),
  };
  try {
    createSecureContext(context);
  } catch (error) {
    refuse('failed to load the certificate and its key', error);
  }
  const { clientAllowedSans: allowedSans } = section;
  return { ...rest, tls: { context, clientAuth, allowedSans }, files: [file, ...named] };
}

/** As in Go, the suites of TLS 1.3 are there whatever is configured for those before. */
const tls13Ciphers = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

function protocolOptions(section: TlsServerConfig): SecureContextOptions {
  const { cipherSuites, curvePreferences, minVersion, maxVersion, preferServerCipherSuites } = section;
  const ciphers = [...new Set([...tls13Ciphers, ...cipherSuites])].join(':');
  return {
    minVersion,
    maxVersion,
    honorCipherOrder: preferServerCipherSuites,
    ...(cipherSuites.length === 0 ? {} : { ciphers }),
    ...(curvePreferences.length === 0 ? {} : { ecdhCurve: curvePreferences.join(':') }),
  };
}
