// The built-in Alertmanager's configuration.
export {
  type AlertmanagerOptions,
  type LoadedAlertmanagerConfig,
  parseAlertmanagerConfig,
} from './config_decoders.ts';
export type { NotifierConfigs, WebhookConfig } from './config_receivers.ts';
export type {
  AlertmanagerConfig,
  AlertmanagerGlobalConfig,
  InhibitRule,
  MatcherConfig,
  NamedTimeInterval,
  Receiver,
  Route,
  TimeInterval,
} from './config_types.ts';
export { parseMatchers } from './matcher_text.ts';
