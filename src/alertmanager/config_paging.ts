// Decoders of the integrations that page people, open tickets or hand alerts on: webhook, email, PagerDuty,
// Opsgenie, VictorOps, incident.io, Pushover, Jira, SNS. Defaults are Alertmanager's.
import {
  type Decoder,
  decode,
  type Report,
  type Scope,
  sigv4,
  type TlsConfig,
  tlsConfig,
  type YamlNode,
} from '../model/index.ts';
import {
  atMostOne,
  exactlyOne,
  httpUrl,
  integration,
  isTemplated,
  type Pending,
  templateUrl,
  withSlash,
} from './config_common.ts';
import type {
  EmailConfig,
  IncidentioConfig,
  JiraConfig,
  JiraField,
  OpsGenieConfig,
  OpsGenieResponder,
  PagerdutyConfig,
  PushoverConfig,
  SnsConfig,
  VictorOpsConfig,
  WebhookConfig,
} from './config_receivers.ts';
import type { AlertmanagerGlobalConfig } from './config_types.ts';

const { field, string, secret, bool, uint, duration, goDuration, goDurationText, list, optional, map } =
  decode;

type ValidateTemplate = (text: string) => string | undefined;

export function webhookConfig(validateTemplate: ValidateTemplate): Decoder<Pending<WebhookConfig>> {
  return integration<WebhookConfig>({
    sendResolved: true,
    fields: {
      url: field('url', templateUrl(validateTemplate)),
      urlFile: field('url_file', string),
      maxAlerts: field('max_alerts', uint),
      timeoutMs: field('timeout', goDuration),
      payload: field('payload', decode.anyValue),
    },
    check: (own, report) => exactlyOne(own.url, own.urlFile, 'url', 'url_file', report),
  });
}

/** `host:port`, IPv6 addresses in brackets. */
export const hostPort: Decoder<string> = decode.fromText('', (text) => {
  if (text === '') return text;
  const bracketed = /^\[[^[\]]*\]:([^:[\]]*)$/.exec(text);
  const plain = /^[^:[\]]*:([^:[\]]*)$/.exec(text);
  const port = (bracketed ?? plain)?.[1];
  if (port === undefined) throw new Error(`address ${text}: missing port or too many colons in address`);
  if (port === '') throw new Error(`address "${text}": port cannot be empty`);
  return text;
});

type OwnEmail = Omit<EmailConfig, 'requireTls' | 'tlsConfig'> & {
  readonly requireTls: boolean | undefined;
  readonly tlsConfig: TlsConfig | undefined;
};

const threading = decode.object<EmailConfig['threading']>({
  enabled: field('enabled', bool),
  threadByDate: field('thread_by_date', string),
});

export const emailConfig: Decoder<Pending<EmailConfig>> = decode.section<OwnEmail, Pending<EmailConfig>>(
  {
    sendResolved: field('send_resolved', bool),
    to: field('to', string),
    from: field('from', string),
    hello: field('hello', string),
    smarthost: field('smarthost', hostPort),
    authUsername: field('auth_username', string),
    authPassword: field('auth_password', secret),
    authPasswordFile: field('auth_password_file', string),
    authSecret: field('auth_secret', secret),
    authSecretFile: field('auth_secret_file', string),
    authIdentity: field('auth_identity', string),
    headers: field('headers', map(string)),
    html: field('html', string, '{{ template "email.default.html" . }}'),
    text: field('text', string),
    requireTls: field('require_tls', optional(bool)),
    tlsConfig: field('tls_config', optional(tlsConfig)),
    forceImplicitTls: field('force_implicit_tls', optional(bool)),
    threading: field('threading', threading, threading.initial()),
  },
  (raw, report) => {
    const own = { ...raw, headers: canonicalHeaders(raw.headers, report) };
    if (own.to === '') report('missing to address in email config', 'to');
    if (own.threading.enabled) checkThreading(own, report);
    return { resolve: (global) => inheritEmail(own, global, report) };
  },
);

function canonicalHeaders(
  headers: Readonly<Record<string, string>>,
  report: Report,
): Readonly<Record<string, string>> {
  const canonical: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const normalized = name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
    if (Object.hasOwn(canonical, normalized)) {
      report(`duplicate header "${normalized}" in email config`, 'headers');
    }
    canonical[normalized] = value;
  }
  return canonical;
}

function checkThreading(own: OwnEmail, report: Report): void {
  for (const name of ['References', 'In-Reply-To']) {
    if (Object.hasOwn(own.headers, name)) {
      report(`conflicting configuration: threading.enabled conflicts with custom ${name} header`, 'headers');
    }
  }
  if (!['none', 'daily'].includes(own.threading.threadByDate)) {
    report("threading.thread_by_date must be either 'none' or 'daily'", 'threading');
  }
}

