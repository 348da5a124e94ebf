// The remote room's part of prometheus.yml: where samples are sent to (`remote_write`) and read from
// (`remote_read`).
import {
  decode,
  type HttpClientConfig,
  hasAuthentication,
  httpClient,
  type ObjectDecoder,
  type RelabelConfig,
  type Report,
  relabelConfigs,
  type Scope,
  type SigV4Config,
  sigv4,
} from '../model/index.ts';

const { field, newerField, string, secret, bool, int, uint, duration } = decode;

const writeMessages = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const;

export interface QueueConfig {
  readonly capacity: number;
  readonly maxShards: number;
  readonly minShards: number;
  readonly maxSamplesPerSend: number;
  readonly batchSendDeadlineMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly retryOnHttp429: boolean;
  /** 0: samples are sent however old. */
  readonly sampleAgeLimitMs: number;
}

export interface MetadataConfig {
  readonly send: boolean;
  readonly sendIntervalMs: number;
  readonly maxSamplesPerSend: number;
}

export interface AzureAdConfig {
  readonly managedIdentity: { readonly clientId: string } | undefined;
  readonly oauth:
    | { readonly clientId: string; readonly clientSecret: string; readonly tenantId: string }
    | undefined;
  readonly sdk: { readonly tenantId: string } | undefined;
  readonly cloud: string;
}

export interface RemoteWriteConfig {
  readonly url: string;
  readonly remoteTimeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly writeRelabelConfigs: readonly RelabelConfig[];
  readonly name: string;
  readonly sendExemplars: boolean;
  readonly sendNativeHistograms: boolean;
  readonly roundRobinDns: boolean;
  readonly failedRequestLogging: boolean;
  readonly protobufMessage: (typeof writeMessages)[number];
  readonly httpClientConfig: HttpClientConfig;
  readonly queueConfig: QueueConfig;
  readonly metadataConfig: MetadataConfig;
  readonly sigv4: SigV4Config | undefined;
  readonly azuread: AzureAdConfig | undefined;
  readonly googleIam: { readonly credentialsFile: string } | undefined;
}

export interface RemoteReadConfig {
  readonly url: string;
  readonly remoteTimeoutMs: number;
  readonly chunkedReadLimitBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly readRecent: boolean;
  readonly name: string;
  readonly httpClientConfig: HttpClientConfig;
  readonly requiredMatchers: Readonly<Record<string, string>>;
  readonly filterExternalLabels: boolean;
}

