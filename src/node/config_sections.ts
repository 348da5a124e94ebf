// Decoders of the sections of prometheus.yml that belong to no single room: alerting, storage, tracing, otlp.
import { checkStaticTargets, type DiscoveryConfig, discoverySections } from '../discovery/index.ts';
import {
  type Decoder,
  decode,
  hasAuthentication,
  httpClient,
  type ObjectDecoder,
  type Report,
  relabelConfigs,
  sigv4,
  tlsConfig,
} from '../model/index.ts';
import { headerProblem } from '../remote/index.ts';
import type {
  AlertingConfig,
  AlertmanagerEndpointConfig,
  OtlpConfig,
  StorageConfig,
  TracingConfig,
} from './config_types.ts';

const { field, newerField, string, bool, float, int, duration, list } = decode;

type RawEndpoint = Omit<AlertmanagerEndpointConfig, 'serviceDiscoveryConfigs' | 'apiVersion'> & {
  readonly serviceDiscoveryConfigs: readonly DiscoveryConfig[];
  readonly apiVersion: 'v2' | undefined;
};

const endpoint = decode.section<RawEndpoint, AlertmanagerEndpointConfig>(
  {
    scheme: field('scheme', string, 'http'),
    pathPrefix: field('path_prefix', string),
    timeoutMs: field('timeout', duration, 10_000),
    apiVersion: field<'v2' | undefined>(
      'api_version',
      decode.oneOf(
        ['v2'] as const,
        (text) => `expected Alertmanager api version to be one of [v2] but got ${text}`,
      ),
      'v2',
    ),
    httpClientConfig: decode.inline(httpClient()),
    sigv4: field('sigv4', decode.optional(sigv4)),
    serviceDiscoveryConfigs: decode.inline(discoverySections),
    relabelConfigs: field(
      'relabel_configs',
      relabelConfigs('empty or null Alertmanager target relabeling rule'),
    ),
    alertRelabelConfigs: field(
      'alert_relabel_configs',
      relabelConfigs('empty or null Alertmanager alert relabeling rule'),
    ),
  },
  (raw, report) => {
    if (raw.sigv4 !== undefined && hasAuthentication(raw.httpClientConfig)) {
      report('at most one of basic_auth, authorization, oauth2, & sigv4 must be configured', 'sigv4');
    }
    if (raw.relabelConfigs.length === 0) {
      const problem = checkStaticTargets(raw.serviceDiscoveryConfigs);
      if (problem !== undefined) report(problem, 'static_configs');
    }
    return { ...raw, apiVersion: 'v2' };
  },
);

/** `alerting`. */
export const alertingConfig: ObjectDecoder<AlertingConfig> = decode.object<AlertingConfig>({
  alertRelabelConfigs: field('alert_relabel_configs', relabelConfigs('empty or null alert relabeling rule')),
  alertmanagers: field('alertmanagers', list(endpoint, { nullItem: 'empty or null Alertmanager section' })),
});

const noRetention: StorageConfig['retention'] = { timeMs: 0, sizeBytes: 0, percentage: 0 };

const retention = decode.object<StorageConfig['retention']>(
  {
    timeMs: field('time', duration),
    sizeBytes: field('size', decode.byteSize),
    percentage: field('percentage', float),
  },
  ({ sizeBytes, percentage }, report) => {
    if (sizeBytes < 0) report("'storage.tsdb.retention.size' must be greater than or equal to 0", 'size');
    if (!(percentage >= 0 && percentage <= 100)) {
      report("'storage.tsdb.retention.percentage' must be in the range [0, 100]", 'percentage');
    }
  },
);

type Tsdb = Omit<StorageConfig, 'maxExemplars' | 'floatChunkEncoding'> & {
  readonly chunkEncoding: { readonly floats: string };
};

const chunkEncoding = decode.object<Tsdb['chunkEncoding']>(
  { floats: field('floats', string) },
  ({ floats }, report) => {
    if (!['', 'xor', 'xor2'].includes(floats)) {
      report("'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or be omitted", 'floats');
    }
  },
);

const tsdb = decode.object<Tsdb>({
  outOfOrderTimeWindowMs: field('out_of_order_time_window', duration),
  retention: newerField('retention', retention, noRetention),
  staleSeriesCompactionThreshold: newerField('stale_series_compaction_threshold', float),
  chunkEncoding: newerField('chunk_encoding', chunkEncoding, { floats: '' }),
});

const exemplars = decode.object<{ readonly maxExemplars: number }>({
  maxExemplars: field('max_exemplars', int),
});

const maxExemplarsDefault = 100_000;

/** `storage`. */
export const storageConfig: ObjectDecoder<StorageConfig> = decode.section<
  { readonly tsdb: Tsdb; readonly exemplars: { readonly maxExemplars: number } | undefined },
  StorageConfig
