/**
 * Restores how long alerts have been pending before a restart, from the last sample of ALERTS_FOR_STATE: its
 * value says since when the alert was active, its time when the server was last alive. The time it was down
 * doesn't count, and nothing fires before a grace period, in which scrapes can still clear the alert.
 */
import { isStaleNaN, Matcher, MatchType, metricNameLabel, type SeriesColumns } from '../model/index.ts';
import { type AlertingRule, alertNameLabel, alertsForStateMetric } from './alerting_rule.ts';
import type { SeriesReader } from './types.ts';

export interface RestoreOptions {
  /** Longer outages restore nothing (`--rules.alert.for-outage-tolerance`). */
  readonly outageToleranceMs: number;
  /** Least time between restoring and firing (`--rules.alert.for-grace-period`). */
  readonly gracePeriodMs: number;
}

export const defaultRestoreOptions: RestoreOptions = { outageToleranceMs: 3_600_000, gracePeriodMs: 600_000 };

export interface RestoreOutcome {
  /** The data was incomplete: worth another try. */
  readonly retry: boolean;
  readonly error?: unknown;
}

/** Labels with templates differ per alert and can't be looked up. */
function stateMatchers(rule: AlertingRule): Matcher[] {
  const matchers = [
    Matcher.create(MatchType.Equal, metricNameLabel, alertsForStateMetric),
    Matcher.create(MatchType.Equal, alertNameLabel, rule.name),
  ];
  for (const [name, value] of rule.labels) {
    if (!value.includes('{{') && name !== alertNameLabel)
      matchers.push(Matcher.create(MatchType.Equal, name, value));
  }
  return matchers;
}

/** The new activation time; undefined when the alert wasn't active. */
function restoredActiveAtMs(
  series: SeriesColumns,
  forMs: number,
  nowMs: number,
  gracePeriodMs: number,
): number | undefined {
  const last = series.timestamps.length - 1;
  if (last < 0 || isStaleNaN(series.values, last)) return undefined;
  const lastMs = series.timestamps[last] as number;
  const downAtMs = Math.floor(lastMs / 1000) * 1000;
  const activeAtMs = (series.values[last] as number) * 1000;
  // Anyone may write samples of that name; a time that is none would break whatever shows it.
  if (!(activeAtMs >= 0 && activeAtMs <= lastMs)) return undefined;
  const remainingMs = forMs - (downAtMs - activeAtMs);
  // It was firing already, and fires again at the next evaluation that still finds it.
  if (remainingMs <= 0) return activeAtMs;
  if (remainingMs < gracePeriodMs) return nowMs + gracePeriodMs - forMs;
  return activeAtMs + (nowMs - downAtMs);
}

/** Moves the activation times of the rule's present alerts. Never throws, except when aborted. */
export async function restoreForState(
  rule: AlertingRule,
  nowMs: number,
  readSeries: SeriesReader,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<RestoreOutcome> {
  const { forMs } = rule.config;
  // Waiting out `for` is shorter than the grace period.
  if (forMs < options.gracePeriodMs) return { retry: false };
  try {
    const answer = await readSeries(stateMatchers(rule), nowMs - options.outageToleranceMs, nowMs, signal);
    const byKey = new Map(answer.series.map((series) => [series.labels.withoutMetricName().key(), series]));
    for (const alert of rule.alerts) {
      const series = byKey.get(alert.labels.key());
      if (series === undefined) continue;
      alert.activeAtMs = restoredActiveAtMs(series, forMs, nowMs, options.gracePeriodMs) ?? alert.activeAtMs;
    }
    return { retry: answer.incomplete };
  } catch (error) {
    signal.throwIfAborted();
    return { retry: false, error };
  }
}
