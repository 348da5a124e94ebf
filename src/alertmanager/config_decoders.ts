// The whole of alertmanager.yml: sections composed, receivers given what they inherit, references between
// sections checked as Alertmanager checks them.
import {
  ConfigError,
  type DecodeOptions,
  type Decoder,
  decode,
  decodeYaml,
  type HttpClientConfig,
  httpClient,
  httpHeaders,
  type ObjectDecoder,
  type Report,
  tlsConfig,
} from '../model/index.ts';
import {
  discordConfig,
  mattermostConfig,
  msTeamsConfig,
  msTeamsV2Config,
  rocketchatConfig,
  slackConfig,
  telegramConfig,
  webexConfig,
  wechatConfig,
} from './config_chat.ts';
import { type Pending, secretUrl } from './config_common.ts';
import { globalConfig } from './config_global.ts';
import { namedIntervals } from './config_intervals.ts';
import {
  emailConfig,
  incidentioConfig,
  jiraConfig,
  opsGenieConfig,
  pagerdutyConfig,
  pushoverConfig,
  snsConfig,
  victorOpsConfig,
  webhookConfig,
} from './config_paging.ts';
import type { NotifierConfigs, OtherNotifierConfigs } from './config_receivers.ts';
import { inhibitRule, type PlacedRoute, route } from './config_routes.ts';
import type {
  AlertmanagerConfig,
  AlertmanagerGlobalConfig,
  NamedTimeInterval,
  Receiver,
} from './config_types.ts';

const { field, string, bool, int, float, duration, list, map, optional } = decode;

export interface AlertmanagerOptions extends DecodeOptions {
  /** Says what is wrong with a template's syntax, if anything. Default: nothing ever is. */
  readonly validateTemplate?: (text: string) => string | undefined;
}

/** A loaded alertmanager.yml: what the core works with, and what is shown of the file. */
export interface LoadedAlertmanagerConfig extends AlertmanagerConfig {
  /** The file's text with every secret replaced by `<secret>`. */
  readonly shownYaml: string;
}

type AllNotifiers = Required<NotifierConfigs>;
type PendingLists = {
  readonly [K in keyof AllNotifiers]: readonly Pending<AllNotifiers[K][number]>[];
};

/** A receiver that has not inherited yet. */
interface PendingReceiver {
  readonly name: string;
  readonly report: Report;
  readonly resolve: (global: AlertmanagerGlobalConfig) => Receiver;
}

type RawReceiver = PendingLists & {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
};

function listOf<T>(what: string, decoder: Decoder<T>): Decoder<readonly T[]> {
  return list(decoder, { nullItem: `missing ${what} config` });
}

function receiver(validateTemplate: (text: string) => string | undefined): ObjectDecoder<PendingReceiver> {
  return decode.section<RawReceiver, PendingReceiver>(
    {
      name: field('name', string),
      labels: field('labels', map(string)),
      discordConfigs: field('discord_configs', listOf('discord', discordConfig)),
      emailConfigs: field('email_configs', listOf('email', emailConfig)),
      incidentioConfigs: field('incidentio_configs', listOf('incidentio', incidentioConfig)),
      jiraConfigs: field('jira_configs', listOf('jira', jiraConfig)),
      mattermostConfigs: field('mattermost_configs', listOf('mattermost', mattermostConfig)),
      msteamsConfigs: field('msteams_configs', listOf('msteams', msTeamsConfig)),
      msteamsv2Configs: field('msteamsv2_configs', listOf('msteamsv2', msTeamsV2Config)),
      opsgenieConfigs: field('opsgenie_configs', listOf('opsgenie', opsGenieConfig(validateTemplate))),
      pagerdutyConfigs: field('pagerduty_configs', listOf('pagerduty', pagerdutyConfig)),
      pushoverConfigs: field('pushover_configs', listOf('pushover', pushoverConfig)),
      rocketchatConfigs: field('rocketchat_configs', listOf('rocketchat', rocketchatConfig)),
      slackConfigs: field('slack_configs', listOf('slack', slackConfig)),
      snsConfigs: field('sns_configs', listOf('sns', snsConfig)),
      telegramConfigs: field('telegram_configs', listOf('telegram', telegramConfig)),
      victoropsConfigs: field('victorops_configs', listOf('victorops', victorOpsConfig)),
      webexConfigs: field('webex_configs', listOf('webex', webexConfig)),
      webhookConfigs: field('webhook_configs', listOf('webhook', webhookConfig(validateTemplate))),
      wechatConfigs: field('wechat_configs', listOf('wechat', wechatConfig)),
    },
    finishReceiver,
  );
}

function finishReceiver(raw: RawReceiver, report: Report): PendingReceiver {
  const { name, labels, ...lists } = raw;
  if (name === '') report('missing name in receiver', 'name');
  const labelled = labels['name'];
  if (labelled !== undefined && labelled !== name) {
    report(`receiver label "name" must match receiver name "${name}", got "${labelled}"`, 'labels');
  }
  return {
    name,
    report,
    resolve: (global) => ({ name, labels: { ...labels, name }, ...resolveLists(lists, global) }),
  };
}

