// Sections of the mechanisms that ask a service registry: Consul, Nomad, Eureka, Kuma, Marathon, and the two
// that live in ZooKeeper.
import {
  decode,
  type HttpClientConfig,
  httpClient,
  type ObjectDecoder,
  parseGoUrl,
  type Report,
} from '../../model/index.ts';
import { mechanism, minuteMs, secondMs } from './mechanism.ts';

const { field, newerField, string, secret, bool, duration, list } = decode;

export interface ConsulSdConfig {
  readonly mechanism: 'consul';
  readonly server: string;
  readonly pathPrefix: string;
  readonly token: string;
  readonly datacenter: string;
  readonly namespace: string;
  readonly partition: string;
  readonly tagSeparator: string;
  readonly scheme: string;
  readonly username: string;
  readonly password: string;
  readonly allowStale: boolean;
  readonly refreshIntervalMs: number;
  readonly services: readonly string[];
  readonly tags: readonly string[];
  readonly nodeMeta: Readonly<Record<string, string>>;
  readonly filter: string;
  readonly healthFilter: string;
  readonly httpClientConfig: HttpClientConfig;
}

export const consulSd: ObjectDecoder<ConsulSdConfig> = mechanism<ConsulSdConfig>(
  'consul',
  {
    server: field('server', string, 'localhost:8500'),
    pathPrefix: field('path_prefix', string),
    token: field('token', secret),
    datacenter: field('datacenter', string),
    namespace: field('namespace', string),
    partition: field('partition', string),
    tagSeparator: field('tag_separator', string, ','),
    scheme: field('scheme', string, 'http'),
    username: field('username', string),
    password: field('password', secret),
    allowStale: field('allow_stale', bool, true),
    refreshIntervalMs: field('refresh_interval', duration, 30 * secondMs),
    services: field('services', list(string)),
    tags: field('tags', list(string)),
    nodeMeta: field('node_meta', decode.map(string)),
    filter: field('filter', string),
    healthFilter: newerField('health_filter', string),
    httpClientConfig: decode.inline(httpClient()),
  },
  (config, report) => {
    const { basicAuth, authorization, oauth2 } = config.httpClientConfig;
    const userGiven = config.username !== '' || config.password !== '';
    if (config.server.trim() === '') report('consul SD configuration requires a server address', 'server');
    if (userGiven && basicAuth !== undefined) {
      report('at most one of consul SD configuration username and password and basic auth can be configured');
    }
    if (userGiven && (authorization !== undefined || oauth2 !== undefined)) {
      report('at most one of basic_auth, oauth2 & authorization must be configured');
    }
    if (config.token !== '' && (authorization !== undefined || oauth2 !== undefined)) {
      report('at most one of consul SD token, authorization, or oauth2 can be configured', 'token');
    }
  },
);

