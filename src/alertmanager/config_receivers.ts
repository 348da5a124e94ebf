// The integrations of a receiver, as configured; fields left out there are already inherited from `global`.
// Texts are templates unless they are addresses or keys.
import type { HttpClientConfig, SigV4Config, TlsConfig } from '../model/index.ts';

export interface NotifierConfig {
  readonly sendResolved: boolean;
  readonly httpConfig: HttpClientConfig;
}

export interface WebhookConfig extends NotifierConfig {
  /** May be a template. Empty when `urlFile` is set. */
  readonly url: string;
  readonly urlFile: string;
  /** 0: all alerts of the group are sent. */
  readonly maxAlerts: number;
  /** 0: no timeout of its own. */
  readonly timeoutMs: number;
  /** The body's own template tree, or undefined for the standard payload. */
  readonly payload: unknown;
}

export interface EmailConfig {
  readonly sendResolved: boolean;
  readonly to: string;
  readonly from: string;
  readonly hello: string;
  /** host:port. */
  readonly smarthost: string;
  readonly authUsername: string;
  readonly authPassword: string;
  readonly authPasswordFile: string;
  readonly authSecret: string;
  readonly authSecretFile: string;
  readonly authIdentity: string;
  /** Names in canonical form (`Reply-To`). */
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
  readonly text: string;
  readonly requireTls: boolean;
  readonly tlsConfig: TlsConfig;
  /** undefined: TLS from the start on port 465 only. */
  readonly forceImplicitTls: boolean | undefined;
  readonly threading: { readonly enabled: boolean; readonly threadByDate: string };
}

export interface PagerdutyConfig extends NotifierConfig {
  readonly serviceKey: string;
  readonly serviceKeyFile: string;
  readonly routingKey: string;
  readonly routingKeyFile: string;
  readonly url: string;
  readonly client: string;
  readonly clientUrl: string;
  readonly description: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly images: readonly { readonly src: string; readonly alt: string; readonly href: string }[];
  readonly links: readonly { readonly href: string; readonly text: string }[];
  readonly source: string;
  readonly severity: string;
  readonly class: string;
  readonly component: string;
  readonly group: string;
  readonly timeoutMs: number;
}

export interface SlackConfirmation {
  readonly text: string;
  readonly title: string;
  readonly okText: string;
  readonly dismissText: string;
}

export interface SlackAction {
  readonly type: string;
  readonly text: string;
  readonly url: string;
  readonly style: string;
  readonly name: string;
  readonly value: string;
  readonly confirm: SlackConfirmation | undefined;
}

export interface AttachmentField {
  readonly title: string;
  readonly value: string;
  readonly short: boolean | undefined;
}

export interface SlackConfig extends NotifierConfig {
  readonly apiUrl: string;
  readonly apiUrlFile: string;
  readonly appToken: string;
  readonly appTokenFile: string;
  readonly appUrl: string;
  readonly channel: string;
  readonly username: string;
  readonly color: string;
  readonly title: string;
  readonly titleLink: string;
  readonly pretext: string;
  readonly text: string;
  readonly messageText: string;
  readonly fields: readonly AttachmentField[];
  readonly shortFields: boolean;
  readonly footer: string;
  readonly fallback: string;
  readonly callbackId: string;
  readonly iconEmoji: string;
  readonly iconUrl: string;
  readonly imageUrl: string;
  readonly thumbUrl: string;
  readonly linkNames: boolean;
  readonly mrkdwnIn: readonly string[];
  readonly actions: readonly SlackAction[];
  readonly updateMessage: boolean;
  readonly timeoutMs: number;
}

export interface OpsGenieResponder {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly type: string;
}

export interface OpsGenieConfig extends NotifierConfig {
  readonly apiKey: string;
  readonly apiKeyFile: string;
  /** Ends in a slash. */
  readonly apiUrl: string;
  readonly message: string;
  readonly description: string;
  readonly source: string;
  readonly details: Readonly<Record<string, string>>;
  readonly entity: string;
  readonly responders: readonly OpsGenieResponder[];
  readonly actions: string;
  readonly tags: string;
  readonly note: string;
  readonly priority: string;
  readonly updateAlerts: boolean;
}

export interface WechatConfig extends NotifierConfig {
  readonly apiSecret: string;
  readonly apiSecretFile: string;
  readonly corpId: string;
  readonly message: string;
  /** Ends in a slash. */
  readonly apiUrl: string;
  readonly toUser: string;
  readonly toParty: string;
  readonly toTag: string;
  readonly agentId: string;
  /** text or markdown. */
  readonly messageType: string;
}

export interface PushoverConfig extends NotifierConfig {
  readonly userKey: string;
  readonly userKeyFile: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly title: string;
  readonly message: string;
  readonly url: string;
  readonly urlTitle: string;
  readonly device: string;
  readonly sound: string;
  readonly priority: string;
  readonly retryMs: number;
  readonly expireMs: number;
  readonly ttlMs: number;
  readonly html: boolean;
  readonly monospace: boolean;
}

export interface VictorOpsConfig extends NotifierConfig {
  readonly apiKey: string;
  readonly apiKeyFile: string;
  /** Ends in a slash. */
  readonly apiUrl: string;
  readonly routingKey: string;
  readonly messageType: string;
  readonly stateMessage: string;
  readonly entityDisplayName: string;
  readonly monitoringTool: string;
  readonly customFields: Readonly<Record<string, string>>;
}

