// What `torchring node` was told on its command line and by its environment, as one typed value. The table of
// flags is in flag_table.ts, the command line's grammar in cli.ts.
import type { LogFormat, LogLevel } from '../base/index.ts';
import type { EngineName } from '../tsdb/index.ts';

export type FsyncPolicy = 'always' | 'interval' | 'os';

export interface NodeFlags {
  readonly configFile: string;
  /** Pause between two looks at the configuration's files, where they are looked at. 0: never. */
  readonly configAutoReloadIntervalMs: number;
  readonly storagePath: string;
  readonly retentionTimeMs: number;
  /** 0: no limit. */
  readonly retentionSizeBytes: number;
  readonly storageFsync: FsyncPolicy;
  readonly storageEngine: EngineName;
  /** `host:port`; an empty host means all addresses. */
  readonly webListenAddresses: readonly string[];
  /** Empty: neither TLS nor authentication. */
  readonly webConfigFile: string;
  readonly webReadTimeoutMs: number;
  readonly webMaxConnections: number;
  readonly webMaxNotificationsSubscribers: number;
  readonly webEnableLifecycle: boolean;
  readonly webEnableAdminApi: boolean;
  readonly webEnableRemoteWriteReceiver: boolean;
  /** Names of the messages that the remote write receiver takes. */
  readonly webRemoteWriteMessages: readonly string[];
  readonly webEnableOtlpReceiver: boolean;
  /** 0: no limit. */
  readonly remoteReadSampleLimit: number;
  /** 0: no limit. */
  readonly remoteReadConcurrentLimit: number;
  readonly remoteReadMaxBytesInFrame: number;
  /** Empty: made from the host's name and the first port. */
  readonly webExternalUrl: string;
  /** Empty: the path of the external URL. */
  readonly webRoutePrefix: string;
  /** A pattern for the whole origin of pages that may read the API. */
  readonly webCorsOrigin: string;
  readonly queryTimeoutMs: number;
  readonly queryMaxSamples: number;
  readonly queryMemoryMaxBytes: number;
  readonly queryMaxConcurrency: number;
  readonly queryLookbackDeltaMs: number;
  /** Names given with --enable-feature, as written. */
  readonly enableFeatures: readonly string[];
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Scrapes have the timestamp of their schedule when they are not later than the tolerance. */
  readonly scrapeAdjustTimestamps: boolean;
  readonly scrapeTimestampToleranceMs: number;
  readonly rulesForOutageToleranceMs: number;
  readonly rulesForGracePeriodMs: number;
  readonly rulesResendDelayMs: number;
  /** Empty: no built-in Alertmanager. */
  readonly alertmanagerConfigFile: string;
  readonly alertmanagerListenAddress: string;
  /** Empty: chosen at the first start and kept in the data directory. */
  readonly nodeId: string;
  readonly nodeZone: string;
  /** 0: as many as the machine has cores to spare. */
  readonly workers: number;
  readonly clusterName: string;
  readonly clusterListenAddress: string;
  /** Empty: found out from the listen address. */
  readonly clusterAdvertiseAddress: string;
  /** `host:port` or a DNS name that may stand for several addresses. */
  readonly clusterJoin: readonly string[];
  /** Nodes that the first election waits for. */
  readonly clusterExpect: number;
  readonly clusterShards: number;
  readonly clusterReplicationFactor: number;
  readonly clusterSecretFile: string;
  readonly clusterTlsCertFile: string;
  readonly clusterTlsKeyFile: string;
  readonly clusterTlsCaFile: string;
}

/** The flags with what start-up wants to say about them. */
export interface ParsedNodeFlags extends NodeFlags {
  /** Every flag's value as text by its name, for the API's status page. */
  readonly flagTexts: Readonly<Record<string, string>>;
  /** Flags in use that do nothing yet, each with a line that says so. */
  readonly notYetEffective: readonly string[];
}
