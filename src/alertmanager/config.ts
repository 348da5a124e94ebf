// The built-in Alertmanager's configuration.
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
export type { NotifierConfigs, WebhookConfig } from './config_receivers.ts';
