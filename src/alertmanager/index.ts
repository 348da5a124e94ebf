export { AggregationGroup } from './aggregation_group.ts';
export { isResolved, mergeAlerts, type StoredAlert } from './alert.ts';
export type {
  AlertmanagerConfig,
  AlertmanagerGlobalConfig,
  InhibitRule,
  MatcherConfig,
  NamedTimeInterval,
  NotifierConfigs,
  Receiver,
  Route,
  TimeInterval,
  WebhookConfig,
} from './config.ts';
export {
  type AlertmanagerOptions,
  type LoadedAlertmanagerConfig,
  parseAlertmanagerConfig,
  parseMatchers,
} from './config.ts';
export { type Decision, decideNotification } from './dedup.ts';
export { Dispatcher, type DispatcherOptions, defaultStartDelayMs } from './dispatcher.ts';
export type { DispatcherEffect, DispatcherEvent, NotifyFailure, NotifyRequest } from './effects.ts';
export {
  BadAlertError,
  BadSilenceError,
  LogFormatError,
  NotifyError,
  SilenceNotFoundError,
} from './errors.ts';
export { fingerprint } from './fingerprint.ts';
export { compileMatchers } from './matchers.ts';
export { type AlertmanagerMetrics, createAlertmanagerMetrics } from './metrics.ts';
export {
  entryRetentionMs,
  type IntegrationKey,
  type Intent,
  type LogEntry,
  type LogSnapshot,
  NotificationLog,
  type NotificationRecord,
  notificationLogVersion,
} from './notification_log.ts';
export { Notifiers, type NotifiersDeps } from './notify/notifiers.ts';
export { idempotencyHeader } from './notify/webhook.ts';
export { type PostedAlertsOutcome, parsePostedAlerts } from './posted_alerts.ts';
export { parsePostedSilence } from './posted_silence.ts';
export { unsupportedIntegrations } from './receivers.ts';
export { RouteNode } from './route.ts';
export {
  expireSilence,
  putSilence,
  type Silence,
  type SilenceChange,
  type SilenceMatcher,
  type SilenceRequest,
  silenceForgettable,
  silenceRetentionMs,
  silenceState,
} from './silence.ts';
export { inTimeInterval } from './time_interval.ts';
export {
  type AlertFilter,
  type AlertGroupView,
  alertGroupsView,
  alertsView,
  type GettableAlert,
  type GettableSilence,
  receiversView,
  type StatusInput,
  silencesView,
  silenceView,
  statusView,
} from './views.ts';