function inheritEmail(own: OwnEmail, global: AlertmanagerGlobalConfig, report: Report): EmailConfig {
  const smarthost = own.smarthost || global.smtpSmarthost;
  const from = own.from || global.smtpFrom;
  if (smarthost === '') report('no global SMTP smarthost set', 'smarthost');
  else if (from === '') report('no global SMTP from set', 'from');
  const noOwnPassword = own.authPassword === '' && own.authPasswordFile === '';
  return {
    ...own,
    smarthost,
    from,
    hello: own.hello || global.smtpHello,
    authUsername: own.authUsername || global.smtpAuthUsername,
    authPassword: noOwnPassword ? global.smtpAuthPassword : own.authPassword,
    authPasswordFile: noOwnPassword ? global.smtpAuthPasswordFile : own.authPasswordFile,
    authSecret: own.authSecret || global.smtpAuthSecret,
    authSecretFile: own.authSecretFile || global.smtpAuthSecretFile,
    authIdentity: own.authIdentity || global.smtpAuthIdentity,
    requireTls: own.requireTls ?? global.smtpRequireTls,
    tlsConfig: own.tlsConfig ?? global.smtpTlsConfig,
    forceImplicitTls: own.forceImplicitTls ?? global.smtpForceImplicitTls,
  };
}

const pagerdutyDetails: Readonly<Record<string, unknown>> = {
  firing: '{{ .Alerts.Firing | toJson }}',
  resolved: '{{ .Alerts.Resolved | toJson }}',
  num_firing: '{{ .Alerts.Firing | len }}',
  num_resolved: '{{ .Alerts.Resolved | len }}',
};

const pagerdutyImage = decode.object<PagerdutyConfig['images'][number]>({
  src: field('src', string),
  alt: field('alt', string),
  href: field('href', string),
});
const pagerdutyLink = decode.object<PagerdutyConfig['links'][number]>({
  href: field('href', string),
  text: field('text', string),
});

export const pagerdutyConfig: Decoder<Pending<PagerdutyConfig>> = integration<PagerdutyConfig>({
  sendResolved: true,
  fields: {
    serviceKey: field('service_key', secret),
    serviceKeyFile: field('service_key_file', string),
    routingKey: field('routing_key', secret),
    routingKeyFile: field('routing_key_file', string),
    url: field('url', httpUrl),
    client: field('client', string, '{{ template "pagerduty.default.client" . }}'),
    clientUrl: field('client_url', string, '{{ template "pagerduty.default.clientURL" . }}'),
    description: field('description', string, '{{ template "pagerduty.default.description" .}}'),
    details: field('details', map(decode.anyValue)),
    images: field('images', list(pagerdutyImage)),
    links: field('links', list(pagerdutyLink)),
    source: field('source', string),
    severity: field('severity', string),
    class: field('class', string),
    component: field('component', string),
    group: field('group', string),
    timeoutMs: field('timeout', goDuration),
  },
  check(own, report) {
    if (decode.countSet(own.routingKey, own.serviceKey, own.routingKeyFile, own.serviceKeyFile) === 0) {
      report('missing service or routing key in PagerDuty config');
    }
    atMostOne(own.routingKey, own.routingKeyFile, 'routing_key & routing_key_file', report);
    atMostOne(own.serviceKey, own.serviceKeyFile, 'service_key & service_key_file', report);
  },
  inherit(own, global, report) {
    const url = own.url || global.pagerdutyUrl;
    if (url === '') report('no global PagerDuty URL set', 'url');
    return {
      ...own,
      url,
      source: own.source || own.client,
      details: { ...pagerdutyDetails, ...own.details },
    };
  },
});

const responder = decode.object<OpsGenieResponder>({
  id: field('id', string),
  name: field('name', string),
  username: field('username', string),
  type: field('type', string),
});

const responderTypes = ['team', 'teams', 'user', 'escalation', 'schedule'];

