// Decoders of the integrations that post to a chat: Slack, Mattermost, Rocket.Chat, Discord, Microsoft Teams,
// Telegram, Webex, WeChat. Defaults are Alertmanager's.
import { type Decoder, decode } from '../model/index.ts';
import {
  atMostOne,
  exactlyOne,
  httpUrl,
  integration,
  type Pending,
  secretUrl,
  withSlash,
} from './config_common.ts';
import type {
  AttachmentField,
  DiscordConfig,
  MattermostAttachment,
  MattermostConfig,
  MsTeamsConfig,
  MsTeamsV2Config,
  RocketchatAction,
  RocketchatConfig,
  SlackAction,
  SlackConfig,
  SlackConfirmation,
  TelegramConfig,
  WebexConfig,
  WechatConfig,
} from './config_receivers.ts';

const { field, string, secret, bool, int, goDuration, list, optional } = decode;

/** `{{ template "slack.default.title" . }}` and the like. */
function named(name: string): string {
  return `{{ template "${name}" . }}`;
}

function attachmentField(product: string): Decoder<AttachmentField> {
  return decode.object<AttachmentField>(
    { title: field('title', string), value: field('value', string), short: field('short', optional(bool)) },
    ({ title, value }, report) => {
      if (title === '') report(`missing title in ${product} field configuration`, 'title');
      if (value === '') report(`missing value in ${product} field configuration`, 'value');
    },
  );
}

const slackConfirmation = decode.object<SlackConfirmation>(
  {
    text: field('text', string),
    title: field('title', string),
    okText: field('ok_text', string),
    dismissText: field('dismiss_text', string),
  },
  ({ text }, report) => {
    if (text === '') report('missing text in Slack confirmation configuration', 'text');
  },
);

const slackAction = decode.section<SlackAction, SlackAction>(
  {
    type: field('type', string),
    text: field('text', string),
    url: field('url', string),
    style: field('style', string),
    name: field('name', string),
    value: field('value', string),
    confirm: field('confirm', optional(slackConfirmation)),
  },
  (action, report) => {
    if (action.type === '') report('missing type in Slack action configuration', 'type');
    if (action.text === '') report('missing text in Slack action configuration', 'text');
    if (action.url === '' && action.name === '') {
      report('missing name or url in Slack action configuration', 'url');
    }
    return action.url === '' ? action : { ...action, name: '', value: '', confirm: undefined };
  },
);

const slackPostUrl = 'https://slack.com/api/chat.postMessage';

export const slackConfig: Decoder<Pending<SlackConfig>> = integration<SlackConfig>({
  sendResolved: false,
  fields: {
    apiUrl: field('api_url', secretUrl),
    apiUrlFile: field('api_url_file', string),
    appToken: field('app_token', secret),
    appTokenFile: field('app_token_file', string),
    appUrl: field('app_url', httpUrl),
    channel: field('channel', string),
    username: field('username', string, named('slack.default.username')),
    color: field('color', string, named('slack.default.color')),
    title: field('title', string, named('slack.default.title')),
    titleLink: field('title_link', string, named('slack.default.titlelink')),
    pretext: field('pretext', string, named('slack.default.pretext')),
    text: field('text', string, named('slack.default.text')),
    messageText: field('message_text', string),
    fields: field('fields', list(attachmentField('Slack'))),
    shortFields: field('short_fields', bool),
    footer: field('footer', string, named('slack.default.footer')),
    fallback: field('fallback', string, named('slack.default.fallback')),
    callbackId: field('callback_id', string, named('slack.default.callbackid')),
    iconEmoji: field('icon_emoji', string, named('slack.default.iconemoji')),
    iconUrl: field('icon_url', string, named('slack.default.iconurl')),
    imageUrl: field('image_url', string),
    thumbUrl: field('thumb_url', string),
    linkNames: field('link_names', bool),
    mrkdwnIn: field('mrkdwn_in', list(string)),
    actions: field('actions', list(slackAction)),
    updateMessage: field('update_message', bool),
    timeoutMs: field('timeout', goDuration),
  },
  check(own, report) {
    atMostOne(own.apiUrl, own.apiUrlFile, 'api_url & api_url_file', report);
    atMostOne(own.appToken, own.appTokenFile, 'app_token & app_token_file', report);
    atMostOne(
      own.apiUrl + own.apiUrlFile,
      own.appToken + own.appTokenFile,
      'api_url/api_url_file & app_token/app_token_file',
      report,
    );
    if (own.updateMessage && own.apiUrl !== slackPostUrl) {
      report(
        `update_message can only be used with bot tokens. api_url must be set to ${slackPostUrl}`,
        'update_message',
      );
    }
  },
  inherit(own, global, report) {
    const appUrl = own.appUrl || global.slackAppUrl;
    if (appUrl === '') report('no global Slack App URL set');
    const authorized = own.httpConfig?.authorization !== undefined;
    const noOwnToken = decode.countSet(own.appToken, own.appTokenFile, own.apiUrl) === 0 && !authorized;
    const appToken = noOwnToken ? global.slackAppToken : own.appToken;
    const appTokenFile = noOwnToken ? global.slackAppTokenFile : own.appTokenFile;
    const noOwnUrl = own.apiUrl === '' && own.apiUrlFile === '';
    const apiUrl = noOwnUrl ? global.slackApiUrl : own.apiUrl;
    const apiUrlFile = noOwnUrl ? global.slackApiUrlFile : own.apiUrlFile;
    if (decode.countSet(apiUrl, apiUrlFile, appToken, appTokenFile) === 0) {
      report('no Slack API URL nor App token set either inline or in a file');
    }
    if (appToken === '' && appTokenFile === '') return { ...own, appUrl, apiUrl, apiUrlFile };
    const httpConfig = own.httpConfig ?? global.httpConfig;
    if (httpConfig.authorization !== undefined) {
      report("http authorization can't be set when using Slack App tokens", 'http_config');
    }
    return {
      ...own,
      appUrl,
      appToken,
      appTokenFile,
      apiUrl: appUrl,
      apiUrlFile,
      httpConfig: {
        ...httpConfig,
        authorization: {
          type: 'Bearer',
          credentials: appToken,
          credentialsFile: appTokenFile,
          credentialsRef: '',
        },
      },
    };
  },
});

