/** What goes into the dispatcher and what it wants done. */
import type { StoredAlert } from './alert.ts';
import type { AlertmanagerConfig } from './config.ts';
import type { FailureReason } from './errors.ts';
import type { Intent, NotificationRecord, NotifiedAlert } from './notification_log.ts';
import type { Silence } from './silence.ts';

export type DispatcherEvent =
  /** Reports of alerts, validated (see parsePostedAlerts). */
  | { readonly kind: 'alerts'; readonly alerts: readonly StoredAlert[] }
  /** Time has passed; see `nextDueMs`. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'config'; readonly config: AlertmanagerConfig }
  /** All silences, after any change. */
  | { readonly kind: 'silences'; readonly silences: readonly Silence[] }
  /** A record was committed and applied to the notification log. */
  | { readonly kind: 'committed'; readonly record: NotificationRecord }
  /** A record could not be committed: no majority. */
  | { readonly kind: 'commitFailed'; readonly record: NotificationRecord }
  /** A notification ended. */
  | { readonly kind: 'notified'; readonly key: string; readonly failure: NotifyFailure | undefined };

export interface NotifyFailure {
  readonly reason: FailureReason;
  readonly message: string;
}

/** One notification to one integration, to be tried until `deadlineMs`. */
export interface NotifyRequest {
  readonly intent: Intent;
  /** All alerts to send, those omitted from the intent too. */
  readonly alerts: readonly NotifiedAlert[];
  readonly omitted: number;
  readonly deadlineMs: number;
}

/** Carried out in order; each `persist…` is answered by committed or commitFailed, each `notify` by notified. */
export type DispatcherEffect =
  | { readonly kind: 'persistIntent'; readonly record: NotificationRecord }
  | { readonly kind: 'notify'; readonly request: NotifyRequest }
  | { readonly kind: 'persistOutcome'; readonly record: NotificationRecord }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn';
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
