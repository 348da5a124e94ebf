/** The dispatcher's and the notifiers' metrics, under Alertmanager's names. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface AlertmanagerMetrics {
  readonly notifications: Counter<'integration'>;
  readonly notificationsFailed: Counter<'integration' | 'reason'>;
  readonly requests: Counter<'integration'>;
  readonly requestsFailed: Counter<'integration'>;
  readonly latency: Histogram<'integration'>;
  readonly suppressed: Counter<'reason'>;
  readonly decisions: Counter<'integration' | 'reason'>;
  readonly received: Counter<'status'>;
  readonly invalid: Counter;
  readonly limited: Counter;
  readonly groups: Gauge;
}

export function createAlertmanagerMetrics(registry: Registry): AlertmanagerMetrics {
  const registers = [registry];
  return {
    notifications: new Counter({
      name: 'alertmanager_notifications_total',
      help: 'Attempted notifications.',
      labelNames: ['integration'],
      registers,
    }),
    notificationsFailed: new Counter({
      name: 'alertmanager_notifications_failed_total',
      help: 'Notifications that were given up.',
      labelNames: ['integration', 'reason'],
      registers,
    }),
    requests: new Counter({
      name: 'alertmanager_notification_requests_total',
      help: 'Attempted notification requests, retries too.',
      labelNames: ['integration'],
      registers,
    }),
    requestsFailed: new Counter({
      name: 'alertmanager_notification_requests_failed_total',
      help: 'Notification requests that failed.',
      labelNames: ['integration'],
      registers,
    }),
    latency: new Histogram({
      name: 'alertmanager_notification_latency_seconds',
      help: 'Duration of a notification request.',
      labelNames: ['integration'],
      buckets: [1, 5, 10, 15, 20],
      registers,
    }),
    suppressed: new Counter({
      name: 'alertmanager_notifications_suppressed_total',
      help: 'Alerts kept from notification by silences, inhibition or time intervals.',
      labelNames: ['reason'],
      registers,
    }),
    decisions: new Counter({
      name: 'torchring_alertmanager_decisions_total',
      help: 'Flushes of a group per integration, by why it was or was not notified.',
      labelNames: ['integration', 'reason'],
      registers,
    }),
    received: new Counter({
      name: 'alertmanager_alerts_received_total',
      help: 'Reports of alerts.',
      labelNames: ['status'],
      registers,
    }),
    invalid: new Counter({
      name: 'alertmanager_alerts_invalid_total',
      help: 'Invalid reports of alerts.',
      registers,
    }),
    limited: new Counter({
      name: 'torchring_alertmanager_alerts_limited_total',
      help: 'Alerts refused because there are too many alerts or groups.',
      registers,
    }),
    groups: new Gauge({
      name: 'alertmanager_dispatcher_aggregation_groups',
      help: 'Active aggregation groups.',
      registers,
    }),
  };
}