const attachmentFields = {
  fallback: field('fallback', string),
  color: field('color', string),
  pretext: field('pretext', string),
  text: field('text', string),
  authorName: field('author_name', string),
  authorLink: field('author_link', string),
  authorIcon: field('author_icon', string),
  title: field('title', string),
  titleLink: field('title_link', string),
  fields: field('fields', list(attachmentField('Mattermost'))),
  thumbUrl: field('thumb_url', string),
  footer: field('footer', string),
  footerIcon: field('footer_icon', string),
  imageUrl: field('image_url', string),
};

const mattermostPriority = decode.object<NonNullable<MattermostConfig['priority']>>({
  priority: field('priority', string),
  requestedAck: field('requested_ack', bool),
  persistentNotifications: field('persistent_notifications', bool),
});

const mattermostProps = decode.section<{ readonly card: string }, string>(
  { card: field('card', string) },
  ({ card }) => card,
);

export const mattermostConfig: Decoder<Pending<MattermostConfig>> = integration<MattermostConfig>({
  sendResolved: true,
  fields: {
    ...attachmentFields,
    webhookUrl: field('webhook_url', secretUrl),
    webhookUrlFile: field('webhook_url_file', string),
    channel: field('channel', string),
    username: field('username', string, named('mattermost.default.username')),
    color: field('color', string, named('mattermost.default.color')),
    text: field('text', string, named('mattermost.default.text')),
    title: field('title', string, named('mattermost.default.title')),
    titleLink: field('title_link', string, named('mattermost.default.titlelink')),
    fallback: field('fallback', string, named('mattermost.default.fallback')),
    iconUrl: field('icon_url', string),
    iconEmoji: field('icon_emoji', string),
    attachments: field('attachments', list(decode.object<MattermostAttachment>(attachmentFields))),
    type: field('type', string),
    card: field('props', optional(mattermostProps)),
    priority: field('priority', optional(mattermostPriority)),
  },
  check(own, report) {
    atMostOne(own.webhookUrl, own.webhookUrlFile, 'webhook_url & webhook_url_file', report);
  },
  inherit(own, global, report) {
    if (own.webhookUrl !== '' || own.webhookUrlFile !== '') return own;
    if (global.mattermostWebhookUrl === '' && global.mattermostWebhookUrlFile === '') {
      report('missing webhook_url or webhook_url_file on mattermost_config');
    }
    return {
      ...own,
      webhookUrl: global.mattermostWebhookUrl,
      webhookUrlFile: global.mattermostWebhookUrlFile,
    };
  },
});

