// Decoder of Alertmanager's `global`, with its defaults.
import {
  type Decoder,
  decode,
  httpClient,
  type ObjectDecoder,
  type Report,
  tlsConfig,
} from '../model/index.ts';
import { httpUrl, secretUrl } from './config_common.ts';
import { hostPort } from './config_paging.ts';
import type { AlertmanagerGlobalConfig } from './config_types.ts';

const { field, string, secret, bool, duration, optional } = decode;

const httpConfig = httpClient();
const minuteMs = 60_000;

/** null leaves the default in place rather than no client at all. */
const globalHttpConfig: Decoder<AlertmanagerGlobalConfig['httpConfig']> = {
  zero: httpConfig.initial(),
  decode: (node, scope) => httpConfig.decode(node, scope),
};

export const globalConfig: ObjectDecoder<AlertmanagerGlobalConfig> = decode.object<AlertmanagerGlobalConfig>(
  {
    resolveTimeoutMs: field('resolve_timeout', duration, 5 * minuteMs),
    httpConfig: field('http_config', globalHttpConfig),
    smtpFrom: field('smtp_from', string),
    smtpHello: field('smtp_hello', string, 'localhost'),
    smtpSmarthost: field('smtp_smarthost', hostPort),
    smtpAuthUsername: field('smtp_auth_username', string),
    smtpAuthPassword: field('smtp_auth_password', secret),
    smtpAuthPasswordFile: field('smtp_auth_password_file', string),
    smtpAuthSecret: field('smtp_auth_secret', secret),
    smtpAuthSecretFile: field('smtp_auth_secret_file', string),
    smtpAuthIdentity: field('smtp_auth_identity', string),
    smtpRequireTls: field('smtp_require_tls', bool, true),
    smtpTlsConfig: field('smtp_tls_config', tlsConfig, tlsConfig.initial()),
    smtpForceImplicitTls: field('smtp_force_implicit_tls', optional(bool)),
    slackApiUrl: field('slack_api_url', secretUrl),
    slackApiUrlFile: field('slack_api_url_file', string),
    slackAppToken: field('slack_app_token', secret),
    slackAppTokenFile: field('slack_app_token_file', string),
    slackAppUrl: field('slack_app_url', httpUrl, 'https://slack.com/api/chat.postMessage'),
    pagerdutyUrl: field('pagerduty_url', httpUrl, 'https://events.pagerduty.com/v2/enqueue'),
    opsgenieApiUrl: field('opsgenie_api_url', httpUrl, 'https://api.opsgenie.com/'),
    opsgenieApiKey: field('opsgenie_api_key', secret),
    opsgenieApiKeyFile: field('opsgenie_api_key_file', string),
    wechatApiUrl: field('wechat_api_url', httpUrl, 'https://qyapi.weixin.qq.com/cgi-bin/'),
    wechatApiSecret: field('wechat_api_secret', secret),
    wechatApiSecretFile: field('wechat_api_secret_file', string),
    wechatApiCorpId: field('wechat_api_corp_id', string),
    victoropsApiUrl: field(
      'victorops_api_url',
      httpUrl,
      'https://alert.victorops.com/integrations/generic/20131114/alert/',
    ),
    victoropsApiKey: field('victorops_api_key', secret),
    victoropsApiKeyFile: field('victorops_api_key_file', string),
    telegramApiUrl: field('telegram_api_url', httpUrl, 'https://api.telegram.org'),
    telegramBotToken: field('telegram_bot_token', secret),
    telegramBotTokenFile: field('telegram_bot_token_file', string),
    webexApiUrl: field('webex_api_url', httpUrl, 'https://webexapis.com/v1/messages'),
    rocketchatApiUrl: field('rocketchat_api_url', httpUrl, 'https://open.rocket.chat/'),
    rocketchatToken: field('rocketchat_token', optional(secret)),
    rocketchatTokenFile: field('rocketchat_token_file', string),
    rocketchatTokenId: field('rocketchat_token_id', optional(secret)),
    rocketchatTokenIdFile: field('rocketchat_token_id_file', string),
    mattermostWebhookUrl: field('mattermost_webhook_url', secretUrl),
    mattermostWebhookUrlFile: field('mattermost_webhook_url_file', string),
    jiraApiUrl: field('jira_api_url', httpUrl),
  },
  checkGlobal,
);

function checkGlobal(global: AlertmanagerGlobalConfig, report: Report): void {
  const pairs: readonly (readonly [name: string, own: string, file: string])[] = [
    ['slack_app_token', global.slackAppToken, global.slackAppTokenFile],
    ['slack_api_url', global.slackApiUrl, global.slackApiUrlFile],
    ['opsgenie_api_key', global.opsgenieApiKey, global.opsgenieApiKeyFile],
    ['victorops_api_key', global.victoropsApiKey, global.victoropsApiKeyFile],
    ['telegram_bot_token', global.telegramBotToken, global.telegramBotTokenFile],
    ['smtp_auth_password', global.smtpAuthPassword, global.smtpAuthPasswordFile],
    ['rocketchat_token', global.rocketchatToken === undefined ? '' : 'set', global.rocketchatTokenFile],
    [
      'rocketchat_token_id',
      global.rocketchatTokenId === undefined ? '' : 'set',
      global.rocketchatTokenIdFile,
    ],
    ['smtp_auth_secret', global.smtpAuthSecret, global.smtpAuthSecretFile],
    ['wechat_api_secret', global.wechatApiSecret, global.wechatApiSecretFile],
    ['mattermost_webhook_url', global.mattermostWebhookUrl, global.mattermostWebhookUrlFile],
  ];
  for (const [name, own, file] of pairs) {
    if (own !== '' && file !== '') report(`at most one of ${name} & ${name}_file must be configured`, name);
  }
  const app = global.slackAppToken + global.slackAppTokenFile !== '';
  const api = global.slackApiUrl + global.slackApiUrlFile !== '';
  if (app && api && global.slackApiUrl !== global.slackAppUrl) {
    report(
      'at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured',
      'slack_api_url',
    );
  }
}
