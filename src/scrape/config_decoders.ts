// Decoders of `global` and of `scrape_configs` entries, and the step that lets entries inherit from `global`.
// Which discovery sections exist is another room's business: their decoder comes as an argument.
import {
  type Decoder,
  decode,
  type FieldSpec,
  httpClient,
  type InlineDecoder,
  legacyNameProblem,
  type ObjectDecoder,
  type Report,
  relabelConfigs,
} from '../model/index.ts';
import type {
  GlobalConfig,
  NameEscapingScheme,
  NameValidationScheme,
  ScrapeConfig,
  ScrapeProtocol,
} from './config_types.ts';
import { noScrapeFeatures } from './features.ts';
import { defaultProtocols, protoFirstProtocols } from './protocols.ts';

const { field, newerField, string, bool, duration, uint, byteSize } = decode;

const protocols: readonly ScrapeProtocol[] = [
  'PrometheusProto',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
];

const supported = `supported: [${protocols.toSorted().join(' ')}]`;

/** A protocol's name; unknown ones are kept until the whole list is checked. */
const protocolList: Decoder<readonly string[] | undefined> = decode.optionalList(string);

/** What is wrong with a list of protocols, or the list. */
function checkProtocols(names: readonly string[], report: Report): readonly ScrapeProtocol[] {
  const known: ScrapeProtocol[] = [];
  const seen = new Set<string>();
  if (names.length === 0) report('scrape_protocols cannot be empty', 'scrape_protocols');
  for (const name of names) {
    const protocol = protocols.find((candidate) => candidate === name);
    if (protocol === undefined) report(`unknown scrape protocol ${name}, ${supported}`, 'scrape_protocols');
    else known.push(protocol);
    if (seen.has(name.toLowerCase())) {
      report(`duplicated protocol in scrape_protocols, got [${names.join(' ')}]`, 'scrape_protocols');
    }
    seen.add(name.toLowerCase());
  }
  return known;
}

interface Limits {
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly keepDroppedTargets: number;
}

const limitFields = {
  bodySizeLimitBytes: field('body_size_limit', byteSize),
  sampleLimit: field('sample_limit', uint),
  targetLimit: field('target_limit', uint),
  labelLimit: field('label_limit', uint),
  labelNameLengthLimit: field('label_name_length_limit', uint),
  labelValueLengthLimit: field('label_value_length_limit', uint),
  keepDroppedTargets: field('keep_dropped_targets', uint),
} satisfies { readonly [K in keyof Limits]: FieldSpec<number> };

/** Fields that `global` and the entries both have and whose absence means something. */
interface Inheritable {
  readonly scrapeProtocols: readonly string[] | undefined;
  readonly metricNameValidationScheme: string;
  readonly metricNameEscapingScheme: string;
  readonly scrapeFailureLogFile: string;
}

const inheritableFields = {
  scrapeProtocols: field('scrape_protocols', protocolList),
  metricNameValidationScheme: field('metric_name_validation_scheme', string),
  metricNameEscapingScheme: field('metric_name_escaping_scheme', string),
  scrapeFailureLogFile: field('scrape_failure_log_file', decode.filePath),
};

interface RawGlobal extends Limits, Inheritable {
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  readonly evaluationIntervalMs: number;
  readonly ruleQueryOffsetMs: number;
  readonly queryLogFile: string;
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly scrapeNativeHistograms: boolean | undefined;
  readonly extraScrapeMetrics: boolean | undefined;
}

const minuteMs = 60_000;
const defaultScrapeTimeoutMs = 10_000;

/** A label's value must be text; its name must not be empty. */
const labelValue: Decoder<string> = decode.fromText('', (text) => {
  if (!text.isWellFormed()) throw new Error(`${JSON.stringify(text)} is not a valid label value`);
  return text;
});