const reservedHeaders = new Set([
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
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

/** What is wrong with a header that a user adds to requests, if anything; shared with tracing. */
export function headerProblem(name: string, authorizationMessage: string): string | undefined {
  if (name.toLowerCase() === 'authorization') return authorizationMessage;
  if (reservedHeaders.has(name.toLowerCase())) {
    return `${name} is a reserved header. It must not be changed`;
  }
  return undefined;
}

function checkHeaders(headers: Readonly<Record<string, string>>, report: Report): void {
  for (const name of Object.keys(headers)) {
    const problem = headerProblem(
      name,
      'authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter',
    );
    if (problem !== undefined) report(problem, 'headers');
  }
}

const queueConfig = decode.section<QueueConfig, QueueConfig>(
  {
    capacity: field('capacity', int, 10_000),
    maxShards: field('max_shards', int, 50),
    minShards: field('min_shards', int, 1),
    maxSamplesPerSend: field('max_samples_per_send', int, 2000),
    batchSendDeadlineMs: field('batch_send_deadline', duration, 5000),
    minBackoffMs: field('min_backoff', duration, 30),
    maxBackoffMs: field('max_backoff', duration, 5000),
    retryOnHttp429: field('retry_on_http_429', bool),
    sampleAgeLimitMs: field('sample_age_limit', duration),
  },
  (queue, report, scope) => {
    if (scope?.context.compatibility !== '3.5') checkQueue(queue, report);
    return queue;
  },
);

/** Up to 3.5 Prometheus took any numbers here. */
function checkQueue(queue: QueueConfig, report: Report): void {
  if (queue.maxShards <= 0) report('remote write queue max_shards must be positive', 'max_shards');
  if (queue.minShards <= 0) report('remote write queue min_shards must be positive', 'min_shards');
  if (queue.minShards > queue.maxShards) {
    report('remote write queue min_shards must not be greater than max_shards', 'min_shards');
  }
  if (queue.maxSamplesPerSend <= 0) {
    report('remote write queue max_samples_per_send must be positive', 'max_samples_per_send');
  }
  if (queue.capacity <= 0) report('remote write queue capacity must be positive', 'capacity');
  if (queue.maxBackoffMs < queue.minBackoffMs) {
    report('remote write queue max_backoff must not be less than min_backoff', 'max_backoff');
  }
}

const metadataConfig = decode.object<MetadataConfig>({
  send: field('send', bool, true),
  sendIntervalMs: field('send_interval', duration, 60_000),
  maxSamplesPerSend: field('max_samples_per_send', int, 2000),
});

const uuid = /^(urn:uuid:|\{)?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i;
const azureClouds = ['AzurePublic', 'AzureChina', 'AzureGovernment'];

const azuread = decode.section<AzureAdConfig, AzureAdConfig>(
  {
    managedIdentity: field(
      'managed_identity',
      decode.optional(decode.object<{ clientId: string }>({ clientId: field('client_id', string) })),
    ),
    oauth: field(
      'oauth',
      decode.optional(
        decode.object<{ clientId: string; clientSecret: string; tenantId: string }>({
          clientId: field('client_id', string),
          clientSecret: field('client_secret', secret),
          tenantId: field('tenant_id', string),
        }),
      ),
    ),
    sdk: field(
      'sdk',
      decode.optional(decode.object<{ tenantId: string }>({ tenantId: field('tenant_id', string) })),
    ),
    cloud: field('cloud', string),
  },
  (raw, report) => {
    checkAzure(raw, report);
    return { ...raw, cloud: raw.cloud || 'AzurePublic' };
  },
);

function checkAzure({ managedIdentity, oauth, sdk, cloud }: AzureAdConfig, report: Report): void {
  const given = [managedIdentity, oauth, sdk].filter((part) => part !== undefined).length;
  if (cloud !== '' && !azureClouds.includes(cloud)) {
    report('must provide a cloud in the Azure AD config', 'cloud');
  }
  if (given === 0) {
    report('must provide an Azure Managed Identity, Azure OAuth or Azure SDK in the Azure AD config');
  }
  if (given > 1) {
    report('cannot provide more than one of Azure Managed Identity, OAuth and SDK in the Azure AD config');
  }
  if (
    managedIdentity !== undefined &&
    managedIdentity.clientId !== '' &&
    !uuid.test(managedIdentity.clientId)
  ) {
    report('the provided Azure Managed Identity client_id is invalid', 'managed_identity');
  }
  if (oauth === undefined) return;
  if (!uuid.test(oauth.clientId)) report('the provided Azure OAuth client_id is missing or invalid', 'oauth');
  if (oauth.clientSecret === '') {
    report('must provide an Azure OAuth client_secret in the Azure AD config', 'oauth');
  }
  if (oauth.tenantId === '') report('must provide an Azure OAuth tenant_id in the Azure AD config', 'oauth');
}

type RawWrite = Omit<RemoteWriteConfig, 'url' | 'protobufMessage'> & {
  readonly url: string | undefined;
  readonly protobufMessage: string;
};

/** One entry of `remote_write`. */
export const remoteWriteConfig: ObjectDecoder<RemoteWriteConfig> = decode.section<
  RawWrite,
  RemoteWriteConfig
>(
  {
    url: field('url', decode.optional(decode.url)),
    remoteTimeoutMs: field('remote_timeout', duration, 30_000),
    headers: field('headers', decode.map(string)),
    writeRelabelConfigs: field(
      'write_relabel_configs',
      relabelConfigs('empty or null relabeling rule in remote write config'),
    ),
    name: field('name', string),
    sendExemplars: field('send_exemplars', bool),
    sendNativeHistograms: field('send_native_histograms', bool),
    roundRobinDns: field('round_robin_dns', bool),
    failedRequestLogging: newerField('failed_request_logging', bool),
    protobufMessage: field('protobuf_message', string, 'prometheus.WriteRequest'),
    httpClientConfig: decode.inline(httpClient(false)),
    queueConfig: field('queue_config', queueConfig, queueConfig.initial()),
    metadataConfig: field('metadata_config', metadataConfig, metadataConfig.initial()),
    sigv4: field('sigv4', decode.optional(sigv4)),
    azuread: field('azuread', decode.optional(azuread)),
    googleIam: field(
      'google_iam',
      decode.optional(
        decode.object<{ credentialsFile: string }>({ credentialsFile: field('credentials_file', string) }),
      ),
    ),
  },
  finishWrite,
);

function finishWrite(raw: RawWrite, report: Report, _scope: Scope | undefined): RemoteWriteConfig {
  if (raw.url === undefined) report('url for remote_write is empty', 'url');
  checkHeaders(raw.headers, report);
  const message = writeMessages.find((known) => known === raw.protobufMessage);
  if (message === undefined) {
    report(
      `unknown remote write protobuf message ${raw.protobufMessage}, supported: ${writeMessages.join(', ')}`,
      'protobuf_message',
    );
  }
  const clouds = [raw.sigv4, raw.azuread, raw.googleIam].filter((part) => part !== undefined).length;
  if (clouds + (hasAuthentication(raw.httpClientConfig) ? 1 : 0) > 1) {
    report(
      'at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured',
    );
  }
  return { ...raw, url: raw.url ?? '', protobufMessage: message ?? 'prometheus.WriteRequest' };
}

type RawRead = Omit<RemoteReadConfig, 'url'> & { readonly url: string | undefined };

/** One entry of `remote_read`. */
export const remoteReadConfig: ObjectDecoder<RemoteReadConfig> = decode.section<RawRead, RemoteReadConfig>(
  {
    url: field('url', decode.optional(decode.url)),
    remoteTimeoutMs: field('remote_timeout', duration, 60_000),
    chunkedReadLimitBytes: field('chunked_read_limit', uint, 50_000_000),
    headers: field('headers', decode.map(string)),
    readRecent: field('read_recent', bool),
    name: field('name', string),
    httpClientConfig: decode.inline(httpClient()),
    requiredMatchers: field('required_matchers', decode.map(string, decode.labelName)),
    filterExternalLabels: field('filter_external_labels', bool, true),
  },
  (raw, report) => {
    if (raw.url === undefined) report('url for remote_read is empty', 'url');
    checkHeaders(raw.headers, report);
    return { ...raw, url: raw.url ?? '' };
  },
);
