export type { Alert, AlertState } from './alert.ts';
export { resolvedRetentionMs } from './alert.ts';
export { AlertingRule, alertNameLabel, alertsForStateMetric, alertsMetric } from './alerting_rule.ts';
export { parseRuleFile, type RuleConfig, type RuleFileChecks, type RuleGroupConfig } from './config.ts';
export {
  DuplicateAlertLabelsError,
  DuplicateRecordingLabelsError,
  PartialDataError,
  RuleLimitError,
  SnapshotFormatError,
} from './errors.ts';
export {
  defaultResendDelayMs,
  RuleGroup,
  type RuleGroupDeps,
  type RuleGroupOptions,
  ruleGroupKey,
} from './group.ts';
export { createRuleMetrics, forgetGroup, type RuleMetrics } from './metrics.ts';
export type { OutgoingOptions } from './outgoing.ts';
export { RecordingRule } from './recording_rule.ts';
export { defaultRestoreOptions, type RestoreOptions } from './restore.ts';
export type { Rule } from './rule.ts';
export { type GroupSchedule, groupOffsetMs, groupSchedule, nextSlot, slotBefore } from './schedule.ts';
export { type GroupSnapshot, groupSnapshotVersion } from './snapshot.ts';
export { checkRuleTemplate } from './template_check.ts';
export type {
  AlertSink,
  Appender,
  PartialDataPolicy,
  PostedAlert,
  QueryAnswer,
  RuleHealth,
  SeriesReader,
  VectorSample,
} from './types.ts';
export {
  type AlertingRuleView,
  type AlertView,
  activeAlertViews,
  alertsView,
  type RecordingRuleView,
  type RuleGroupView,
  type RuleViewOptions,
  ruleGroupView,
  ruleView,
} from './views.ts';