function resolveLists(lists: PendingLists, global: AlertmanagerGlobalConfig): AllNotifiers {
  const resolved = Object.entries(lists).map(([key, pending]) => [
    key,
    (pending as readonly Pending<unknown>[]).map(({ resolve }) => resolve(global)),
  ]);
  // Each list keeps its key, and each Pending resolves to that key's element.
  return Object.fromEntries(resolved) as AllNotifiers & OtherNotifierConfigs;
}

interface RawConfig {
  readonly global: AlertmanagerGlobalConfig;
  readonly route: PlacedRoute | undefined;
  readonly inhibitRules: AlertmanagerConfig['inhibitRules'];
  readonly receivers: readonly PendingReceiver[];
  readonly templates: readonly string[];
  readonly muteTimeIntervals: readonly NamedTimeInterval[];
  readonly timeIntervals: readonly NamedTimeInterval[];
  readonly tracing: unknown;
  readonly eventRecorder: unknown;
}

/** null for the whole section means the defaults, as when it is absent. */
const globalOrDefaults: Decoder<AlertmanagerGlobalConfig> = {
  zero: globalConfig.initial(),
  decode: (node, scope) => globalConfig.decode(node, scope),
};

function mainConfig(
  validateTemplate: (text: string) => string | undefined,
): ObjectDecoder<AlertmanagerConfig> {
  return decode.section<RawConfig, AlertmanagerConfig>(
    {
      global: field('global', globalOrDefaults),
      route: field('route', optional(route)),
      inhibitRules: field('inhibit_rules', list(inhibitRule)),
      receivers: field(
        'receivers',
        list(receiver(validateTemplate), { nullItem: 'missing name in receiver' }),
      ),
      templates: field('templates', list(decode.filePath)),
      muteTimeIntervals: field('mute_time_intervals', namedIntervals('mute time interval')),
      timeIntervals: field('time_intervals', namedIntervals('time interval')),
      tracing: field('tracing', optional(tracing)),
      eventRecorder: field('event_recorder', optional(eventRecorder)),
    },
    finishConfig,
  );
}

function finishConfig(raw: RawConfig, report: Report): AlertmanagerConfig {
  const names = new Set<string>();
  const receivers = raw.receivers.map((pending) => {
    if (names.has(pending.name)) {
      pending.report(`notification config name "${pending.name}" is not unique`, 'name');
    }
    names.add(pending.name);
    return pending.resolve(raw.global);
  });
  const intervalNames = checkIntervalNames(raw, report);
  if (raw.route === undefined) report('no routes provided');
  else checkRoot(raw.route, names, intervalNames);
  return {
    global: raw.global,
    route: raw.route?.route ?? route.zero.route,
    inhibitRules: raw.inhibitRules,
    receivers,
    templates: raw.templates,
    timeIntervals: [...raw.muteTimeIntervals, ...raw.timeIntervals],
  };
}

function checkIntervalNames(raw: RawConfig, report: Report): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [yamlField, what, intervals] of [
    ['mute_time_intervals', 'mute time interval', raw.muteTimeIntervals],
    ['time_intervals', 'time interval', raw.timeIntervals],
  ] as const) {
    for (const { name } of intervals) {
      if (names.has(name)) report(`${what} "${name}" is not unique`, yamlField);
      names.add(name);
    }
  }
  return names;
}

function checkRoot(root: PlacedRoute, receivers: ReadonlySet<string>, intervals: ReadonlySet<string>): void {
  const { receiver: name, muteTimeIntervals, activeTimeIntervals, continue: goesOn } = root.route;
  const { report } = root;
  if (name === '') report('root route must specify a default receiver');
  if (root.hasMatchers) report('root route must not have any matchers', 'matchers');
  if (muteTimeIntervals.length > 0) {
    report('root route must not have any mute time intervals', 'mute_time_intervals');
  }
  if (activeTimeIntervals.length > 0) {
    report('root route must not have any active time intervals', 'active_time_intervals');
  }
  if (goesOn) report('cannot have continue in root route', 'continue');
  checkReferences(root, receivers, intervals);
}

function checkReferences(
  { route: node, report, children }: PlacedRoute,
  receivers: ReadonlySet<string>,
  intervals: ReadonlySet<string>,
): void {
  if (node.receiver !== '' && !receivers.has(node.receiver)) {
    report(`undefined receiver "${node.receiver}" used in route`, 'receiver');
  }
  for (const [yamlField, names] of [
    ['mute_time_intervals', node.muteTimeIntervals],
    ['active_time_intervals', node.activeTimeIntervals],
  ] as const) {
    for (const name of names) {
      if (!intervals.has(name)) report(`undefined time interval "${name}" used in route`, yamlField);
    }
  }
  for (const child of children) checkReferences(child, receivers, intervals);
}

