// Sections of discovery at hosting providers: DigitalOcean, Hetzner, IONOS, Linode, Outscale, OVHcloud,
// Scaleway, STACKIT, Vultr.
import {
  decode,
  type HttpClientConfig,
  httpClient,
  type ObjectDecoder,
  type Report,
} from '../../model/index.ts';
import { mechanism, minuteMs } from './mechanism.ts';

const { field, newerField, string, secret, int, duration, list } = decode;

interface Polled {
  readonly port: number;
  readonly refreshIntervalMs: number;
}

interface PolledOverHttp extends Polled {
  readonly httpClientConfig: HttpClientConfig;
}

const polledFields = {
  port: field('port', int, 80),
  refreshIntervalMs: field('refresh_interval', duration, minuteMs),
  httpClientConfig: decode.inline(httpClient()),
};

const digitalOceanRoles = ['droplets', 'databases'] as const;

export interface DigitalOceanSdConfig extends PolledOverHttp {
  readonly mechanism: 'digitalocean';
  readonly role: (typeof digitalOceanRoles)[number] | undefined;
}

export const digitalOceanSd: ObjectDecoder<DigitalOceanSdConfig> = mechanism<DigitalOceanSdConfig>(
  'digitalocean',
  {
    role: newerField<DigitalOceanSdConfig['role']>(
      'role',
      decode.oneOf(digitalOceanRoles, (text) => `unknown DigitalOcean SD role "${text}"`),
      'droplets',
    ),
    ...polledFields,
  },
  ({ role }, report) => {
    if (role === undefined) report('role missing (one of: droplets, databases)', 'role');
  },
);

const hetznerRoles = ['robot', 'hcloud'] as const;

export interface HetznerSdConfig extends PolledOverHttp {
  readonly mechanism: 'hetzner';
  readonly role: (typeof hetznerRoles)[number] | undefined;
  readonly labelSelector: string;
}

export const hetznerSd: ObjectDecoder<HetznerSdConfig> = mechanism<HetznerSdConfig>(
  'hetzner',
  {
    role: field(
      'role',
      decode.oneOf(hetznerRoles, (text) => `unknown role "${text}"`),
    ),
    labelSelector: field('label_selector', string),
    ...polledFields,
  },
  ({ role }, report) => {
    if (role === undefined) report('role missing (one of: robot, hcloud)', 'role');
  },
);

export interface IonosSdConfig extends PolledOverHttp {
  readonly mechanism: 'ionos';
  readonly datacenterId: string;
}

export const ionosSd: ObjectDecoder<IonosSdConfig> = mechanism<IonosSdConfig>(
  'ionos',
  { datacenterId: field('datacenter_id', string), ...polledFields },
  ({ datacenterId }, report) => {
    if (datacenterId === '') report("datacenter id can't be empty", 'datacenter_id');
  },
);

export interface LinodeSdConfig extends PolledOverHttp {
  readonly mechanism: 'linode';
  readonly tagSeparator: string;
  readonly region: string;
}

export const linodeSd: ObjectDecoder<LinodeSdConfig> = mechanism<LinodeSdConfig>('linode', {
  tagSeparator: field('tag_separator', string, ','),
  region: field('region', string),
  ...polledFields,
});

export interface OutscaleSdConfig extends PolledOverHttp {
  readonly mechanism: 'outscale';
  /** Empty: the region's public API. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly secretKeyFile: string;
}

export const outscaleSd: ObjectDecoder<OutscaleSdConfig> = mechanism<OutscaleSdConfig>(
  'outscale',
  {
    endpoint: field('endpoint', string),
    region: field('region', string, 'eu-west-2'),
    accessKey: field('access_key', string),
    secretKey: field('secret_key', secret),
    secretKeyFile: field('secret_key_file', decode.filePath),
    ...polledFields,
  },
  (config, report) => {
    if (config.region === '') report('outscale SD configuration requires a region', 'region');
    if (config.accessKey === '') report('outscale SD configuration requires access_key', 'access_key');
    checkSecretKey(config, report);
  },
);

function checkSecretKey(
  config: { readonly secretKey: string; readonly secretKeyFile: string },
  report: Report,
): void {
  const given = decode.countSet(config.secretKey, config.secretKeyFile);
  if (given === 0) report('one of secret_key & secret_key_file must be configured');
  if (given > 1) report('at most one of secret_key & secret_key_file must be configured', 'secret_key_file');
}

export interface OvhcloudSdConfig {
  readonly mechanism: 'ovhcloud';
  readonly endpoint: string;
  readonly applicationKey: string;
  readonly applicationSecret: string;
  readonly consumerKey: string;
  /** dedicated_server or vps. */
  readonly service: string;
  readonly refreshIntervalMs: number;
}