export function opsGenieConfig(validateTemplate: ValidateTemplate): Decoder<Pending<OpsGenieConfig>> {
  return integration<OpsGenieConfig>({
    sendResolved: true,
    fields: {
      apiKey: field('api_key', secret),
      apiKeyFile: field('api_key_file', string),
      apiUrl: field('api_url', httpUrl),
      message: field('message', string, '{{ template "opsgenie.default.message" . }}'),
      description: field('description', string, '{{ template "opsgenie.default.description" . }}'),
      source: field('source', string, '{{ template "opsgenie.default.source" . }}'),
      details: field('details', map(string)),
      entity: field('entity', string),
      responders: field('responders', list(responder)),
      actions: field('actions', string),
      tags: field('tags', string),
      note: field('note', string),
      priority: field('priority', string),
      updateAlerts: field('update_alerts', bool),
    },
    check(own, report) {
      atMostOne(own.apiKey, own.apiKeyFile, 'api_key & api_key_file', report);
      for (const item of own.responders) checkResponder(item, validateTemplate, report);
    },
    inherit(own, global, report) {
      const apiUrl = own.apiUrl || global.opsgenieApiUrl;
      if (apiUrl === '') report('no global OpsGenie URL set', 'api_url');
      const apiKey = own.apiKey || global.opsgenieApiKey;
      const apiKeyFile = own.apiKeyFile || global.opsgenieApiKeyFile;
      if (apiKey === '' && apiKeyFile === '') {
        report('no global OpsGenie API Key set either inline or in a file');
      }
      return { ...own, apiUrl: withSlash(apiUrl), apiKey, apiKeyFile };
    },
  });
}

function checkResponder(item: OpsGenieResponder, validateTemplate: ValidateTemplate, report: Report): void {
  if (item.id === '' && item.username === '' && item.name === '') {
    report(
      'opsGenieConfig responder has to have at least one of id, username or name specified',
      'responders',
    );
  }
  if (isTemplated(item.type)) {
    const problem = validateTemplate(item.type);
    if (problem !== undefined) {
      report(`opsGenieConfig responder type contains invalid template syntax: ${problem}`, 'responders');
    }
  } else if (!responderTypes.includes(item.type.toLowerCase())) {
    report(
      `opsGenieConfig responder type "${item.type}" does not match valid options ${responderTypes.join(', ')}`,
      'responders',
    );
  }
}

const victorOpsReserved = [
  'routing_key',
  'message_type',
  'state_message',
  'entity_display_name',
  'monitoring_tool',
  'entity_id',
  'entity_state',
];

export const victorOpsConfig: Decoder<Pending<VictorOpsConfig>> = integration<VictorOpsConfig>({
  sendResolved: true,
  fields: {
    apiKey: field('api_key', secret),
    apiKeyFile: field('api_key_file', string),
    apiUrl: field('api_url', httpUrl),
    routingKey: field('routing_key', string),
    messageType: field('message_type', string, 'CRITICAL'),
    stateMessage: field('state_message', string, '{{ template "victorops.default.state_message" . }}'),
    entityDisplayName: field(
      'entity_display_name',
      string,
      '{{ template "victorops.default.entity_display_name" . }}',
    ),
    monitoringTool: field('monitoring_tool', string, '{{ template "victorops.default.monitoring_tool" . }}'),
    customFields: field('custom_fields', map(string)),
  },
  check(own, report) {
    if (own.routingKey === '') report('missing Routing key in VictorOps config', 'routing_key');
    atMostOne(own.apiKey, own.apiKeyFile, 'api_key & api_key_file', report);
    for (const name of victorOpsReserved) {
      if (!Object.hasOwn(own.customFields, name)) continue;
      report(
        `victorOps config contains custom field ${name} which cannot be used as it conflicts with the fixed/static fields`,
        'custom_fields',
      );
    }
  },
  inherit(own, global, report) {
    const apiUrl = own.apiUrl || global.victoropsApiUrl;
    if (apiUrl === '') report('no global VictorOps URL set', 'api_url');
    const apiKey = own.apiKey || global.victoropsApiKey;
    const apiKeyFile = own.apiKeyFile || global.victoropsApiKeyFile;
    if (apiKey === '' && apiKeyFile === '') report('no global VictorOps API Key set');
    return { ...own, apiUrl: withSlash(apiUrl), apiKey, apiKeyFile };
  },
});

export const incidentioConfig: Decoder<Pending<IncidentioConfig>> = integration<IncidentioConfig>({
  sendResolved: true,
  fields: {
    url: field('url', httpUrl),
    urlFile: field('url_file', string),
    alertSourceToken: field('alert_source_token', secret),
    alertSourceTokenFile: field('alert_source_token_file', string),
    maxAlerts: field('max_alerts', uint),
    timeoutMs: field('timeout', goDuration),
  },
  check(own, report) {
    exactlyOne(own.url, own.urlFile, 'url', 'url_file', report);
    const { alertSourceToken, alertSourceTokenFile, httpConfig } = own;
    atMostOne(alertSourceToken, alertSourceTokenFile, 'alert_source_token & alert_source_token_file', report);
    const tokens = decode.countSet(alertSourceToken, alertSourceTokenFile);
    if (httpConfig === undefined) return;
    if (httpConfig.authorization !== undefined && tokens > 0) {
      report(
        'cannot specify alert_source_token or alert_source_token_file when using http_config.authorization',
        'http_config',
      );
    }
    if (httpConfig.authorization === undefined && tokens === 0) {
      report(
        'at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured',
      );
    }
  },
});

