/** The notification's data as receivers get it: Alertmanager's webhook message, version 4. */
import { formatGoTime } from '../model/index.ts';
import type { NotifyReason } from './dedup.ts';
import type { NotifiedAlert } from './notification_log.ts';

export interface AlertPayload {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
}

export interface NotificationPayload {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly AlertPayload[];
  readonly notification_reason: NotifyReason;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly commonLabels: Readonly<Record<string, string>>;
  readonly commonAnnotations: Readonly<Record<string, string>>;
  readonly externalURL: string;
  readonly version: '4';
  readonly groupKey: string;
  readonly truncatedAlerts: number;
}

export interface PayloadInput {
  readonly receiver: string;
  readonly reason: NotifyReason;
  readonly groupKey: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly NotifiedAlert[];
  /** Alerts of the group that are not in `alerts`. */
  readonly omitted: number;
}

/** Pairs that all records share. */
function common(records: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...rest] = records;
  const shared = Object.entries(first).filter(([name, value]) =>
    rest.every((record) => record[name] === value),
  );
  return Object.fromEntries(shared);
}

/** Alertmanager puts the receiver's name through regexp.QuoteMeta, and receivers have come to expect it. */
function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

function alertPayload(alert: NotifiedAlert): AlertPayload {
  return {
    status: alert.endsAtMs === undefined ? 'firing' : 'resolved',
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: formatGoTime(alert.startsAtMs),
    endsAt: formatGoTime(alert.endsAtMs),
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}

/** `alertsMax` 0: all of them. Status and common labels are those of the alerts that are sent. */
export function notificationPayload(
  input: PayloadInput,
  externalUrl: string,
  alertsMax: number,
): NotificationPayload {
  const kept = alertsMax > 0 ? input.alerts.slice(0, alertsMax) : input.alerts;
  return {
    receiver: quoteMeta(input.receiver),
    status: kept.some((alert) => alert.endsAtMs === undefined) ? 'firing' : 'resolved',
    alerts: kept.map(alertPayload),
    notification_reason: input.reason,
    groupLabels: input.groupLabels,
    commonLabels: common(kept.map((alert) => alert.labels)),
    commonAnnotations: common(kept.map((alert) => alert.annotations)),
    externalURL: externalUrl,
    version: '4',
    groupKey: input.groupKey,
    truncatedAlerts: input.alerts.length - kept.length + input.omitted,
  };
}