export const ovhcloudSd: ObjectDecoder<OvhcloudSdConfig> = mechanism<OvhcloudSdConfig>(
  'ovhcloud',
  {
    endpoint: field('endpoint', string, 'ovh-eu'),
    applicationKey: field('application_key', string),
    applicationSecret: field('application_secret', secret),
    consumerKey: field('consumer_key', secret),
    service: field('service', string),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
  },
  (config, report) => {
    if (config.endpoint === '') report('endpoint can not be empty', 'endpoint');
    if (config.applicationKey === '') report('application key can not be empty', 'application_key');
    if (config.applicationSecret === '') report('application secret can not be empty', 'application_secret');
    if (config.consumerKey === '') report('consumer key can not be empty', 'consumer_key');
    if (config.service !== 'dedicated_server' && config.service !== 'vps') {
      report(`unknown service: ${config.service}`, 'service');
    }
  },
);

const scalewayRoles = ['instance', 'baremetal'] as const;

export interface ScalewaySdConfig extends PolledOverHttp {
  readonly mechanism: 'scaleway';
  readonly role: (typeof scalewayRoles)[number] | undefined;
  readonly projectId: string;
  readonly apiUrl: string;
  readonly zone: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly secretKeyFile: string;
  readonly nameFilter: string;
  readonly tagsFilter: readonly string[];
}

export const scalewaySd: ObjectDecoder<ScalewaySdConfig> = mechanism<ScalewaySdConfig>(
  'scaleway',
  {
    role: field(
      'role',
      decode.oneOf(scalewayRoles, (text) => `unknown role "${text}"`),
    ),
    projectId: field('project_id', string),
    apiUrl: field('api_url', string, 'https://api.scaleway.com'),
    zone: field('zone', string, 'fr-par-1'),
    accessKey: field('access_key', string),
    secretKey: field('secret_key', secret),
    secretKeyFile: field('secret_key_file', decode.filePath),
    nameFilter: field('name_filter', string),
    tagsFilter: field('tags_filter', list(string)),
    ...polledFields,
  },
  checkScaleway,
);

const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

function checkScaleway(config: Omit<ScalewaySdConfig, 'mechanism'>, report: Report): void {
  if (config.role === undefined) report('role missing (one of: instance, baremetal)', 'role');
  if (config.projectId === '') report('project_id is mandatory', 'project_id');
  else if (!uuid.test(config.projectId)) report('project_id must be a UUID', 'project_id');
  checkSecretKey(config, report);
  if (config.secretKey !== '' && !uuid.test(config.secretKey)) {
    report('invalid secret key format, expected a UUID', 'secret_key');
  }
  if (config.accessKey === '') report('access_key is mandatory', 'access_key');
  else if (!/^SCW[A-Z0-9]{17}$/.test(config.accessKey)) {
    report('invalid access key format, expected SCWXXXXXXXXXXXXXXXXX', 'access_key');
  }
  if (!/^[a-z]{2}-[a-z]{3}-[0-9]$/.test(config.zone)) report(`invalid zone "${config.zone}"`, 'zone');
}

export interface StackitSdConfig extends PolledOverHttp {
  readonly mechanism: 'stackit';
  readonly project: string;
  readonly region: string;
  readonly endpoint: string;
  readonly serviceAccountKey: string;
  readonly privateKey: string;
  readonly serviceAccountKeyPath: string;
  readonly privateKeyPath: string;
  readonly credentialsFilePath: string;
}

export const stackitSd: ObjectDecoder<StackitSdConfig> = mechanism<StackitSdConfig>(
  'stackit',
  {
    project: field('project', string),
    region: field('region', string, 'eu01'),
    endpoint: field('endpoint', decode.url),
    serviceAccountKey: field('service_account_key', secret),
    privateKey: field('private_key', secret),
    serviceAccountKeyPath: field('service_account_key_path', string),
    privateKeyPath: field('private_key_path', string),
    credentialsFilePath: field('credentials_file_path', string),
    ...polledFields,
  },
  ({ endpoint, region }, report) => {
    if (endpoint === '' && region === '') report('stackit_sd: endpoint and region missing', 'region');
  },
);

export interface VultrSdConfig extends PolledOverHttp {
  readonly mechanism: 'vultr';
}

export const vultrSd: ObjectDecoder<VultrSdConfig> = mechanism<VultrSdConfig>('vultr', polledFields);