const minuteMs = 60_000;

export const pushoverConfig: Decoder<Pending<PushoverConfig>> = integration<PushoverConfig>({
  sendResolved: true,
  fields: {
    userKey: field('user_key', secret),
    userKeyFile: field('user_key_file', string),
    token: field('token', secret),
    tokenFile: field('token_file', string),
    title: field('title', string, '{{ template "pushover.default.title" . }}'),
    message: field('message', string, '{{ template "pushover.default.message" . }}'),
    url: field('url', string, '{{ template "pushover.default.url" . }}'),
    urlTitle: field('url_title', string),
    device: field('device', string),
    sound: field('sound', string),
    priority: field('priority', string, '{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'),
    retryMs: field('retry', goDurationText, minuteMs),
    expireMs: field('expire', goDurationText, 60 * minuteMs),
    ttlMs: field('ttl', goDurationText),
    html: field('html', bool),
    monospace: field('monospace', bool),
  },
  check(own, report) {
    exactlyOne(own.userKey, own.userKeyFile, 'user_key', 'user_key_file', report);
    exactlyOne(own.token, own.tokenFile, 'token', 'token_file', report);
    if (own.html && own.monospace) {
      report('at most one of monospace & html must be configured', 'monospace');
    }
  },
});

const jiraFieldObject = decode.section<
  { readonly template: string; readonly enableUpdate: boolean | undefined },
  JiraField
>(
  { template: field('template', string), enableUpdate: field('enable_update', optional(bool)) },
  ({ template, enableUpdate }) => ({ template, enableUpdate: enableUpdate ?? true }),
);

/** A template, or a section with the template in it. */
const jiraField: Decoder<JiraField> = {
  zero: jiraFieldObject.zero,
  decode: (node: YamlNode, scope: Scope) =>
    node.kind === 'scalar'
      ? { template: string.decode(node, scope), enableUpdate: true }
      : jiraFieldObject.decode(node, scope),
};

function jiraTemplate(name: string): JiraField {
  return { template: `{{ template "jira.default.${name}" . }}`, enableUpdate: true };
}

export const jiraConfig: Decoder<Pending<JiraConfig>> = integration<JiraConfig>({
  sendResolved: true,
  fields: {
    apiUrl: field('api_url', httpUrl),
    apiType: field('api_type', string, 'auto'),
    project: field('project', string),
    summary: field('summary', jiraField, jiraTemplate('summary')),
    description: field('description', jiraField, jiraTemplate('description')),
    labels: field('labels', list(string)),
    priority: field('priority', string, '{{ template "jira.default.priority" . }}'),
    issueType: field('issue_type', string),
    reopenTransition: field('reopen_transition', string),
    resolveTransition: field('resolve_transition', string),
    wontFixResolution: field('wont_fix_resolution', string),
    reopenDurationMs: field('reopen_duration', duration),
    fields: field('fields', map(decode.anyValue)),
  },
  check(own, report) {
    if (own.project === '') report('missing project in jira_config', 'project');
    if (own.issueType === '') report('missing issue_type in jira_config', 'issue_type');
    if (!['auto', 'cloud', 'datacenter'].includes(own.apiType)) {
      report('unknown api_type on jira_config, must be auto, cloud or datacenter', 'api_type');
    }
  },
  inherit(own, global, report) {
    const apiUrl = own.apiUrl || global.jiraApiUrl;
    if (apiUrl === '') report('no global Jira Cloud URL set', 'api_url');
    return { ...own, apiUrl };
  },
});

export const snsConfig: Decoder<Pending<SnsConfig>> = integration<SnsConfig>({
  sendResolved: true,
  fields: {
    apiUrl: field('api_url', string),
    sigv4: field('sigv4', sigv4, sigv4.initial()),
    topicArn: field('topic_arn', string),
    phoneNumber: field('phone_number', string),
    targetArn: field('target_arn', string),
    subject: field('subject', string, '{{ template "sns.default.subject" . }}'),
    message: field('message', string, '{{ template "sns.default.message" . }}'),
    attributes: field('attributes', map(string)),
    useAwsHttpClient: field('use_aws_http_client', bool),
  },
  check(own, report) {
    // One of the three, or all of them: Alertmanager's rule as it is.
    if (decode.countSet(own.targetArn, own.topicArn, own.phoneNumber) % 2 === 0) {
      report('must provide either a Target ARN, Topic ARN, or Phone Number for SNS config');
    }
  },
});
