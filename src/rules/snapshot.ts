/**
 * A rule group's state as plain data (version 1), so that it can move to another node or survive a reload:
 * alerts, the series written last (for stale markers), and the last slot (for the schedule).
 */
import { Labels } from '../model/index.ts';
import type { Alert } from './alert.ts';
import { AlertingRule } from './alerting_rule.ts';
import { SnapshotFormatError } from './errors.ts';
import type { Rule } from './rule.ts';

export const groupSnapshotVersion = 1;

export interface AlertSnapshot extends Omit<Alert, 'labels'> {
  readonly labels: Readonly<Record<string, string>>;
}

export interface RuleSnapshot {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly alerts: readonly AlertSnapshot[];
  readonly series: readonly Readonly<Record<string, string>>[];
}

export interface GroupSnapshot {
  readonly version: number;
  readonly intervalMs: number;
  readonly lastSlotMs: number | null;
  readonly rules: readonly RuleSnapshot[];
  readonly orphans: readonly Readonly<Record<string, string>>[];
}

export function writeSnapshot(state: {
  rules: readonly Rule[];
  seriesBefore: readonly ReadonlyMap<string, Labels>[];
  orphans: readonly Labels[];
  lastSlotMs: number | undefined;
  intervalMs: number;
}): GroupSnapshot {
  return {
    version: groupSnapshotVersion,
    intervalMs: state.intervalMs,
    lastSlotMs: state.lastSlotMs ?? null,
    orphans: state.orphans.map((labels) => labels.toRecord()),
    rules: state.rules.map((rule, i) => ({
      type: rule.type,
      name: rule.name,
      labels: rule.labels.toRecord(),
      alerts:
        rule instanceof AlertingRule
          ? rule.alerts.map((alert) => ({ ...alert, labels: alert.labels.toRecord() }))
          : [],
      series: [...(state.seriesBefore[i]?.values() ?? [])].map((labels) => labels.toRecord()),
    })),
  };
}

const identity = (type: string, name: string, labels: Labels): string => `${type}\n${name}\n${labels.key()}`;

/** Gives each rule its state; rules are matched by type, name and labels, equal ones in order. */
export function readSnapshot(
  snapshot: GroupSnapshot,
  rules: readonly Rule[],
): { seriesBefore: Map<string, Labels>[]; orphans: Labels[] } {
  if (snapshot.version !== groupSnapshotVersion) {
    throw new SnapshotFormatError(`version ${snapshot.version} is not known here`);
  }
  const waiting = new Map<string, RuleSnapshot[]>();
  for (const rule of snapshot.rules) {
    const key = identity(rule.type, rule.name, Labels.fromRecord(rule.labels));
    waiting.set(key, [...(waiting.get(key) ?? []), rule]);
  }
  const seriesBefore = rules.map((rule) => {
    const from = waiting.get(identity(rule.type, rule.name, rule.labels))?.shift();
    if (from !== undefined && rule instanceof AlertingRule) rule.replaceAlerts(from.alerts.map(readAlert));
    return new Map((from?.series ?? []).map(readSeries));
  });
  const orphans = snapshot.orphans.map((record) => Labels.fromRecord(record));
  for (const left of waiting.values()) {
    for (const rule of left) orphans.push(...rule.series.map((record) => Labels.fromRecord(record)));
  }
  return { seriesBefore, orphans };
}

function readSeries(record: Readonly<Record<string, string>>): [string, Labels] {
  const labels = Labels.fromRecord(record);
  return [labels.key(), labels];
}

/** JSON drops undefined fields; they come back here. */
function readAlert(alert: AlertSnapshot): Alert {
  return {
    labels: Labels.fromRecord(alert.labels),
    annotations: alert.annotations,
    state: alert.state,
    value: alert.value,
    activeAtMs: alert.activeAtMs,
    firedAtMs: alert.firedAtMs,
    resolvedAtMs: alert.resolvedAtMs,
    lastSentAtMs: alert.lastSentAtMs,
    validUntilMs: alert.validUntilMs,
    keepFiringSinceMs: alert.keepFiringSinceMs,
  };
}
