// Every flag of `torchring node` in one table: name, value, default, help, and whether it does anything yet.
// Names and defaults are Prometheus' own where Prometheus has the flag.
import { isIP } from 'node:net';
import { logLevels } from '../base/index.ts';
import { AnchoredRegex, formatDuration, parseByteSize, parseDuration, parseGoUrl } from '../model/index.ts';
import type { NodeFlags } from './flags.ts';

/** One flag. `parse` throws an Error with what is wrong with the text. */
export interface FlagSpec<T> {
  readonly name: string;
  readonly group: FlagGroup;
  readonly help: string;
  /** What stands for the value in help; none for a switch. */
  readonly value?: string;
  readonly initial: T;
  readonly parse: (text: string) => T;
  /** Given again, it adds to a list; in the environment its values stand between commas. */
  readonly repeatable?: boolean;
  /** The value names a file that must exist when given. */
  readonly isFile?: boolean;
  /** What is not done yet about this value, if anything; said at start. */
  readonly notYet?: (value: T) => string | undefined;
}

export type FlagGroup =
  | 'Configuration'
  | 'Web'
  | 'Storage'
  | 'Queries'
  | 'Scraping'
  | 'Rules and alerting'
  | 'Cluster'
  | 'Logging and features';

export type FlagTable = { readonly [K in keyof NodeFlags]: FlagSpec<NodeFlags[K]> };

const identity = (text: string): string => text;

