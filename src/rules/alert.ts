/** One instance of an alerting rule: a label set that its expression returned, and what became of it. */
import type { Labels } from '../model/index.ts';

export type AlertState = 'inactive' | 'pending' | 'firing';

export interface Alert {
  readonly labels: Labels;
  annotations: Readonly<Record<string, string>>;
  state: AlertState;
  /** The expression's value at the last evaluation that returned it. */
  value: number;
  /** Since when the expression returns it, milliseconds. */
  activeAtMs: number;
  firedAtMs: number | undefined;
  /** Set once resolved: undefined means still active. */
  resolvedAtMs: number | undefined;
  lastSentAtMs: number | undefined;
  /** Up to when the receiver may take it for firing without hearing again. */
  validUntilMs: number | undefined;
  keepFiringSinceMs: number | undefined;
}

/** A resolved alert is kept, and offered again, for 15 minutes: receivers may have been away. */
export const resolvedRetentionMs: number = 15 * 60_000;

/** Pending alerts are nobody's business yet; a resolution is sent at once, everything else every `resendDelayMs`. */
export function needsSending(alert: Alert, timeMs: number, resendDelayMs: number): boolean {
  if (alert.state === 'pending') return false;
  const lastSentAtMs = alert.lastSentAtMs ?? Number.NEGATIVE_INFINITY;
  if (alert.resolvedAtMs !== undefined && alert.resolvedAtMs > lastSentAtMs) return true;
  return lastSentAtMs + resendDelayMs < timeMs;
}