interface Tracing {
  readonly clientType: string | undefined;
  readonly endpoint: string;
  readonly samplingFraction: number;
  readonly insecure: boolean;
  readonly tlsConfig: unknown;
  readonly headers: unknown;
  readonly compression: string;
  readonly timeoutMs: number;
}

/** Read so that a mistake is found; tracing itself is the node's, configured in prometheus.yml. */
const tracing = decode.object<Tracing>(
  {
    clientType: field<string | undefined>(
      'client_type',
      decode.oneOf(
        ['http', 'grpc'],
        (text) => `expected tracing client type to be to be http or grpc, but got ${text}`,
      ),
    ),
    endpoint: field('endpoint', string),
    samplingFraction: field('sampling_fraction', float),
    insecure: field('insecure', bool),
    tlsConfig: field<unknown>('tls_config', tlsConfig),
    headers: field<unknown>('headers', httpHeaders),
    compression: field('compression', string),
    timeoutMs: field('timeout', duration),
  },
  ({ endpoint, compression }, report) => {
    if (endpoint === '') report('tracing endpoint must be set', 'endpoint');
    if (compression !== '' && compression !== 'gzip') {
      report(`invalid compression type ${compression} provided, valid options: gzip`, 'compression');
    }
  },
);

const fileOutput = decode.object<{ readonly path: string }>(
  { path: field('path', decode.filePath) },
  ({ path }, report) => {
    if (path === '') report('event_recorder file output requires a path', 'path');
  },
);

interface WebhookOutput {
  readonly url: string;
  readonly httpConfig: HttpClientConfig | undefined;
  readonly timeoutMs: number;
  readonly workers: number;
  readonly maxRetries: number;
  readonly retryBackoffMs: number;
}

const webhookOutput = decode.object<WebhookOutput>(
  {
    url: field('url', secretUrl),
    httpConfig: field('http_config', optional(httpClient())),
    timeoutMs: field('timeout', duration),
    workers: field('workers', int),
    maxRetries: field('max_retries', int),
    retryBackoffMs: field('retry_backoff', duration),
  },
  ({ url }, report) => {
    if (url === '') report('event_recorder webhook output requires a url', 'url');
    else if (!url.startsWith('http')) {
      report('event_recorder webhook output requires an absolute http(s) url', 'url');
    }
  },
);

interface KafkaOutput {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly clientId: string;
  readonly format: string;
  readonly acks: string;
  readonly compression: string;
  readonly bufferSize: number;
  readonly tlsConfig: unknown;
}

const kafkaOutput = decode.object<KafkaOutput>(
  {
    brokers: field('brokers', list(string)),
    topic: field('topic', string),
    clientId: field('client_id', string),
    format: field('format', string),
    acks: field('acks', string),
    compression: field('compression', string),
    bufferSize: field('buffer_size', int),
    tlsConfig: field<unknown>('tls_config', tlsConfig),
  },
  ({ brokers, topic, format, acks, compression }, report) => {
    if (brokers.length === 0 || brokers.includes('')) {
      report('event_recorder kafka: brokers must be given and not be empty', 'brokers');
    }
    if (topic === '') report('event_recorder kafka output requires a topic', 'topic');
    if (!['', 'json', 'protobuf'].includes(format)) report(`unknown kafka format "${format}"`, 'format');
    if (!['', 'none', 'leader', 'all'].includes(acks)) report(`unknown kafka acks "${acks}"`, 'acks');
    if (!['', 'none', 'gzip', 'snappy', 'lz4', 'zstd'].includes(compression)) {
      report(`unknown kafka compression "${compression}"`, 'compression');
    }
  },
);

/** Read so that a mistake is found; events are not recorded. */
const eventRecorder = decode.object<{
  readonly fileOutputs: readonly unknown[];
  readonly webhookOutputs: readonly unknown[];
  readonly kafkaOutputs: readonly unknown[];
}>({
  fileOutputs: field<readonly unknown[]>('file_outputs', list(fileOutput)),
  webhookOutputs: field<readonly unknown[]>('webhook_outputs', list(webhookOutput)),
  kafkaOutputs: field<readonly unknown[]>('kafka_outputs', list(kafkaOutput)),
});

/** Reads the text of an alertmanager.yml. Throws ConfigError with everything that is wrong. */
export function parseAlertmanagerConfig(
  text: string,
  options: AlertmanagerOptions,
): LoadedAlertmanagerConfig {
  const decoder = decode.optional(mainConfig(options.validateTemplate ?? (() => undefined)));
  const { value, shownYaml } = decodeYaml(text, decoder, options);
  if (value === undefined) {
    const problem = { line: 1, column: 1, field: 'route', message: 'no route provided in config' };
    throw new ConfigError(options.file, [problem]);
  }
  return { ...value, shownYaml };
}
