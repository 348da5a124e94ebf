// Sections of the mechanisms that ask a container engine or an inventory of machines: Docker, Docker Swarm,
// Triton, PuppetDB, Uyuni.
import {
  decode,
  type HttpClientConfig,
  httpClient,
  type ObjectDecoder,
  type TlsConfig,
  tlsConfig,
} from '../../model/index.ts';
import { checkHttpUrl } from './basic.ts';
import { mechanism, minuteMs } from './mechanism.ts';

const { field, string, secret, bool, int, duration, list } = decode;

export interface NamedFilter {
  readonly name: string;
  readonly values: readonly string[];
}

const filter = decode.object<NamedFilter>({
  name: field('name', string),
  values: field('values', list(string)),
});

export interface DockerSdConfig {
  readonly mechanism: 'docker';
  readonly host: string;
  readonly port: number;
  readonly filters: readonly NamedFilter[];
  readonly hostNetworkingHost: string;
  readonly matchFirstNetwork: boolean;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const dockerSd: ObjectDecoder<DockerSdConfig> = mechanism<DockerSdConfig>(
  'docker',
  {
    host: field('host', decode.url),
    port: field('port', int, 80),
    filters: field('filters', list(filter)),
    hostNetworkingHost: field('host_networking_host', string, 'localhost'),
    matchFirstNetwork: field('match_first_network', bool, true),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  ({ host }, report) => {
    if (host === '') report('host missing', 'host');
  },
);

export interface DockerSwarmSdConfig {
  readonly mechanism: 'dockerswarm';
  readonly host: string;
  /** services, tasks or nodes. */
  readonly role: string;
  readonly port: number;
  readonly filters: readonly NamedFilter[];
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const dockerSwarmSd: ObjectDecoder<DockerSwarmSdConfig> = mechanism<DockerSwarmSdConfig>(
  'dockerswarm',
  {
    host: field('host', decode.url),
    role: field('role', string),
    port: field('port', int, 80),
    filters: field('filters', list(filter)),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  ({ host, role }, report) => {
    if (host === '') report('host missing', 'host');
    if (role === '') report('role missing (one of: tasks, services, nodes)', 'role');
    else if (!['services', 'nodes', 'tasks'].includes(role)) {
      report(`invalid role ${role}, expected tasks, services, or nodes`, 'role');
    }
  },
);

export interface TritonSdConfig {
  readonly mechanism: 'triton';
  readonly account: string;
  readonly role: string;
  readonly dnsSuffix: string;
  readonly endpoint: string;
  readonly groups: readonly string[];
  readonly port: number;
  readonly refreshIntervalMs: number;
  readonly version: number;
  readonly tlsConfig: TlsConfig;
}

export const tritonSd: ObjectDecoder<TritonSdConfig> = mechanism<TritonSdConfig>(
  'triton',
  {
    account: field('account', string),
    role: field('role', string, 'container'),
    dnsSuffix: field('dns_suffix', string),
    endpoint: field('endpoint', string),
    groups: field('groups', list(string)),
    port: field('port', int, 9163),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    version: field('version', int, 1),
    tlsConfig: field('tls_config', tlsConfig, tlsConfig.initial()),
  },
  (config, report) => {
    if (config.role !== 'container' && config.role !== 'cn') {
      report("triton SD configuration requires role to be 'container' or 'cn'", 'role');
    }
    if (config.account === '') report('triton SD configuration requires an account', 'account');
    if (config.dnsSuffix === '') report('triton SD configuration requires a dns_suffix', 'dns_suffix');
    if (config.endpoint === '') report('triton SD configuration requires an endpoint', 'endpoint');
    if (config.refreshIntervalMs <= 0) {
      report('triton SD configuration requires refresh_interval to be positive', 'refresh_interval');
    }
  },
);

export interface PuppetDbSdConfig {
  readonly mechanism: 'puppetdb';
  readonly url: string;
  readonly query: string;
  readonly includeParameters: boolean;
  readonly port: number;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const puppetDbSd: ObjectDecoder<PuppetDbSdConfig> = mechanism<PuppetDbSdConfig>(
  'puppetdb',
  {
    url: field('url', decode.url),
    query: field('query', string),
    includeParameters: field('include_parameters', bool),
    port: field('port', int, 80),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  ({ url, query }, report) => {
    checkHttpUrl(url, report);
    if (query === '') report('query missing', 'query');
  },
);

export interface UyuniSdConfig {
  readonly mechanism: 'uyuni';
  readonly server: string;
  readonly username: string;
  readonly password: string;
  readonly entitlement: string;
  readonly separator: string;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const uyuniSd: ObjectDecoder<UyuniSdConfig> = mechanism<UyuniSdConfig>(
  'uyuni',
  {
    server: field('server', decode.url),
    username: field('username', string),
    password: field('password', secret),
    entitlement: field('entitlement', string, 'monitoring_entitled'),
    separator: field('separator', string, ','),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  (config, report) => {
    if (config.server === '') report('Uyuni SD configuration requires server host', 'server');
    if (config.username === '') report('Uyuni SD configuration requires a username', 'username');
    if (config.password === '') report('Uyuni SD configuration requires a password', 'password');
  },
);