function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}`);
    return found;
  };
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** A truth value as Go's ParseBool takes it. */
export function parseSwitch(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False', ''].includes(text)) return false;
  throw new Error('must be true or false');
}

const portMax = 65_535;

/** `host:port` where the host may be empty, an IPv6 address in brackets, or a name. */
function parseAddress(text: string): string {
  const found = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(text);
  const [, bracketed, , port = ''] = found ?? [];
  if (found === null || Number(port) > portMax || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    throw new Error('must be host:port');
  }
  return text;
}

function pattern(text: string): string {
  AnchoredRegex.compile(text);
  return text;
}

function optionalAddress(text: string): string {
  return text === '' ? text : parseAddress(text);
}

function addresses(text: string): readonly string[] {
  return [parseAddress(text)];
}

/** A peer: `host:port`, or a bare name for the default port. */
function peers(text: string): readonly string[] {
  if (text.includes(':')) return [parseAddress(text)];
  if (!/^[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?$/.test(text))
    throw new Error('must be host:port or a name');
  return [text];
}

function externalUrl(text: string): string {
  if (text === '') return text;
  const { scheme, host } = parseGoUrl(text);
  if ((scheme !== 'http' && scheme !== 'https') || host === '') {
    throw new Error('must be an http or https URL');
  }
  return text;
}

function identifier(text: string): string {
  if (text !== '' && !/^[A-Za-z0-9]([-A-Za-z0-9._]{0,62})$/.test(text)) {
    throw new Error('must be letters, digits, dots, dashes and underscores, at most 63');
  }
  return text;
}

const whenSet =
  (what: string) =>
  (value: string | number | boolean): string | undefined =>
    value === '' || value === 0 || value === false ? undefined : what;

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const workersMax = 64;
const shardsMax = 4096;
const nodesMax = 1000;

const writeMessages = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const;

export const flagTable: FlagTable = {
  configFile: {
    name: 'config.file',
    group: 'Configuration',
    help: 'Prometheus configuration file.',
    value: 'path',
    initial: 'prometheus.yml',
    parse: identity,
    isFile: true,
  },
  configAutoReloadIntervalMs: {
    name: 'config.auto-reload-interval',
    group: 'Configuration',
    help: 'How often to look whether a configuration file has changed, with --enable-feature=auto-reload-config.',
    value: 'duration',
    initial: 30_000,
    parse: parseDuration,
  },
  alertmanagerConfigFile: {
    name: 'alertmanager.config.file',
    group: 'Configuration',
    help: 'Alertmanager configuration file; without it the cluster sends no notifications itself.',
    value: 'path',
    initial: '',
    parse: identity,
    isFile: true,
  },
  webListenAddresses: {
    name: 'web.listen-address',
    group: 'Web',
    help: 'Address of the HTTP API. Can be repeated.',
    value: 'host:port',
    initial: ['0.0.0.0:9090'],
    parse: addresses,
    repeatable: true,
  },
  webConfigFile: {
    name: 'web.config.file',
    group: 'Web',
    help: 'File that can enable TLS or authentication.',
    value: 'path',
    initial: '',
    parse: identity,
    isFile: true,
  },
  webReadTimeoutMs: {
    name: 'web.read-timeout',
    group: 'Web',
    help: 'Longest time that a request may take to arrive, and that a connection may be idle.',
    value: 'duration',
    initial: 300_000,
    parse: parseDuration,
  },
  webMaxConnections: {
    name: 'web.max-connections',
    group: 'Web',
    help: 'Most connections at a time to each address of the HTTP API; further ones are closed.',
    value: 'n',
    initial: 512,
    parse: wholeNumber(1, 1_000_000),
  },
  webMaxNotificationsSubscribers: {
    name: 'web.max-notifications-subscribers',
    group: 'Web',
    help: 'Most listeners of live notifications at a time.',
    value: 'n',
    initial: 16,
    parse: wholeNumber(0, 10_000),
  },
  webEnableLifecycle: {
    name: 'web.enable-lifecycle',
    group: 'Web',
    help: 'Allow reload and shutdown by HTTP request.',
    initial: false,
    parse: parseSwitch,
  },
  webEnableAdminApi: {
    name: 'web.enable-admin-api',
    group: 'Web',
    help: 'Allow the API endpoints for administration.',
    initial: false,
    parse: parseSwitch,
  },
  webEnableRemoteWriteReceiver: {
    name: 'web.enable-remote-write-receiver',
    group: 'Web',
    help: 'Accept samples by remote write.',
    initial: false,
    parse: parseSwitch,
  },
  webRemoteWriteMessages: {
    name: 'web.remote-write-receiver.accepted-protobuf-messages',
    group: 'Web',
    help: 'Protobuf messages that the remote write receiver takes. Can be repeated.',
    value: 'name',
    initial: writeMessages,
    parse: (text) => [oneOf(writeMessages)(text)],
    repeatable: true,
  },
  webEnableOtlpReceiver: {
    name: 'web.enable-otlp-receiver',
    group: 'Web',
    help: 'Accept metrics by OTLP.',
    initial: false,
    parse: parseSwitch,
  },
  webExternalUrl: {
    name: 'web.external-url',
    group: 'Web',
    help: 'URL under which users reach this node; used in links of alerts.',
    value: 'url',
    initial: '',
    parse: externalUrl,
  },
  webRoutePrefix: {
    name: 'web.route-prefix',
    group: 'Web',
    help: 'Path prefix of all routes; default: the path of --web.external-url.',
    value: 'path',
    initial: '',
    parse: identity,
  },
  webCorsOrigin: {
    name: 'web.cors.origin',
    group: 'Web',
    help: 'Pattern (RE2, anchored) for the origins of web pages that may read the HTTP API.',
    value: 'regex',
    initial: '.*',
    parse: pattern,
  },
  alertmanagerListenAddress: {
    name: 'alertmanager.listen-address',
    group: 'Web',
    help: 'Address of the Alertmanager API.',
    value: 'host:port',
    initial: '0.0.0.0:9093',
    parse: parseAddress,
  },
  storagePath: {
    name: 'storage.tsdb.path',
    group: 'Storage',
    help: 'Directory for data.',
    value: 'path',
    initial: 'data/',
    parse: identity,
  },
  retentionTimeMs: {
    name: 'storage.tsdb.retention.time',
    group: 'Storage',
    help: 'How long samples are kept.',
    value: 'duration',
    initial: 15 * dayMs,
    parse: parseDuration,
  },
  retentionSizeBytes: {
    name: 'storage.tsdb.retention.size',
    group: 'Storage',
    help: 'How many bytes are kept, with a unit (B, KB, MB, GB, TB); 0: no limit.',
    value: 'size',
    initial: 0,
    parse: parseByteSize,
  },
  storageFsync: {
    name: 'storage.fsync',
    group: 'Storage',
    help: 'When writes are forced to the disk: always, at an interval, or as the system likes.',
    value: 'always|interval|os',
    initial: 'interval',
    parse: oneOf(['always', 'interval', 'os']),
  },
  storageEngine: {
    name: 'storage.engine',
    group: 'Storage',
    help: 'The engine of a new data directory; one that exists refuses another. RocksDB is an optional package.',
    value: 'level|rocksdb',
    initial: 'level',
    parse: oneOf(['level', 'rocksdb']),
  },
  remoteReadSampleLimit: {
    name: 'storage.remote.read-sample-limit',
    group: 'Storage',
    help: 'Most samples of one query of remote read that is not streamed; 0: no limit.',
    value: 'n',
    initial: 50_000_000,
    parse: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  },
  remoteReadConcurrentLimit: {
    name: 'storage.remote.read-concurrent-limit',
    group: 'Storage',
    help: 'Most remote read requests that are answered at the same time; 0: no limit.',
    value: 'n',
    initial: 10,
    parse: wholeNumber(0, 10_000),
  },
  remoteReadMaxBytesInFrame: {
    name: 'storage.remote.read-max-bytes-in-frame',
    group: 'Storage',
    help: 'About how many bytes a frame of streamed remote read has at most.',
    value: 'n',
    initial: 1_048_576,
    parse: wholeNumber(1, 2 ** 30),
  },
  queryTimeoutMs: {
    name: 'query.timeout',
    group: 'Queries',
    help: 'Longest time that a query may take.',
    value: 'duration',
    initial: 2 * minuteMs,
    parse: parseDuration,
  },
  queryMaxSamples: {
    name: 'query.max-samples',
    group: 'Queries',
    help: 'Most samples that a query may hold in memory.',
    value: 'n',
    initial: 50_000_000,
    parse: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  },
  queryMemoryMaxBytes: {
    name: 'query.max-memory',
    group: 'Queries',
    help: 'Most memory that the data of a query, or its answer, may take in one worker, with a unit (B, KB, MB, GB); 0: no limit.',
    value: 'size',
    initial: 1024 ** 3,
    parse: parseByteSize,
  },
  queryMaxConcurrency: {
    name: 'query.max-concurrency',
    group: 'Queries',
    help: 'Most queries that run at the same time.',
    value: 'n',
    initial: 20,
    parse: wholeNumber(1, 10_000),
  },
  queryLookbackDeltaMs: {
    name: 'query.lookback-delta',
    group: 'Queries',
    help: 'How far back the latest sample of a series is looked for.',
    value: 'duration',
    initial: 5 * minuteMs,
    parse: parseDuration,
  },
  scrapeAdjustTimestamps: {
    name: 'scrape.adjust-timestamps',
    group: 'Scraping',
    help: 'Give scrapes the timestamp of their schedule.',
    initial: true,
    parse: parseSwitch,
  },
  scrapeTimestampToleranceMs: {
    name: 'scrape.timestamp-tolerance',
    group: 'Scraping',
    help: 'How late a scrape may be for it; at most 1 % of the interval.',
    value: 'duration',
    initial: 2,
    parse: parseDuration,
  },
  rulesForOutageToleranceMs: {
    name: 'rules.alert.for-outage-tolerance',
    group: 'Rules and alerting',
    help: 'Longest outage over which the "for" state of alerts is restored.',
    value: 'duration',
    initial: 60 * minuteMs,
    parse: parseDuration,
  },
  rulesForGracePeriodMs: {
    name: 'rules.alert.for-grace-period',
    group: 'Rules and alerting',
    help: 'Shortest time between an alert and its restored "for" state.',
    value: 'duration',
    initial: 10 * minuteMs,
    parse: parseDuration,
  },
  rulesResendDelayMs: {
    name: 'rules.alert.resend-delay',
    group: 'Rules and alerting',
    help: 'Shortest time before an alert is sent again.',
    value: 'duration',
    initial: minuteMs,
    parse: parseDuration,
  },
  nodeId: {
    name: 'node.id',
    group: 'Cluster',
    help: "This node's name; default: chosen at the first start and kept with the data.",
    value: 'name',
    initial: '',
    parse: identifier,
  },
  nodeZone: {
    name: 'node.zone',
    group: 'Cluster',
    help: 'Where this node stands; copies are spread over zones.',
    value: 'name',
    initial: '',
    parse: identifier,
    notYet: whenSet('copies are not spread over zones yet'),
  },
  workers: {
    name: 'workers',
    group: 'Cluster',
    help: "Threads for data; 0: as the machine's cores allow.",
    value: 'n',
    initial: 0,
    parse: wholeNumber(0, workersMax),
  },
  clusterName: {
    name: 'cluster.name',
    group: 'Cluster',
    help: 'Name of the cluster; nodes of another name are refused.',
    value: 'name',
    initial: 'torchring',
    parse: (text) => {
      if (text === '') throw new Error('must not be empty');
      return identifier(text);
    },
  },
  clusterListenAddress: {
    name: 'cluster.listen-address',
    group: 'Cluster',
    help: 'Address for other nodes.',
    value: 'host:port',
    initial: '0.0.0.0:7946',
    parse: parseAddress,
  },
  clusterAdvertiseAddress: {
    name: 'cluster.advertise-address',
    group: 'Cluster',
    help: 'Address that other nodes are told; default: found out.',
    value: 'host:port',
    initial: '',
    parse: optionalAddress,
  },
  clusterJoin: {
    name: 'cluster.join',
    group: 'Cluster',
    help: 'A node to join: host:port, or a DNS name that may have several addresses. Can be repeated.',
    value: 'host:port',
    initial: [],
    parse: peers,
    repeatable: true,
  },
  clusterExpect: {
    name: 'cluster.expect',
    group: 'Cluster',
    help: 'Nodes that a new cluster waits for before its first election.',
    value: 'n',
    initial: 1,
    parse: wholeNumber(1, nodesMax),
  },
  clusterShards: {
    name: 'cluster.shards',
    group: 'Cluster',
    help: 'Parts that the data is divided into; fixed when the cluster is born.',
    value: 'n',
    initial: 128,
    parse: wholeNumber(1, shardsMax),
  },
  clusterReplicationFactor: {
    name: 'cluster.replication-factor',
    group: 'Cluster',
    help: 'Nodes that hold each part.',
    value: 'n',
    initial: 2,
    parse: wholeNumber(1, nodesMax),
    notYet: (value) => (value === 1 ? undefined : 'each part is held by one node so far'),
  },
  clusterSecretFile: {
    name: 'cluster.secret-file',
    group: 'Cluster',
    help: 'File with a secret that all nodes share; nodes without it are refused.',
    value: 'path',
    initial: '',
    parse: identity,
    isFile: true,
  },
  clusterTlsCertFile: {
    name: 'cluster.tls-cert-file',
    group: 'Cluster',
    help: 'Certificate of this node for other nodes.',
    value: 'path',
    initial: '',
    parse: identity,
    isFile: true,
  },
  clusterTlsKeyFile: {
    name: 'cluster.tls-key-file',
    group: 'Cluster',
    help: 'Key of that certificate.',
    value: 'path',
    initial: '',
    parse: identity,
    isFile: true,
  },
  clusterTlsCaFile: {
    name: 'cluster.tls-ca-file',
    group: 'Cluster',
    help: "Authority that signs the nodes' certificates.",
    value: 'path',
    initial: '',
    parse: identity,
    isFile: true,
  },
  logLevel: {
    name: 'log.level',
    group: 'Logging and features',
    help: 'Least severe messages that are logged.',
    value: logLevels.join('|'),
    initial: 'info',
    parse: oneOf(logLevels),
  },
  logFormat: {
    name: 'log.format',
    group: 'Logging and features',
    help: 'Form of log lines.',
    value: 'logfmt|json',
    initial: 'logfmt',
    parse: oneOf(['logfmt', 'json']),
  },
  enableFeatures: {
    name: 'enable-feature',
    group: 'Logging and features',
    help: "Features to enable, between commas, by Prometheus' names. Can be repeated.",
    value: 'names',
    initial: [],
    parse: (text) =>
      text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    repeatable: true,
  },
};

/** A flag's value as text, as the API shows it. */
export function flagText(key: keyof NodeFlags, value: NodeFlags[keyof NodeFlags]): string {
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'number' && key.endsWith('Ms') ? formatDuration(value) : String(value);
}

/** The environment variable that stands for a flag: `TORCHRING_CLUSTER_JOIN` for `cluster.join`. */
export function environmentName(flag: string): string {
  return `TORCHRING_${flag.toUpperCase().replaceAll(/[.-]/g, '_')}`;
}
