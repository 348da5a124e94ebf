// How to call an HTTP server: the section that scraping, discovery, remote read and write, alerting and the
// notifiers share, field by field as Prometheus' common library defines it. Plain data that survives a
// structured clone, because the control thread reads configuration and the shard workers use it.

/** TLS of a client; paths are absolute or relative to the configuration file's directory, already joined. */
export interface TlsConfig {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caRef: string;
  readonly certRef: string;
  readonly keyRef: string;
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
}

export type TlsVersion = 'TLS10' | 'TLS11' | 'TLS12' | 'TLS13';

export interface BasicAuthConfig {
  readonly username: string;
  readonly usernameFile: string;
  readonly usernameRef: string;
  readonly password: string;
  readonly passwordFile: string;
  readonly passwordRef: string;
}

export interface AuthorizationConfig {
  readonly type: string;
  readonly credentials: string;
  readonly credentialsFile: string;
  readonly credentialsRef: string;
}

export interface ProxyConfig {
  /** Empty: no proxy of its own. */
  readonly proxyUrl: string;
  readonly noProxy: string;
  readonly proxyFromEnvironment: boolean;
  readonly proxyConnectHeader: Readonly<Record<string, readonly string[]>>;
}

export interface OAuth2Config extends ProxyConfig {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clientSecretFile: string;
  readonly clientSecretRef: string;
  readonly clientCertificateKeyId: string;
  readonly clientCertificateKey: string;
  readonly clientCertificateKeyFile: string;
  readonly clientCertificateKeyRef: string;
  readonly signatureAlgorithm: string;
  readonly iss: string;
  readonly audience: string;
  readonly grantType: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly scopes: readonly string[];
  readonly tokenUrl: string;
  readonly endpointParams: Readonly<Record<string, string>>;
  readonly tlsConfig: TlsConfig;
}

export interface HttpHeaderConfig {
  readonly values: readonly string[];
  readonly secrets: readonly string[];
  readonly files: readonly string[];
}

export interface HttpClientConfig extends ProxyConfig {
  readonly basicAuth: BasicAuthConfig | undefined;
  /** `bearer_token` and `bearer_token_file` end here too, as type Bearer. */
  readonly authorization: AuthorizationConfig | undefined;
  readonly oauth2: OAuth2Config | undefined;
  readonly tlsConfig: TlsConfig;
  readonly followRedirects: boolean;
  readonly enableHttp2: boolean;
  readonly httpHeaders: Readonly<Record<string, HttpHeaderConfig>>;
}

/** AWS request signing. */
export interface SigV4Config {
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly profile: string;
  readonly roleArn: string;
  readonly externalId: string;
  readonly useFipsStsEndpoint: boolean;
  readonly serviceName: string;
}
