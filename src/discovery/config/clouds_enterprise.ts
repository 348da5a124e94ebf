// Sections of discovery in the clouds with accounts of many layers: Azure, Google, OpenStack, Oracle.
import {
  decode,
  type HttpClientConfig,
  httpClient,
  type ObjectDecoder,
  type Report,
  type TlsConfig,
  tlsConfig,
} from '../../model/index.ts';
import { mechanism, minuteMs } from './mechanism.ts';

const { field, string, secret, bool, int, duration, list } = decode;

export interface AzureSdConfig {
  readonly mechanism: 'azure';
  readonly environment: string;
  readonly authenticationMethod: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly resourceGroup: string;
  readonly port: number;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const azureSd: ObjectDecoder<AzureSdConfig> = mechanism<AzureSdConfig>(
  'azure',
  {
    environment: field('environment', string, 'AzurePublicCloud'),
    authenticationMethod: field('authentication_method', string, 'OAuth'),
    subscriptionId: field('subscription_id', string),
    tenantId: field('tenant_id', string),
    clientId: field('client_id', string),
    clientSecret: field('client_secret', secret),
    resourceGroup: field('resource_group', string),
    port: field('port', int, 80),
    refreshIntervalMs: field('refresh_interval', duration, 5 * minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  (config, report) => {
    const method = config.authenticationMethod;
    require(config.subscriptionId, 'azure', 'subscription_id', report);
    if (method === 'OAuth') {
      require(config.tenantId, 'azure', 'tenant_id', report);
      require(config.clientId, 'azure', 'client_id', report);
      require(config.clientSecret, 'azure', 'client_secret', report);
    } else if (method !== 'ManagedIdentity' && method !== 'SDK') {
      report(
        `unknown authentication_type "${method}". Supported types are "OAuth", "ManagedIdentity" or "SDK"`,
        'authentication_method',
      );
    }
  },
);

function require(value: string, name: string, yamlField: string, report: Report): void {
  if (value === '') report(`${name} SD configuration requires a ${yamlField}`, yamlField);
}

export interface GceSdConfig {
  readonly mechanism: 'gce';
  readonly project: string;
  readonly zone: string;
  readonly filter: string;
  readonly tagSeparator: string;
  readonly port: number;
  readonly refreshIntervalMs: number;
}

export const gceSd: ObjectDecoder<GceSdConfig> = mechanism<GceSdConfig>(
  'gce',
  {
    project: field('project', string),
    zone: field('zone', string),
    filter: field('filter', string),
    tagSeparator: field('tag_separator', string, ','),
    port: field('port', int, 80),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
  },
  (config, report) => {
    require(config.project, 'GCE', 'project', report);
    require(config.zone, 'GCE', 'zone', report);
  },
);

const openstackRoles = ['hypervisor', 'instance', 'loadbalancer'] as const;

export interface OpenstackSdConfig {
  readonly mechanism: 'openstack';
  readonly identityEndpoint: string;
  readonly username: string;
  readonly userId: string;
  readonly password: string;
  readonly projectName: string;
  readonly projectId: string;
  readonly domainName: string;
  readonly domainId: string;
  readonly applicationCredentialName: string;
  readonly applicationCredentialId: string;
  readonly applicationCredentialSecret: string;
  readonly role: (typeof openstackRoles)[number] | undefined;
  readonly region: string;
  readonly port: number;
  readonly allTenants: boolean;
  readonly availability: string;
  readonly refreshIntervalMs: number;
  readonly tlsConfig: TlsConfig;
}

export const openstackSd: ObjectDecoder<OpenstackSdConfig> = mechanism<OpenstackSdConfig>(
  'openstack',
  {
    identityEndpoint: field('identity_endpoint', string),
    username: field('username', string),
    userId: field('userid', string),
    password: field('password', secret),
    projectName: field('project_name', string),
    projectId: field('project_id', string),
    domainName: field('domain_name', string),
    domainId: field('domain_id', string),
    applicationCredentialName: field('application_credential_name', string),
    applicationCredentialId: field('application_credential_id', string),
    applicationCredentialSecret: field('application_credential_secret', secret),
    role: field(
      'role',
      decode.oneOf(openstackRoles, (text) => `unknown OpenStack SD role "${text}"`),
    ),
    region: field('region', string),
    port: field('port', int, 80),
    allTenants: field('all_tenants', bool),
    availability: field('availability', string, 'public'),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    tlsConfig: field('tls_config', tlsConfig, tlsConfig.initial()),
  },
  (config, report) => {
    if (!['public', 'internal', 'admin'].includes(config.availability)) {
      report(
        `unknown availability ${config.availability}, must be one of admin, internal or public`,
        'availability',
      );
    }
    if (config.role === undefined) {
      report('role missing (one of: instance, hypervisor, loadbalancer)', 'role');
    }
    require(config.region, 'openstack', 'region', report);
  },
);

export interface OciSdConfig {
  readonly mechanism: 'oci';
  readonly auth: string;
  readonly tenancy: string;
  readonly user: string;
  readonly fingerprint: string;
  readonly keyFile: string;
  readonly keyPassphrase: string;
  readonly keyPassphraseFile: string;
  readonly region: string;
  readonly compartments: readonly string[];
  readonly port: number;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export const ociSd: ObjectDecoder<OciSdConfig> = mechanism<OciSdConfig>(
  'oci',
  {
    auth: field('auth', string, 'api_key'),
    tenancy: field('tenancy', string),
    user: field('user', string),
    fingerprint: field('fingerprint', string),
    keyFile: field('key_file', decode.filePath),
    keyPassphrase: field('key_passphrase', secret),
    keyPassphraseFile: field('key_passphrase_file', decode.filePath),
    region: field('region', string),
    compartments: field('compartments', list(string)),
    port: field('port', int, 80),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  checkOci,
);

function checkOci(config: Omit<OciSdConfig, 'mechanism'>, report: Report): void {
  const own = {
    tenancy: config.tenancy,
    user: config.user,
    fingerprint: config.fingerprint,
    key_file: config.keyFile,
  };
  if (config.region === '') report('oci_sd: region is required', 'region');
  if (config.auth === 'api_key') {
    for (const [name, value] of Object.entries(own)) {
      if (value === '') report(`oci_sd: api_key auth requires ${name}`, name);
    }
    if (decode.countSet(config.keyPassphrase, config.keyPassphraseFile) > 1) {
      report('oci_sd: at most one of key_passphrase and key_passphrase_file must be configured');
    }
  } else if (config.auth === 'instance_principal') {
    if (decode.countSet(...Object.values(own), config.keyPassphrase, config.keyPassphraseFile) > 0) {
      report('oci_sd: instance_principal auth must not have credentials of its own set', 'auth');
    }
  } else {
    report(
      `oci_sd: unknown auth method "${config.auth}", expected "api_key" or "instance_principal"`,
      'auth',
    );
  }
  if (config.compartments.includes('')) report('oci_sd: compartments must not be empty', 'compartments');
  if (config.refreshIntervalMs <= 0) report('oci_sd: refresh_interval must be positive', 'refresh_interval');
}
