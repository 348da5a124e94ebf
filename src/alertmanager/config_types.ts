// What alertmanager.yml says once defaults are filled in and receivers have inherited from `global`. Plain
// data that survives a structured clone.
import type { HttpClientConfig, TlsConfig } from '../model/index.ts';
import type { NotifierConfigs } from './config_receivers.ts';

export interface MatcherConfig {
  readonly name: string;
  readonly type: '=' | '!=' | '=~' | '!~';
  /** Literal, or an RE2 pattern (to be fully anchored) that is known to compile. */
  readonly value: string;
}

/** A node of the routing tree. Undefined intervals and `groupBy` are inherited from the parent. */
export interface Route {
  /** Empty: the parent's receiver. */
  readonly receiver: string;
  /** undefined: inherited; the root's default is no labels. */
  readonly groupBy: readonly string[] | undefined;
  /** `group_by: ['...']`. */
  readonly groupByAll: boolean;
  /** `match`, `match_re` and `matchers` together; all must hold. Sorted as Alertmanager sorts them. */
  readonly matchers: readonly MatcherConfig[];
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  readonly continue: boolean;
  readonly routes: readonly Route[];
  /** Root default 30 s. */
  readonly groupWaitMs: number | undefined;
  /** Root default 5 min. */
  readonly groupIntervalMs: number | undefined;
  /** Root default 4 h. */
  readonly repeatIntervalMs: number | undefined;
}

export interface InhibitRule {
  readonly name: string;
  readonly sourceMatchers: readonly MatcherConfig[];
  readonly targetMatchers: readonly MatcherConfig[];
  readonly equal: readonly string[];
}

/** Both bounds inclusive. */
export interface IntegerRange {
  readonly begin: number;
  readonly end: number;
}

/** Minutes of the day, start inclusive, end exclusive (up to 1440). */
export interface MinuteRange {
  readonly startMinute: number;
  readonly endMinute: number;
}

/** All parts that are set must hold; a set part holds when one of its ranges does. undefined: always holds. */
export interface TimeInterval {
  readonly times: readonly MinuteRange[] | undefined;
  /** Sunday is 0. */
  readonly weekdays: readonly IntegerRange[] | undefined;
  /** 1..31, or -1..-31 from the month's end. */
  readonly daysOfMonth: readonly IntegerRange[] | undefined;
  /** January is 1. */
  readonly months: readonly IntegerRange[] | undefined;
  readonly years: readonly IntegerRange[] | undefined;
  /** IANA zone name; default UTC. */
  readonly location: string;
}

export interface NamedTimeInterval {
  readonly name: string;
  readonly timeIntervals: readonly TimeInterval[];
}

/** A named receiver: lists of integrations, empty where none is configured. */
export interface Receiver extends NotifierConfigs {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AlertmanagerGlobalConfig {
  readonly resolveTimeoutMs: number;
  readonly httpConfig: HttpClientConfig;
  readonly smtpFrom: string;
  readonly smtpHello: string;
  readonly smtpSmarthost: string;
  readonly smtpAuthUsername: string;
  readonly smtpAuthPassword: string;
  readonly smtpAuthPasswordFile: string;
  readonly smtpAuthSecret: string;
  readonly smtpAuthSecretFile: string;
  readonly smtpAuthIdentity: string;
  readonly smtpRequireTls: boolean;
  readonly smtpTlsConfig: TlsConfig;
  readonly smtpForceImplicitTls: boolean | undefined;
  readonly slackApiUrl: string;
  readonly slackApiUrlFile: string;
  readonly slackAppToken: string;
  readonly slackAppTokenFile: string;
  readonly slackAppUrl: string;
  readonly pagerdutyUrl: string;
  readonly opsgenieApiUrl: string;
  readonly opsgenieApiKey: string;
  readonly opsgenieApiKeyFile: string;
  readonly wechatApiUrl: string;
  readonly wechatApiSecret: string;
  readonly wechatApiSecretFile: string;
  readonly wechatApiCorpId: string;
  readonly victoropsApiUrl: string;
  readonly victoropsApiKey: string;
  readonly victoropsApiKeyFile: string;
  readonly telegramApiUrl: string;
  readonly telegramBotToken: string;
  readonly telegramBotTokenFile: string;
  readonly webexApiUrl: string;
  readonly rocketchatApiUrl: string;
  readonly rocketchatToken: string | undefined;
  readonly rocketchatTokenFile: string;
  readonly rocketchatTokenId: string | undefined;
  readonly rocketchatTokenIdFile: string;
  readonly mattermostWebhookUrl: string;
  readonly mattermostWebhookUrlFile: string;
  readonly jiraApiUrl: string;
}

export interface AlertmanagerConfig {
  readonly global: AlertmanagerGlobalConfig;
  readonly route: Route;
  readonly inhibitRules: readonly InhibitRule[];
  readonly receivers: readonly Receiver[];
  /** Template file globs, joined with the configuration file's directory. */
  readonly templates: readonly string[];
  /** `time_intervals` and the older `mute_time_intervals` together; names are unique. */
  readonly timeIntervals: readonly NamedTimeInterval[];
}
