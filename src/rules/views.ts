/** Rules and alerts as `/api/v1/rules` and `/api/v1/alerts` show them, field for field as Prometheus. */

import { formatFloatE, formatGoTime } from '../model/index.ts';
import type { Alert } from './alert.ts';
import type { AlertingRule } from './alerting_rule.ts';
import type { RuleGroup } from './group.ts';
import type { Rule } from './rule.ts';
import type { RuleHealth } from './types.ts';

export interface AlertView {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
  readonly keepFiringSince?: string;
  readonly value: string;
}

interface RuleStatusView {
  readonly health: RuleHealth;
  readonly lastError?: string;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
}

export interface AlertingRuleView extends RuleStatusView {
  readonly state: string;
  readonly name: string;
  readonly query: string;
  readonly duration: number;
  readonly keepFiringFor: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly alerts: readonly AlertView[] | null;
  readonly type: 'alerting';
}

export interface RecordingRuleView extends RuleStatusView {
  readonly name: string;
  readonly query: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly type: 'recording';
}

export interface RuleGroupView {
  readonly name: string;
  readonly file: string;
  readonly rules: readonly (AlertingRuleView | RecordingRuleView)[];
  readonly interval: number;
  readonly limit: number;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
}

export interface RuleViewOptions {
  readonly excludeAlerts?: boolean;
  /** How expressions are shown: printed canonically; default as written. */
  readonly printExpr?: (expr: string) => string;
}

function alertView(alert: Alert): AlertView {
  const keep = alert.keepFiringSinceMs;
  return {
    labels: alert.labels.toRecord(),
    annotations: alert.annotations,
    state: alert.state,
    activeAt: formatGoTime(alert.activeAtMs),
    ...(keep === undefined ? {} : { keepFiringSince: formatGoTime(keep) }),
    value: formatFloatE(alert.value),
  };
}

/** Pending and firing alerts of a rule. */
export function activeAlertViews(rule: AlertingRule): AlertView[] {
  return rule.alerts.filter((alert) => alert.resolvedAtMs === undefined).map(alertView);
}

function statusView(rule: Rule): RuleStatusView {
  const { health, lastError, evaluationDurationMs, lastEvaluationMs } = rule.status;
  return {
    health,
    ...(lastError === '' ? {} : { lastError }),
    evaluationTime: evaluationDurationMs / 1000,
    lastEvaluation: formatGoTime(lastEvaluationMs),
  };
}

export function ruleView(rule: Rule, options: RuleViewOptions = {}): AlertingRuleView | RecordingRuleView {
  const query = options.printExpr?.(rule.config.expr) ?? rule.config.expr;
  const labels = rule.labels.toRecord();
  if (rule.type === 'recording') {
    return {
      name: rule.name,
      query,
      ...(rule.labels.size > 0 ? { labels } : {}),
      ...statusView(rule),
      type: 'recording',
    };
  }
  return {
    state: rule.state,
    name: rule.name,
    query,
    duration: rule.config.forMs / 1000,
    keepFiringFor: rule.config.keepFiringForMs / 1000,
    labels,
    annotations: rule.config.annotations,
    alerts: options.excludeAlerts === true ? null : activeAlertViews(rule),
    ...statusView(rule),
    type: 'alerting',
  };
}

export function ruleGroupView(group: RuleGroup, options: RuleViewOptions = {}): RuleGroupView {
  return {
    name: group.config.name,
    file: group.config.file,
    rules: group.rules.map((rule) => ruleView(rule, options)),
    interval: group.schedule.intervalMs / 1000,
    limit: group.config.limit,
    evaluationTime: group.evaluationDurationMs / 1000,
    lastEvaluation: formatGoTime(group.lastEvaluationMs),
  };
}

const stateRank: Readonly<Record<string, number>> = { firing: 3, pending: 2, inactive: 1, unknown: 0 };

/** The data of `/api/v1/alerts`: firing rules first, then by name. */
export function alertsView(groups: Iterable<RuleGroup>): { alerts: AlertView[] } {
  const alerts: AlertView[] = [];
  for (const group of groups) {
    const sorted = group.alertingRules.toSorted(
      (a, b) => (stateRank[b.state] ?? 0) - (stateRank[a.state] ?? 0) || (a.name < b.name ? -1 : 1),
    );
    for (const rule of sorted) alerts.push(...activeAlertViews(rule));
  }
  return { alerts };
}
