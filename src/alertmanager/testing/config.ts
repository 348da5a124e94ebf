/** Small Alertmanager configurations for tests, with every field filled in. */
import type { HttpClientConfig, TlsConfig } from '../../model/index.ts';
import type {
  AlertmanagerConfig,
  AlertmanagerGlobalConfig,
  Receiver,
  Route,
  WebhookConfig,
} from '../config.ts';

export const noTls: TlsConfig = {
  ca: '',
  cert: '',
  key: '',
  caFile: '',
  certFile: '',
  keyFile: '',
  caRef: '',
  certRef: '',
  keyRef: '',
  serverName: '',
  insecureSkipVerify: false,
  minVersion: undefined,
  maxVersion: undefined,
};

export const plainHttp: HttpClientConfig = {
  basicAuth: undefined,
  authorization: undefined,
  oauth2: undefined,
  tlsConfig: noTls,
  followRedirects: true,
  enableHttp2: true,
  httpHeaders: {},
  proxyUrl: '',
  noProxy: '',
  proxyFromEnvironment: false,
  proxyConnectHeader: {},
};

export function webhookConfig(part: Partial<WebhookConfig> = {}): WebhookConfig {
  return {
    sendResolved: true,
    httpConfig: plainHttp,
    url: 'http://receiver/',
    urlFile: '',
    maxAlerts: 0,
    timeoutMs: 0,
    payload: undefined,
    ...part,
  };
}

export function routeConfig(part: Partial<Route> = {}): Route {
  return {
    receiver: '',
    groupBy: undefined,
    groupByAll: false,
    matchers: [],
    muteTimeIntervals: [],
    activeTimeIntervals: [],
    continue: false,
    routes: [],
    groupWaitMs: undefined,
    groupIntervalMs: undefined,
    repeatIntervalMs: undefined,
    ...part,
  };
}

export function receiverConfig(
  name: string,
  webhooks: readonly WebhookConfig[] = [webhookConfig()],
): Receiver {
  return { name, labels: {}, webhookConfigs: webhooks } as Receiver;
}

export function alertmanagerConfig(part: Partial<AlertmanagerConfig> = {}): AlertmanagerConfig {
  return {
    global: { resolveTimeoutMs: 300_000, httpConfig: plainHttp } as AlertmanagerGlobalConfig,
    route: routeConfig({ receiver: 'team' }),
    inhibitRules: [],
    receivers: [receiverConfig('team')],
    templates: [],
    timeIntervals: [],
    ...part,
  };
}
