// Decoders of the HTTP client section and its parts, with the rules of Prometheus' common library on what may
// stand together. Most sections carry these fields among their own.
import {
  type Fields,
  field,
  list,
  map,
  newerField,
  type ObjectDecoder,
  object,
  optional,
  type Report,
  section,
} from './collections.ts';
import type { Decoder } from './decoder.ts';
import type {
  AuthorizationConfig,
  BasicAuthConfig,
  HttpClientConfig,
  HttpHeaderConfig,
  OAuth2Config,
  ProxyConfig,
  SigV4Config,
  TlsConfig,
  TlsVersion,
} from './http_client_types.ts';
import { anyValue, bool, filePath, fromText, secret, string, url } from './scalars.ts';

/** How many of the texts are set. */
export function countSet(...texts: readonly string[]): number {
  return texts.filter((text) => text !== '').length;
}

const tlsVersions: readonly TlsVersion[] = ['TLS10', 'TLS11', 'TLS12', 'TLS13'];
const tlsVersion: Decoder<TlsVersion | undefined> = fromText<TlsVersion | undefined>(undefined, (text) => {
  const found = tlsVersions.find((version) => version === text);
  if (found === undefined) throw new Error(`unknown TLS version: ${text}`);
  return found;
});

/** `tls_config`. */
export const tlsConfig: ObjectDecoder<TlsConfig> = object<TlsConfig>(
  {
    ca: field('ca', string),
    cert: field('cert', string),
    key: field('key', secret),
    caFile: field('ca_file', filePath),
    certFile: field('cert_file', filePath),
    keyFile: field('key_file', filePath),
    caRef: field('ca_ref', string),
    certRef: field('cert_ref', string),
    keyRef: field('key_ref', string),
    serverName: field('server_name', string),
    insecureSkipVerify: field('insecure_skip_verify', bool),
    minVersion: field('min_version', tlsVersion),
    maxVersion: field('max_version', tlsVersion),
  },
  checkTls,
);

function checkTls(tls: TlsConfig, report: Report): void {
  if (countSet(tls.ca, tls.caFile, tls.caRef) > 1) {
    report('at most one of ca, ca_file & ca_ref must be configured', 'ca');
  }
  const certs = countSet(tls.cert, tls.certFile, tls.certRef);
  const keys = countSet(tls.key, tls.keyFile, tls.keyRef);
  if (certs > 1) report('at most one of cert, cert_file & cert_ref must be configured', 'cert');
  if (keys > 1) report('at most one of key, key_file & key_ref must be configured', 'key');
  if (certs > 0 && keys === 0) {
    report('exactly one of key or key_file must be configured when a client certificate is configured');
  }
  if (keys > 0 && certs === 0) {
    report('exactly one of cert or cert_file must be configured when a client key is configured');
  }
}

const basicAuth = object<BasicAuthConfig>(
  {
    username: field('username', string),
    usernameFile: field('username_file', filePath),
    usernameRef: field('username_ref', string),
    password: field('password', secret),
    passwordFile: field('password_file', filePath),
    passwordRef: field('password_ref', string),
  },
  (auth, report) => {
    if (countSet(auth.username, auth.usernameFile, auth.usernameRef) > 1) {
      report('at most one of basic_auth username, username_file & username_ref must be configured');
    }
    if (countSet(auth.password, auth.passwordFile, auth.passwordRef) > 1) {
      report('at most one of basic_auth password, password_file & password_ref must be configured');
    }
  },
);

const authorization = section<AuthorizationConfig, AuthorizationConfig>(
  {
    type: field('type', string),
    credentials: field('credentials', secret),
    credentialsFile: field('credentials_file', filePath),
    credentialsRef: field('credentials_ref', string),
  },
  (raw, report) => {
    if (countSet(raw.credentials, raw.credentialsFile, raw.credentialsRef) > 1) {
      report('at most one of authorization credentials & credentials_file must be configured');
    }
    const type = raw.type.trim() === '' ? 'Bearer' : raw.type.trim();
    if (type.toLowerCase() === 'basic') {
      report('authorization type cannot be set to "basic", use "basic_auth" instead', 'type');
    }
    return { ...raw, type };
  },
);

const proxyFields: Fields<ProxyConfig> = {
  proxyUrl: field('proxy_url', url),
  noProxy: field('no_proxy', string),
  proxyFromEnvironment: field('proxy_from_environment', bool),
  proxyConnectHeader: field('proxy_connect_header', map(list(secret))),
};

function checkProxy(proxy: ProxyConfig, report: Report): void {
  const header = Object.keys(proxy.proxyConnectHeader).length > 0;
  if (header && !proxy.proxyFromEnvironment && proxy.proxyUrl === '') {
    report(
      'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured',
      'proxy_connect_header',
    );
  }
  if (proxy.proxyFromEnvironment && proxy.proxyUrl !== '') {
    report('if proxy_from_environment is configured, proxy_url must not be configured', 'proxy_url');
  }
  if (proxy.proxyFromEnvironment && proxy.noProxy !== '') {
    report('if proxy_from_environment is configured, no_proxy must not be configured', 'no_proxy');
  }
  if (proxy.proxyUrl === '' && proxy.noProxy !== '') {
    report('if no_proxy is configured, proxy_url must also be configured', 'no_proxy');
  }
}

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** `oauth2`. */
const oauth2 = object<OAuth2Config>(
  {
    clientId: field('client_id', string),
    clientSecret: field('client_secret', secret),
    clientSecretFile: field('client_secret_file', filePath),
    clientSecretRef: field('client_secret_ref', string),
    clientCertificateKeyId: field('client_certificate_key_id', string),
    clientCertificateKey: field('client_certificate_key', secret),
    clientCertificateKeyFile: field('client_certificate_key_file', string),
    clientCertificateKeyRef: field('client_certificate_key_ref', string),
    signatureAlgorithm: field('signature_algorithm', string),
    iss: field('iss', string),
    audience: field('audience', string),
    grantType: field('grant_type', string),
    claims: field('claims', map(anyValue)),
    scopes: field('scopes', list(string)),
    tokenUrl: field('token_url', string),
    endpointParams: field('endpoint_params', map(string)),
    tlsConfig: field('tls_config', tlsConfig, tlsConfig.initial()),
    ...proxyFields,
  },
  (oauth, report) => {
    checkProxy(oauth, report);
    checkOAuth2(oauth, report);
  },
);