export interface SnsConfig extends NotifierConfig {
  readonly apiUrl: string;
  readonly sigv4: SigV4Config;
  readonly topicArn: string;
  readonly phoneNumber: string;
  readonly targetArn: string;
  readonly subject: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly useAwsHttpClient: boolean;
}

export interface TelegramConfig extends NotifierConfig {
  readonly apiUrl: string;
  readonly botToken: string;
  readonly botTokenFile: string;
  readonly chatId: number;
  readonly chatIdFile: string;
  readonly messageThreadId: number;
  readonly message: string;
  readonly disableNotifications: boolean;
  readonly parseMode: string;
}

export interface WebexConfig extends NotifierConfig {
  readonly apiUrl: string;
  readonly message: string;
  readonly roomId: string;
}

export interface DiscordConfig extends NotifierConfig {
  readonly webhookUrl: string;
  readonly webhookUrlFile: string;
  readonly content: string;
  readonly title: string;
  readonly message: string;
  readonly username: string;
  readonly avatarUrl: string;
}

export interface MsTeamsConfig extends NotifierConfig {
  readonly webhookUrl: string;
  readonly webhookUrlFile: string;
  readonly title: string;
  readonly summary: string;
  readonly text: string;
}

export interface MsTeamsV2Config extends NotifierConfig {
  readonly webhookUrl: string;
  readonly webhookUrlFile: string;
  readonly title: string;
  readonly text: string;
}

export interface JiraField {
  readonly template: string;
  /** Whether later notifications may change the field. */
  readonly enableUpdate: boolean;
}

export interface JiraConfig extends NotifierConfig {
  readonly apiUrl: string;
  /** auto, cloud or datacenter. */
  readonly apiType: string;
  readonly project: string;
  readonly summary: JiraField;
  readonly description: JiraField;
  readonly labels: readonly string[];
  readonly priority: string;
  readonly issueType: string;
  readonly reopenTransition: string;
  readonly resolveTransition: string;
  readonly wontFixResolution: string;
  readonly reopenDurationMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RocketchatAction {
  readonly type: string;
  readonly text: string;
  readonly url: string;
  readonly imageUrl: string;
  readonly isWebView: boolean;
  readonly webviewHeightRatio: string;
  readonly msg: string;
  readonly msgInChatWindow: boolean;
  readonly msgProcessingType: string;
}

export interface RocketchatConfig extends NotifierConfig {
  readonly apiUrl: string;
  readonly tokenId: string | undefined;
  readonly tokenIdFile: string;
  readonly token: string | undefined;
  readonly tokenFile: string;
  readonly channel: string;
  readonly color: string;
  readonly title: string;
  readonly titleLink: string;
  readonly text: string;
  readonly fields: readonly AttachmentField[];
  readonly shortFields: boolean;
  readonly emoji: string;
  readonly iconUrl: string;
  readonly imageUrl: string;
  readonly thumbUrl: string;
  readonly linkNames: boolean;
  readonly actions: readonly RocketchatAction[];
}

export interface MattermostAttachment {
  readonly fallback: string;
  readonly color: string;
  readonly pretext: string;
  readonly text: string;
  readonly authorName: string;
  readonly authorLink: string;
  readonly authorIcon: string;
  readonly title: string;
  readonly titleLink: string;
  readonly fields: readonly AttachmentField[];
  readonly thumbUrl: string;
  readonly footer: string;
  readonly footerIcon: string;
  readonly imageUrl: string;
}

export interface MattermostConfig extends NotifierConfig, MattermostAttachment {
  readonly webhookUrl: string;
  readonly webhookUrlFile: string;
  readonly channel: string;
  readonly username: string;
  readonly iconUrl: string;
  readonly iconEmoji: string;
  readonly attachments: readonly MattermostAttachment[];
  readonly type: string;
  readonly card: string | undefined;
  readonly priority:
    | {
        readonly priority: string;
        readonly requestedAck: boolean;
        readonly persistentNotifications: boolean;
      }
    | undefined;
}

export interface IncidentioConfig extends NotifierConfig {
  readonly url: string;
  readonly urlFile: string;
  readonly alertSourceToken: string;
  readonly alertSourceTokenFile: string;
  /** 0: all alerts of the group are sent. */
  readonly maxAlerts: number;
  readonly timeoutMs: number;
}

/** The integrations beside webhooks. */
export interface OtherNotifierConfigs {
  readonly discordConfigs: readonly DiscordConfig[];
  readonly emailConfigs: readonly EmailConfig[];
  readonly incidentioConfigs: readonly IncidentioConfig[];
  readonly jiraConfigs: readonly JiraConfig[];
  readonly mattermostConfigs: readonly MattermostConfig[];
  readonly msteamsConfigs: readonly MsTeamsConfig[];
  readonly msteamsv2Configs: readonly MsTeamsV2Config[];
  readonly opsgenieConfigs: readonly OpsGenieConfig[];
  readonly pagerdutyConfigs: readonly PagerdutyConfig[];
  readonly pushoverConfigs: readonly PushoverConfig[];
  readonly rocketchatConfigs: readonly RocketchatConfig[];
  readonly slackConfigs: readonly SlackConfig[];
  readonly snsConfigs: readonly SnsConfig[];
  readonly telegramConfigs: readonly TelegramConfig[];
  readonly victoropsConfigs: readonly VictorOpsConfig[];
  readonly webexConfigs: readonly WebexConfig[];
  readonly wechatConfigs: readonly WechatConfig[];
}

/** A receiver's integrations. Lists that are absent are empty. */
export interface NotifierConfigs extends Partial<OtherNotifierConfigs> {
  readonly webhookConfigs: readonly WebhookConfig[];
}