export interface NomadSdConfig {
  readonly mechanism: 'nomad';
  readonly server: string;
  readonly namespace: string;
  readonly region: string;
  readonly tagSeparator: string;
  readonly allowStale: boolean;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const nomadSd: ObjectDecoder<NomadSdConfig> = mechanism<NomadSdConfig>(
  'nomad',
  {
    server: field('server', string, 'http://localhost:4646'),
    namespace: field('namespace', string, 'default'),
    region: field('region', string, 'global'),
    tagSeparator: field('tag_separator', string, ','),
    allowStale: field('allow_stale', bool, true),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  ({ server }, report) => {
    if (server.trim() === '') report('nomad SD configuration requires a server address', 'server');
  },
);

export interface EurekaSdConfig {
  readonly mechanism: 'eureka';
  readonly server: string;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const eurekaSd: ObjectDecoder<EurekaSdConfig> = mechanism<EurekaSdConfig>(
  'eureka',
  {
    server: field('server', decode.url),
    refreshIntervalMs: field('refresh_interval', duration, 30 * secondMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  ({ server }, report) => {
    if (server === '') report('eureka_sd: empty or null eureka server', 'server');
    else if (!hasSchemeAndHost(server)) report('eureka_sd: invalid eureka server URL', 'server');
  },
);

function hasSchemeAndHost(text: string): boolean {
  const { scheme, host } = parseGoUrl(text);
  return scheme !== '' && host !== '';
}

export interface KumaSdConfig {
  readonly mechanism: 'kuma';
  readonly server: string;
  readonly clientId: string;
  readonly refreshIntervalMs: number;
  readonly fetchTimeoutMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const kumaSd: ObjectDecoder<KumaSdConfig> = mechanism<KumaSdConfig>(
  'kuma',
  {
    server: field('server', decode.url),
    clientId: field('client_id', string),
    refreshIntervalMs: field('refresh_interval', duration, 15 * secondMs),
    fetchTimeoutMs: field('fetch_timeout', duration, 2 * minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  ({ server }, report) => {
    if (server === '' || !hasSchemeAndHost(server)) {
      report(`kuma SD server must not be empty and have a scheme: ${server}`, 'server');
    }
  },
);

export interface MarathonSdConfig {
  readonly mechanism: 'marathon';
  readonly servers: readonly string[];
  readonly refreshIntervalMs: number;
  readonly authToken: string;
  readonly authTokenFile: string;
  readonly httpClientConfig: HttpClientConfig;
}

export const marathonSd: ObjectDecoder<MarathonSdConfig> = mechanism<MarathonSdConfig>(
  'marathon',
  {
    servers: field('servers', list(string)),
    refreshIntervalMs: field('refresh_interval', duration, 30 * secondMs),
    authToken: field('auth_token', secret),
    authTokenFile: field('auth_token_file', decode.filePath),
    httpClientConfig: decode.inline(httpClient()),
  },
  (config, report) => {
    if (config.servers.length === 0) {
      report('marathon_sd: must contain at least one Marathon server', 'servers');
    }
    const tokens = decode.countSet(config.authToken, config.authTokenFile);
    if (tokens > 1) report('marathon_sd: at most one of auth_token & auth_token_file must be configured');
    const { basicAuth, authorization } = config.httpClientConfig;
    if (tokens > 0 && (basicAuth !== undefined || authorization !== undefined)) {
      report(
        'marathon_sd: at most one of auth_token, auth_token_file, basic_auth, bearer_token, bearer_token_file & authorization must be configured',
      );
    }
  },
);

export interface ServersetSdConfig {
  readonly mechanism: 'serverset';
  readonly servers: readonly string[];
  readonly paths: readonly string[];
  readonly timeoutMs: number;
}

export interface NerveSdConfig {
  readonly mechanism: 'nerve';
  readonly servers: readonly string[];
  readonly paths: readonly string[];
  readonly timeoutMs: number;
}

const zookeeperFields = {
  servers: field('servers', list(string)),
  paths: field('paths', list(string)),
  timeoutMs: field('timeout', duration, 10 * secondMs),
};

function checkZookeeper(
  name: string,
  config: { readonly servers: readonly string[]; readonly paths: readonly string[] },
  report: Report,
): void {
  if (config.servers.length === 0) {
    report(`${name} SD config must contain at least one Zookeeper server`, 'servers');
  }
  if (config.paths.length === 0) report(`${name} SD config must contain at least one path`, 'paths');
  for (const path of config.paths) {
    if (!path.startsWith('/')) report(`${name} SD config paths must begin with '/': ${path}`, 'paths');
  }
}

export const serversetSd: ObjectDecoder<ServersetSdConfig> = mechanism<ServersetSdConfig>(
  'serverset',
  zookeeperFields,
  (config, report) => checkZookeeper('serverset', config, report),
);

export const nerveSd: ObjectDecoder<NerveSdConfig> = mechanism<NerveSdConfig>(
  'nerve',
  zookeeperFields,
  (config, report) => checkZookeeper('nerve', config, report),
);