>(
  { tsdb: field('tsdb', tsdb, tsdb.initial()), exemplars: field('exemplars', decode.optional(exemplars)) },
  ({ tsdb: { chunkEncoding: chosen, ...blocks }, exemplars: given }) => ({
    ...blocks,
    floatChunkEncoding: chosen.floats === 'xor' || chosen.floats === 'xor2' ? chosen.floats : '',
    maxExemplars: given?.maxExemplars ?? maxExemplarsDefault,
  }),
);

type RawTracing = Omit<TracingConfig, 'clientType' | 'compression'> & {
  readonly clientType: 'grpc' | 'http' | undefined;
  readonly compression: string;
};

/** `tracing`. */
export const tracingConfig: ObjectDecoder<TracingConfig> = decode.section<RawTracing, TracingConfig>(
  {
    clientType: field<'grpc' | 'http' | undefined>(
      'client_type',
      decode.oneOf(
        ['http', 'grpc'] as const,
        (text) => `expected tracing client type to be to be http or grpc, but got ${text}`,
      ),
      'grpc',
    ),
    endpoint: field('endpoint', string),
    samplingFraction: field('sampling_fraction', float),
    insecure: field('insecure', bool),
    tlsConfig: field('tls_config', tlsConfig, tlsConfig.initial()),
    headers: field('headers', decode.map(string)),
    compression: field('compression', string),
    timeoutMs: field('timeout', duration),
  },
  (raw, report) => {
    for (const name of Object.keys(raw.headers)) {
      const problem = headerProblem(name, 'custom authorization header configuration is not yet supported');
      if (problem !== undefined) report(problem, 'headers');
    }
    if (raw.endpoint === '') report('tracing endpoint must be set', 'endpoint');
    if (raw.compression !== '' && raw.compression !== 'gzip') {
      report(`invalid compression type ${raw.compression} provided, valid options: gzip`, 'compression');
    }
    return {
      ...raw,
      clientType: raw.clientType ?? 'grpc',
      compression: raw.compression === 'gzip' ? 'gzip' : '',
    };
  },
);

const translations: readonly OtlpConfig['translationStrategy'][] = [
  'UnderscoreEscapingWithSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
];
const newerTranslation = 'UnderscoreEscapingWithoutSuffixes';

const translation: Decoder<OtlpConfig['translationStrategy']> = decode.fromText<
  OtlpConfig['translationStrategy']
>('UnderscoreEscapingWithSuffixes', (text, scope) => {
  if (text === newerTranslation && scope.context.compatibility !== '3.5') return newerTranslation;
  const found = translations.find((name) => name === text);
  if (found === undefined && text !== '') {
    throw new Error(`unsupported OTLP translation strategy "${text}"`);
  }
  return found ?? 'UnderscoreEscapingWithSuffixes';
});

/** `otlp`. */
export const otlpConfig: ObjectDecoder<OtlpConfig> = decode.section<OtlpConfig, OtlpConfig>(
  {
    promoteAllResourceAttributes: field('promote_all_resource_attributes', bool),
    promoteResourceAttributes: field('promote_resource_attributes', list(string)),
    ignoreResourceAttributes: field('ignore_resource_attributes', list(string)),
    translationStrategy: field('translation_strategy', translation),
    keepIdentifyingResourceAttributes: field('keep_identifying_resource_attributes', bool),
    convertHistogramsToNhcb: field('convert_histograms_to_nhcb', bool),
    promoteScopeMetadata: newerField('promote_scope_metadata', bool),
    labelNameUnderscoreSanitization: newerField('label_name_underscore_sanitization', bool, true),
    labelNamePreserveMultipleUnderscores: newerField('label_name_preserve_multiple_underscores', bool, true),
  },
  (raw, report) => {
    const all = raw.promoteAllResourceAttributes;
    if (all && raw.promoteResourceAttributes.length > 0) {
      report(
        "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously",
        'promote_resource_attributes',
      );
    }
    if (!all && raw.ignoreResourceAttributes.length > 0) {
      report(
        "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true",
        'ignore_resource_attributes',
      );
    }
    return {
      ...raw,
      promoteResourceAttributes: attributes(
        raw.promoteResourceAttributes,
        'promoted',
        'promote_resource_attributes',
        report,
      ),
      ignoreResourceAttributes: attributes(
        raw.ignoreResourceAttributes,
        'ignored',
        'ignore_resource_attributes',
        report,
      ),
    };
  },
);

/** The attributes without blanks around them; empty and repeated ones are reported. */
function attributes(
  names: readonly string[],
  adjective: string,
  yamlField: string,
  report: Report,
): readonly string[] {
  const seen = new Set<string>();
  for (const name of names.map((attribute) => attribute.trim())) {
    if (name === '') report(`empty ${adjective} OTel resource attribute`, yamlField);
    else if (seen.has(name)) {
      report(`duplicated ${adjective} OTel resource attribute "${name}"`, yamlField);
    }
    seen.add(name);
  }
  return [...seen];
}