function checkOAuth2(oauth: OAuth2Config, report: Report): void {
  if (oauth.clientId === '') report('oauth2 client_id must be configured', 'client_id');
  if (oauth.tokenUrl === '') report('oauth2 token_url must be configured', 'token_url');
  if (oauth.grantType === jwtBearer) {
    if (
      countSet(oauth.clientCertificateKey, oauth.clientCertificateKeyFile, oauth.clientCertificateKeyRef) > 1
    ) {
      report(
        'at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must be configured',
      );
    }
    if (!['', 'RS256', 'RS384', 'RS512'].includes(oauth.signatureAlgorithm)) {
      report('valid signature algorithms are RS256, RS384 and RS512', 'signature_algorithm');
    }
  } else if (countSet(oauth.clientSecret, oauth.clientSecretFile, oauth.clientSecretRef) > 1) {
    report('at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured');
  }
}

const reservedHeaders = new Set([
  'authorization',
  'host',
  'content-encoding',
  'content-length',
  'content-type',
  'user-agent',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'www-authenticate',
  'accept-encoding',
  'x-prometheus-remote-write-version',
  'x-prometheus-remote-read-version',
  'x-prometheus-scrape-timeout-seconds',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

const httpHeader = object<HttpHeaderConfig>({
  values: field('values', list(string)),
  secrets: field('secrets', list(secret)),
  files: field('files', list(filePath)),
});

/** `http_headers`: any name but those that would break the request. */
export const httpHeaders: Decoder<Readonly<Record<string, HttpHeaderConfig>>> = map(
  httpHeader,
  fromText('', (name) => {
    if (reservedHeaders.has(name.toLowerCase())) throw new Error(`setting header "${name}" is not allowed`);
    return name;
  }),
);

interface RawHttpClient extends HttpClientConfig {
  readonly bearerToken: string;
  readonly bearerTokenFile: string;
}

/**
 * The HTTP client's fields; `http2` is its default for `enable_http2`. Use `inline(httpClient())` where they
 * stand among others, and the decoder itself for a section of its own.
 */
export function httpClient(http2 = true): ObjectDecoder<HttpClientConfig> {
  return section<RawHttpClient, HttpClientConfig>(
    {
      basicAuth: field('basic_auth', optional(basicAuth)),
      authorization: field('authorization', optional(authorization)),
      oauth2: field('oauth2', optional(oauth2)),
      bearerToken: field('bearer_token', secret),
      bearerTokenFile: field('bearer_token_file', filePath),
      tlsConfig: field('tls_config', tlsConfig, tlsConfig.initial()),
      followRedirects: field('follow_redirects', bool, true),
      enableHttp2: field('enable_http2', bool, http2),
      httpHeaders: field('http_headers', httpHeaders),
      ...proxyFields,
    },
    finishHttpClient,
  );
}

function finishHttpClient(raw: RawHttpClient, report: Report): HttpClientConfig {
  const { bearerToken, bearerTokenFile, ...client } = raw;
  checkProxy(client, report);
  const bearer = countSet(bearerToken, bearerTokenFile);
  const bearerField = bearerToken === '' ? 'bearer_token_file' : 'bearer_token';
  if (bearer > 1) report('at most one of bearer_token & bearer_token_file must be configured', bearerField);
  if (bearer > 0 && (client.basicAuth !== undefined || client.oauth2 !== undefined)) {
    report(
      'at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured',
      bearerField,
    );
  }
  if (bearer > 0 && client.authorization !== undefined) {
    report('authorization is not compatible with bearer_token & bearer_token_file', bearerField);
  }
  const schemes = [client.basicAuth, client.oauth2, client.authorization].filter(
    (auth) => auth !== undefined,
  );
  if (schemes.length > 1) report('at most one of basic_auth, oauth2 & authorization must be configured');
  if (bearer === 0 || client.authorization !== undefined) return client;
  return {
    ...client,
    authorization: {
      type: 'Bearer',
      credentials: bearerToken,
      credentialsFile: bearerTokenFile,
      credentialsRef: '',
    },
  };
}

/** Whether requests carry credentials of a kind that excludes cloud providers' own. */
export function hasAuthentication(client: HttpClientConfig): boolean {
  return client.basicAuth !== undefined || client.authorization !== undefined || client.oauth2 !== undefined;
}

/** `sigv4`. */
export const sigv4: ObjectDecoder<SigV4Config> = object<SigV4Config>(
  {
    region: field('region', string),
    accessKey: field('access_key', string),
    secretKey: field('secret_key', secret),
    profile: field('profile', string),
    roleArn: field('role_arn', string),
    externalId: newerField('external_id', string),
    useFipsStsEndpoint: field('use_fips_sts_endpoint', bool),
    serviceName: field('service_name', string),
  },
  (config, report) => {
    if ((config.accessKey === '') !== (config.secretKey === '')) {
      report(
        'must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config',
      );
    }
  },
);
