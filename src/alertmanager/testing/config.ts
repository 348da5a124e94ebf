/** Small Alertmanager configurations for tests, with every field filled in. */
import { type HttpClientConfig, httpClient } from '../../model/index.ts';
import type {
  AlertmanagerConfig,
  AlertmanagerGlobalConfig,
  Receiver,
  Route,
  WebhookConfig,
} from '../config.ts';
import { route } from '../config_routes.ts';

export const plainHttp: HttpClientConfig = httpClient().initial();

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
  return { ...route.zero.route, ...part };
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