/** The `global` section. */
export const globalConfig: ObjectDecoder<GlobalConfig> = decode.section<RawGlobal, GlobalConfig>(
  {
    scrapeIntervalMs: field('scrape_interval', duration),
    scrapeTimeoutMs: field('scrape_timeout', duration),
    evaluationIntervalMs: field('evaluation_interval', duration),
    ruleQueryOffsetMs: field('rule_query_offset', duration),
    queryLogFile: field('query_log_file', decode.filePath),
    externalLabels: field('external_labels', decode.map(labelValue, decode.labelName)),
    convertClassicHistogramsToNhcb: field('convert_classic_histograms_to_nhcb', bool),
    alwaysScrapeClassicHistograms: field('always_scrape_classic_histograms', bool),
    scrapeNativeHistograms: newerField('scrape_native_histograms', decode.optional(bool)),
    extraScrapeMetrics: newerField('extra_scrape_metrics', decode.optional(bool)),
    ...inheritableFields,
    ...limitFields,
  },
  (raw, report, scope) => {
    const { scrapeNativeHistograms = false, extraScrapeMetrics = false, ...rest } = raw;
    const scrapeIntervalMs = raw.scrapeIntervalMs === 0 ? minuteMs : raw.scrapeIntervalMs;
    if (raw.scrapeTimeoutMs > scrapeIntervalMs) {
      report('global scrape timeout greater than scrape interval', 'scrape_timeout');
    }
    const scrapeTimeoutMs =
      raw.scrapeTimeoutMs === 0 ? Math.min(defaultScrapeTimeoutMs, scrapeIntervalMs) : raw.scrapeTimeoutMs;
    const validation = validationScheme(raw.metricNameValidationScheme, 'utf8', 'global', report);
    return {
      ...rest,
      scrapeIntervalMs,
      scrapeTimeoutMs,
      evaluationIntervalMs: raw.evaluationIntervalMs === 0 ? minuteMs : raw.evaluationIntervalMs,
      scrapeProtocols:
        raw.scrapeProtocols === undefined
          ? scrapeNativeHistograms
            ? protoFirstProtocols
            : defaultProtocols
          : checkProtocols(raw.scrapeProtocols, report),
      metricNameValidationScheme: validation,
      metricNameEscapingScheme: escapingScheme(
        raw.metricNameEscapingScheme,
        validation === 'legacy' ? 'underscores' : 'allow-utf-8',
        'global',
        report,
      ),
      externalLabels: expandLabels(raw.externalLabels, scope?.context.environment ?? {}),
      scrapeNativeHistograms,
      extraScrapeMetrics,
    };
  },
);

const variable = /\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*|[*#$@!?\-0-9]))?/g;

/** `$NAME` and `${NAME}` are replaced by the environment's values, unset ones by nothing; `$$` is a dollar. */
function expandLabels(
  labels: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      name,
      value.replace(variable, (whole: string, braced?: string, bare?: string) => {
        const wanted = braced ?? bare;
        // A dollar before anything else stands for itself.
        if (wanted === undefined) return whole;
        return wanted === '$' ? '$' : (environment[wanted] ?? '');
      }),
    ]),
  );
}

function validationScheme(
  text: string,
  inherited: NameValidationScheme,
  where: string,
  report: Report,
): NameValidationScheme {
  if (text === '') return inherited;
  if (text === 'utf8' || text === 'legacy') return text;
  report(
    `unknown ${where} name validation method specified, must be either 'legacy' or 'utf8', got ${text}`,
    'metric_name_validation_scheme',
  );
  return inherited;
}

const escapings: readonly NameEscapingScheme[] = ['allow-utf-8', 'underscores', 'dots', 'values'];

function escapingScheme(
  text: string,
  inherited: NameEscapingScheme,
  where: string,
  report: Report,
): NameEscapingScheme {
  if (text === '') return inherited;
  const found = escapings.find((scheme) => scheme === text);
  if (found === undefined) {
    report(
      `unknown ${where} name escaping method specified, must be one of '${escapings.join("', '")}', got ${text}`,
      'metric_name_escaping_scheme',
    );
  }
  return found ?? inherited;
}

/** An entry as written, before it inherits. */
interface RawScrape<Discovery> extends Limits, Inheritable {
  readonly jobName: string;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  readonly fallbackScrapeProtocol: string;
  readonly alwaysScrapeClassicHistograms: boolean | undefined;
  readonly convertClassicHistogramsToNhcb: boolean | undefined;
  readonly scrapeNativeHistograms: boolean | undefined;
  readonly extraScrapeMetrics: boolean | undefined;
  readonly metricsPath: string;
  readonly scheme: string;
  readonly enableCompression: boolean;
  readonly nativeHistogramBucketLimit: number;
  readonly nativeHistogramMinBucketFactor: number;
  readonly httpClientConfig: ScrapeConfig['httpClientConfig'];
  readonly serviceDiscoveryConfigs: readonly Discovery[];
  readonly relabelConfigs: ScrapeConfig['relabelConfigs'];
  readonly metricRelabelConfigs: ScrapeConfig['metricRelabelConfigs'];
}