// Alertmanager gives these two no YAML names of their own: the library lowercases the Go field's name.
const rocketchatField = decode.object<AttachmentField>({
  short: field('short', optional(bool)),
  title: field('title', string),
  value: field('value', string),
});
const rocketchatAction = decode.object<RocketchatAction>({
  type: field('type', string),
  text: field('text', string),
  url: field('url', string),
  imageUrl: field('imageurl', string),
  isWebView: field('iswebview', bool),
  webviewHeightRatio: field('webviewheightratio', string),
  msg: field('msg', string),
  msgInChatWindow: field('msginchatwindow', bool),
  msgProcessingType: field('msgprocessingtype', string),
});

export const rocketchatConfig: Decoder<Pending<RocketchatConfig>> = integration<RocketchatConfig>({
  sendResolved: false,
  fields: {
    apiUrl: field('api_url', httpUrl),
    tokenId: field('token_id', optional(secret)),
    tokenIdFile: field('token_id_file', string),
    token: field('token', optional(secret)),
    tokenFile: field('token_file', string),
    channel: field('channel', string),
    color: field('color', string, '{{ if eq .Status "firing" }}red{{ else }}green{{ end }}'),
    title: field('title', string, named('rocketchat.default.title')),
    titleLink: field('title_link', string, named('rocketchat.default.titlelink')),
    text: field('text', string, named('rocketchat.default.text')),
    fields: field('fields', list(rocketchatField)),
    shortFields: field('short_fields', bool),
    emoji: field('emoji', string, named('rocketchat.default.emoji')),
    iconUrl: field('icon_url', string, named('rocketchat.default.iconurl')),
    imageUrl: field('image_url', string),
    thumbUrl: field('thumb_url', string),
    linkNames: field('link_names', bool),
    actions: field('actions', list(rocketchatAction)),
  },
  check(own, report) {
    if (own.token !== undefined && own.tokenFile !== '') {
      report('at most one of token & token_file must be configured', 'token_file');
    }
    if (own.tokenId !== undefined && own.tokenIdFile !== '') {
      report('at most one of token_id & token_id_file must be configured', 'token_id_file');
    }
  },
  inherit(own, global, report) {
    const tokenId = own.tokenId ?? global.rocketchatTokenId;
    const tokenIdFile = own.tokenIdFile || global.rocketchatTokenIdFile;
    const token = own.token ?? global.rocketchatToken;
    const tokenFile = own.tokenFile || global.rocketchatTokenFile;
    if (tokenId === undefined && tokenIdFile === '') {
      report('no global Rocketchat TokenID set either inline or in a file');
    }
    if (token === undefined && tokenFile === '') {
      report('no global Rocketchat Token set either inline or in a file');
    }
    const apiUrl = own.apiUrl || global.rocketchatApiUrl;
    return { ...own, apiUrl, tokenId, tokenIdFile, token, tokenFile };
  },
});

export const discordConfig: Decoder<Pending<DiscordConfig>> = integration<DiscordConfig>({
  sendResolved: true,
  fields: {
    webhookUrl: field('webhook_url', secretUrl),
    webhookUrlFile: field('webhook_url_file', string),
    content: field('content', string),
    title: field('title', string, named('discord.default.title')),
    message: field('message', string, named('discord.default.message')),
    username: field('username', string),
    avatarUrl: field('avatar_url', string),
  },
  check(own, report) {
    exactlyOne(own.webhookUrl, own.webhookUrlFile, 'webhook_url', 'webhook_url_file', report);
  },
});

export const msTeamsConfig: Decoder<Pending<MsTeamsConfig>> = integration<MsTeamsConfig>({
  sendResolved: true,
  fields: {
    webhookUrl: field('webhook_url', secretUrl),
    webhookUrlFile: field('webhook_url_file', string),
    title: field('title', string, named('msteams.default.title')),
    summary: field('summary', string, named('msteams.default.summary')),
    text: field('text', string, named('msteams.default.text')),
  },
  check(own, report) {
    exactlyOne(own.webhookUrl, own.webhookUrlFile, 'webhook_url', 'webhook_url_file', report);
  },
});

export const msTeamsV2Config: Decoder<Pending<MsTeamsV2Config>> = integration<MsTeamsV2Config>({
  sendResolved: true,
  fields: {
    webhookUrl: field('webhook_url', secretUrl),
    webhookUrlFile: field('webhook_url_file', string),
    title: field('title', string, named('msteamsv2.default.title')),
    text: field('text', string, named('msteamsv2.default.text')),
  },
  check(own, report) {
    exactlyOne(own.webhookUrl, own.webhookUrlFile, 'webhook_url', 'webhook_url_file', report);
  },
});

