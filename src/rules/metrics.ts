/** The rule engine's metrics, under Prometheus' names. */
import { Counter, Gauge, type Registry, Summary } from 'prom-client';

const perGroup = ['rule_group'] as const;
type GroupLabel = (typeof perGroup)[number];

export interface RuleMetrics {
  readonly evaluations: Counter<GroupLabel>;
  readonly evaluationFailures: Counter<GroupLabel>;
  readonly evaluationDuration: Summary;
  readonly groupDuration: Summary;
  readonly iterations: Counter<GroupLabel>;
  readonly iterationsMissed: Counter<GroupLabel>;
  readonly interval: Gauge<GroupLabel>;
  readonly lastEvaluation: Gauge<GroupLabel>;
  readonly lastDuration: Gauge<GroupLabel>;
  readonly rules: Gauge<GroupLabel>;
  readonly lastSamples: Gauge<GroupLabel>;
  /** Rules that kept their state because their query's answer was incomplete. */
  readonly held: Counter<GroupLabel>;
  readonly alertSendFailures: Counter<GroupLabel>;
}

export function createRuleMetrics(registry: Registry): RuleMetrics {
  const registers = [registry];
  const counter = (name: string, help: string): Counter<GroupLabel> =>
    new Counter({ name, help, labelNames: perGroup, registers });
  const gauge = (name: string, help: string): Gauge<GroupLabel> =>
    new Gauge({ name, help, labelNames: perGroup, registers });
  const summary = (name: string, help: string): Summary =>
    new Summary({ name, help, registers, percentiles: [0.5, 0.9, 0.99], maxAgeSeconds: 600, ageBuckets: 5 });
  return {
    evaluations: counter('prometheus_rule_evaluations_total', 'Rule evaluations.'),
    evaluationFailures: counter('prometheus_rule_evaluation_failures_total', 'Rule evaluations that failed.'),
    evaluationDuration: summary('prometheus_rule_evaluation_duration_seconds', 'Duration of one rule.'),
    groupDuration: summary('prometheus_rule_group_duration_seconds', 'Duration of one rule group.'),
    iterations: counter(
      'prometheus_rule_group_iterations_total',
      'Scheduled group evaluations, missed ones too.',
    ),
    iterationsMissed: counter(
      'prometheus_rule_group_iterations_missed_total',
      'Group evaluations left out because the one before took too long.',
    ),
    interval: gauge('prometheus_rule_group_interval_seconds', 'Interval of a rule group.'),
    lastEvaluation: gauge(
      'prometheus_rule_group_last_evaluation_timestamp_seconds',
      'When a rule group was last evaluated.',
    ),
    lastDuration: gauge(
      'prometheus_rule_group_last_duration_seconds',
      'Duration of the last group evaluation.',
    ),
    rules: gauge('prometheus_rule_group_rules', 'Rules of a group.'),
    lastSamples: gauge(
      'prometheus_rule_group_last_evaluation_samples',
      'Samples of the last group evaluation.',
    ),
    held: counter('torchring_rule_evaluations_held_total', 'Rules that kept their state for lack of data.'),
    alertSendFailures: counter(
      'torchring_rule_alert_send_failures_total',
      'Alert deliveries that nobody took.',
    ),
  };
}

/** Takes a group's series off the page when it leaves this node. */
export function forgetGroup(metrics: RuleMetrics, group: string): void {
  for (const metric of Object.values(metrics)) if (!(metric instanceof Summary)) metric.remove(group);
}