/** An entry that is waiting for `global`: inherits, reports what does not fit, at the entry's own lines. */
export interface PendingScrapeConfig<Discovery> {
  readonly jobName: string;
  readonly resolve: (global: GlobalConfig) => ScrapeConfig<Discovery>;
  /** Reports a problem of this entry, after it was decoded. */
  readonly report: Report;
}

/**
 * One entry of `scrape_configs`. `discovery` reads the `*_sd_configs` among its fields; `staticTargets` gives
 * the addresses written in the file itself, which are checked where no relabeling may change them.
 */
export function scrapeConfig<Discovery>(
  discovery: InlineDecoder<readonly Discovery[]>,
  checkStaticTargets: (configs: readonly Discovery[]) => string | undefined,
): ObjectDecoder<PendingScrapeConfig<Discovery>> {
  return decode.section<RawScrape<Discovery>, PendingScrapeConfig<Discovery>>(
    {
      jobName: field('job_name', string),
      honorLabels: field('honor_labels', bool),
      honorTimestamps: field('honor_timestamps', bool, true),
      trackTimestampsStaleness: field('track_timestamps_staleness', bool),
      params: field('params', decode.map(decode.list(string))),
      scrapeIntervalMs: field('scrape_interval', duration),
      scrapeTimeoutMs: field('scrape_timeout', duration),
      fallbackScrapeProtocol: field('fallback_scrape_protocol', string),
      alwaysScrapeClassicHistograms: field('always_scrape_classic_histograms', decode.optional(bool)),
      convertClassicHistogramsToNhcb: field('convert_classic_histograms_to_nhcb', decode.optional(bool)),
      scrapeNativeHistograms: newerField('scrape_native_histograms', decode.optional(bool)),
      extraScrapeMetrics: newerField('extra_scrape_metrics', decode.optional(bool)),
      metricsPath: field('metrics_path', string, '/metrics'),
      scheme: field('scheme', string, 'http'),
      enableCompression: field('enable_compression', bool, true),
      nativeHistogramBucketLimit: field('native_histogram_bucket_limit', uint),
      nativeHistogramMinBucketFactor: field('native_histogram_min_bucket_factor', decode.float),
      httpClientConfig: decode.inline(httpClient()),
      serviceDiscoveryConfigs: decode.inline(discovery),
      relabelConfigs: field(
        'relabel_configs',
        relabelConfigs('empty or null target relabeling rule in scrape config'),
      ),
      metricRelabelConfigs: field(
        'metric_relabel_configs',
        relabelConfigs('empty or null metric relabeling rule in scrape config'),
      ),
      ...inheritableFields,
      ...limitFields,
    },
    (raw, report, scope) => {
      if (raw.jobName === '') report('job_name is empty', 'job_name');
      if (raw.relabelConfigs.length === 0) {
        const problem = checkStaticTargets(raw.serviceDiscoveryConfigs);
        if (problem !== undefined) report(problem, 'static_configs');
      }
      // Up to 3.5 an entry that only asks for legacy names contradicts the escaping it inherits.
      const isNewer = scope?.context.compatibility !== '3.5';
      return { jobName: raw.jobName, report, resolve: (global) => inherit(raw, global, isNewer, report) };
    },
  );
}