export const telegramConfig: Decoder<Pending<TelegramConfig>> = integration<TelegramConfig>({
  sendResolved: true,
  fields: {
    apiUrl: field('api_url', httpUrl),
    botToken: field('bot_token', secret),
    botTokenFile: field('bot_token_file', string),
    chatId: field('chat_id', int),
    chatIdFile: field('chat_id_file', string),
    messageThreadId: field('message_thread_id', int),
    message: field('message', string, named('telegram.default.message')),
    disableNotifications: field('disable_notifications', bool),
    parseMode: field('parse_mode', string, 'HTML'),
  },
  check(own, report) {
    atMostOne(own.botToken, own.botTokenFile, 'bot_token & bot_token_file', report);
    if (own.chatId === 0 && own.chatIdFile === '') {
      report('missing chat_id or chat_id_file on telegram_config', 'chat_id');
    }
    if (own.chatId !== 0 && own.chatIdFile !== '') {
      report('at most one of chat_id & chat_id_file must be configured', 'chat_id_file');
    }
    if (!['', 'Markdown', 'MarkdownV2', 'HTML'].includes(own.parseMode)) {
      report(
        'unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string',
        'parse_mode',
      );
    }
  },
  inherit(own, global, report) {
    const apiUrl = own.apiUrl || global.telegramApiUrl;
    if (own.botToken !== '' || own.botTokenFile !== '') return { ...own, apiUrl };
    if (global.telegramBotToken === '' && global.telegramBotTokenFile === '') {
      report('missing bot_token or bot_token_file on telegram_config');
    }
    return { ...own, apiUrl, botToken: global.telegramBotToken, botTokenFile: global.telegramBotTokenFile };
  },
});

export const webexConfig: Decoder<Pending<WebexConfig>> = integration<WebexConfig>({
  sendResolved: true,
  fields: {
    apiUrl: field('api_url', httpUrl),
    message: field('message', string, named('webex.default.message')),
    roomId: field('room_id', string),
  },
  check(own, report) {
    if (own.roomId === '') report('missing room_id on webex_config', 'room_id');
    if (own.httpConfig?.authorization === undefined) {
      report('missing webex_configs.http_config.authorization', 'http_config');
    }
  },
  inherit(own, global, report) {
    const apiUrl = own.apiUrl || global.webexApiUrl;
    if (apiUrl === '') report('no global Webex URL set');
    return { ...own, apiUrl };
  },
});

export const wechatConfig: Decoder<Pending<WechatConfig>> = integration<WechatConfig>({
  sendResolved: false,
  fields: {
    apiSecret: field('api_secret', secret),
    apiSecretFile: field('api_secret_file', string),
    corpId: field('corp_id', string),
    message: field('message', string, named('wechat.default.message')),
    apiUrl: field('api_url', httpUrl),
    toUser: field('to_user', string, named('wechat.default.to_user')),
    toParty: field('to_party', string, named('wechat.default.to_party')),
    toTag: field('to_tag', string, named('wechat.default.to_tag')),
    agentId: field('agent_id', string, named('wechat.default.agent_id')),
    messageType: field('message_type', string),
  },
  check(own, report) {
    if (!['', 'text', 'markdown'].includes(own.messageType)) {
      report(
        `weChat message type "${own.messageType}" does not match valid options text, markdown`,
        'message_type',
      );
    }
    atMostOne(own.apiSecret, own.apiSecretFile, 'api_secret & api_secret_file', report);
  },
  inherit(own, global, report) {
    const apiUrl = own.apiUrl || global.wechatApiUrl;
    if (apiUrl === '') report('no global Wechat URL set');
    const noOwnSecret = own.apiSecret === '' && own.apiSecretFile === '';
    const apiSecret = noOwnSecret ? global.wechatApiSecret : own.apiSecret;
    const apiSecretFile = noOwnSecret ? global.wechatApiSecretFile : own.apiSecretFile;
    if (apiSecret === '' && apiSecretFile === '') {
      report('no global Wechat Api Secret set either inline or in a file');
    }
    const corpId = own.corpId || global.wechatApiCorpId;
    if (corpId === '') report('no global Wechat CorpID set');
    const messageType = own.messageType || 'text';
    return { ...own, apiUrl: withSlash(apiUrl), apiSecret, apiSecretFile, corpId, messageType };
  },
});
