// Sections of discovery in AWS: `ec2`, `lightsail`, and `aws` with its roles (after Prometheus 3.5).
import {
  type Decoder,
  decode,
  type HttpClientConfig,
  httpClient,
  type ObjectDecoder,
  type Report,
  type Scope,
} from '../../model/index.ts';
import { mechanism, minuteMs } from './mechanism.ts';

const { field, newerField, string, secret, int, duration, list } = decode;

export interface AwsFilter {
  readonly name: string;
  readonly values: readonly string[];
}

interface AwsAccess {
  readonly endpoint: string;
  /** Empty: asked of the instance's metadata service. */
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly profile: string;
  readonly roleArn: string;
  readonly externalId: string;
  readonly port: number;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export interface Ec2SdConfig extends AwsAccess {
  readonly mechanism: 'ec2';
  readonly filters: readonly AwsFilter[];
}

export interface LightsailSdConfig extends AwsAccess {
  readonly mechanism: 'lightsail';
}

const awsRoles = ['ec2', 'ecs', 'elasticache', 'lightsail', 'msk', 'rds'] as const;

export interface AwsSdConfig extends AwsAccess {
  readonly mechanism: 'aws';
  readonly role: (typeof awsRoles)[number] | undefined;
  readonly filters: readonly AwsFilter[];
  readonly clusters: readonly string[];
}

/** One of the services that are also roles of `aws`; each has a section of its own. */
export interface AwsServiceSdConfig extends AwsAccess {
  readonly mechanism: 'ecs' | 'elasticache' | 'msk' | 'rds';
  readonly clusters: readonly string[];
  /** Used by rds alone. */
  readonly filters: readonly AwsFilter[];
  /** 0: the mechanism's own choice. */
  readonly requestConcurrency: number;
}

const accessFields = {
  endpoint: field('endpoint', string),
  region: field('region', string),
  accessKey: field('access_key', string),
  secretKey: field('secret_key', secret),
  profile: field('profile', string),
  roleArn: field('role_arn', string),
  externalId: newerField('external_id', string),
  port: field('port', int, 80),
  refreshIntervalMs: field('refresh_interval', duration, minuteMs),
  httpClientConfig: decode.inline(httpClient()),
};

const filter = decode.object<AwsFilter>({
  name: field('name', string),
  values: field('values', list(string)),
});
const filters: Decoder<readonly AwsFilter[]> = list(filter);

/** Up to 3.5 the region was looked up while the file was read, which fails outside of AWS. */
function checkRegion(name: string, region: string, report: Report, scope: Scope | undefined): void {
  if (region === '' && scope?.context.compatibility === '3.5') {
    report(`${name} SD configuration requires a region`, 'region');
  }
}

function checkFilters(given: readonly AwsFilter[], report: Report): void {
  if (given.some(({ values }) => values.length === 0)) {
    report('EC2 SD configuration filter values cannot be empty', 'filters');
  }
}

export const ec2Sd: ObjectDecoder<Ec2SdConfig> = mechanism<Ec2SdConfig>(
  'ec2',
  { ...accessFields, filters: field('filters', filters) },
  (config, report, scope) => {
    checkRegion('EC2', config.region, report, scope);
    checkFilters(config.filters, report);
  },
);

export const lightsailSd: ObjectDecoder<LightsailSdConfig> = mechanism<LightsailSdConfig>(
  'lightsail',
  accessFields,
  (config, report, scope) => checkRegion('Lightsail', config.region, report, scope),
);

const serviceFields = {
  ...accessFields,
  clusters: field('clusters', list(string)),
  requestConcurrency: field('request_concurrency', int),
};

const noFilters: Decoder<readonly AwsFilter[]> = decode.checked(
  filters,
  () => 'only rds_sd_configs has filters',
);

/** `ecs_sd_configs` and its like. */
export function awsServiceSd(name: AwsServiceSdConfig['mechanism']): ObjectDecoder<AwsServiceSdConfig> {
  return mechanism<AwsServiceSdConfig>(name, {
    ...serviceFields,
    filters: field('filters', name === 'rds' ? filters : noFilters),
  });
}

export const awsSd: ObjectDecoder<AwsSdConfig> = mechanism<AwsSdConfig>(
  'aws',
  {
    ...accessFields,
    role: field(
      'role',
      decode.oneOf(awsRoles, (text) => `unknown AWS SD role "${text}"`),
    ),
    filters: field('filters', filters),
    clusters: field('clusters', list(string)),
  },
  (config, report) => {
    if (config.role === undefined) report(`role missing (one of: ${awsRoles.join(', ')})`, 'role');
    checkFilters(config.filters, report);
  },
);