function inherit<Discovery>(
  raw: RawScrape<Discovery>,
  global: GlobalConfig,
  isNewer: boolean,
  report: Report,
): ScrapeConfig<Discovery> {
  const { fallbackScrapeProtocol, ...rest } = raw;
  const scrapeIntervalMs = raw.scrapeIntervalMs === 0 ? global.scrapeIntervalMs : raw.scrapeIntervalMs;
  if (raw.scrapeTimeoutMs > scrapeIntervalMs) {
    report(
      `scrape timeout greater than scrape interval for scrape config with job name "${raw.jobName}"`,
      'scrape_timeout',
    );
  }
  const validation = validationScheme(
    raw.metricNameValidationScheme,
    global.metricNameValidationScheme,
    'scrape config',
    report,
  );
  // Up to 3.5 rules may make names that such a job does not take.
  if (validation === 'legacy' && isNewer) {
    for (const [rules, yamlField] of [
      [raw.relabelConfigs, 'relabel_configs'],
      [raw.metricRelabelConfigs, 'metric_relabel_configs'],
    ] as const) {
      for (const problem of rules.flatMap((rule) => legacyNameProblem(rule) ?? []))
        report(problem, yamlField);
    }
  }
  const scrapeNativeHistograms = raw.scrapeNativeHistograms ?? global.scrapeNativeHistograms;
  return {
    ...rest,
    ...inheritLimits(raw, global),
    scrapeIntervalMs,
    scrapeTimeoutMs:
      raw.scrapeTimeoutMs === 0 ? Math.min(global.scrapeTimeoutMs, scrapeIntervalMs) : raw.scrapeTimeoutMs,
    scrapeProtocols:
      raw.scrapeProtocols === undefined
        ? inheritProtocols(raw, global)
        : checkProtocols(raw.scrapeProtocols, report),
    fallbackScrapeProtocol: fallback(fallbackScrapeProtocol, report),
    scrapeFailureLogFile: raw.scrapeFailureLogFile || global.scrapeFailureLogFile,
    alwaysScrapeClassicHistograms: raw.alwaysScrapeClassicHistograms ?? global.alwaysScrapeClassicHistograms,
    convertClassicHistogramsToNhcb:
      raw.convertClassicHistogramsToNhcb ?? global.convertClassicHistogramsToNhcb,
    scrapeNativeHistograms,
    features: noScrapeFeatures,
    extraScrapeMetrics: raw.extraScrapeMetrics ?? global.extraScrapeMetrics,
    metricNameValidationScheme: validation,
    metricNameEscapingScheme: inheritEscaping(raw, global, validation, isNewer, report),
  };
}

/** `scrape_native_histograms` of an entry's own moves protobuf to the front, or away from it. */
function inheritProtocols(
  raw: { readonly scrapeNativeHistograms: boolean | undefined },
  global: GlobalConfig,
): readonly ScrapeProtocol[] {
  const own = raw.scrapeNativeHistograms;
  if (own === undefined || own === global.scrapeNativeHistograms) return global.scrapeProtocols;
  const [from, to] = own ? [defaultProtocols, protoFirstProtocols] : [protoFirstProtocols, defaultProtocols];
  return global.scrapeProtocols === from ? to : global.scrapeProtocols;
}

function inheritEscaping(
  raw: Inheritable,
  global: GlobalConfig,
  validation: NameValidationScheme,
  isNewer: boolean,
  report: Report,
): NameEscapingScheme {
  const own = validation === 'legacy' ? 'underscores' : 'allow-utf-8';
  const escaping = escapingScheme(
    raw.metricNameEscapingScheme,
    isNewer && raw.metricNameValidationScheme !== '' ? own : global.metricNameEscapingScheme,
    'scrape config',
    report,
  );
  if (escaping === 'allow-utf-8' && validation === 'legacy') {
    report(
      'utf8 metric names requested but validation scheme is not set to UTF8',
      raw.metricNameEscapingScheme === '' ? 'metric_name_validation_scheme' : 'metric_name_escaping_scheme',
    );
  }
  return escaping;
}

function inheritLimits(own: Limits, global: Limits): Limits {
  return {
    bodySizeLimitBytes: own.bodySizeLimitBytes || global.bodySizeLimitBytes,
    sampleLimit: own.sampleLimit || global.sampleLimit,
    targetLimit: own.targetLimit || global.targetLimit,
    labelLimit: own.labelLimit || global.labelLimit,
    labelNameLengthLimit: own.labelNameLengthLimit || global.labelNameLengthLimit,
    labelValueLengthLimit: own.labelValueLengthLimit || global.labelValueLengthLimit,
    keepDroppedTargets: own.keepDroppedTargets || global.keepDroppedTargets,
  };
}

function fallback(name: string, report: Report): ScrapeProtocol | undefined {
  if (name === '') return undefined;
  const protocol = protocols.find((candidate) => candidate === name);
  if (protocol === undefined) {
    report(`unknown scrape protocol ${name}, ${supported}`, 'fallback_scrape_protocol');
  }
  return protocol;
}
