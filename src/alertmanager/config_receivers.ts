// The integrations of a receiver, as configured; fields left out there are already inherited from `global`.
import type { HttpClientConfig } from '../model/index.ts';

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

export interface NotifierConfigs {
  readonly webhookConfigs: readonly WebhookConfig[];
}
