/**
 * Whether a group must be notified now: a function of what the notification log says was sent last, what is
 * firing and resolved now, and the time. The reason reaches log lines and metrics.
 */
import type { LogEntry } from './notification_log.ts';

export type NotifyReason =
  | 'first notification'
  | 'new alerts added'
  | 'all alerts resolved'
  | 'some alerts resolved'
  | 'repeat interval elapsed';
export type SkipReason = 'nothing was ever sent' | 'already sent';
export type Decision =
  | { readonly notify: true; readonly reason: NotifyReason }
  | { readonly notify: false; readonly reason: SkipReason };

export interface DedupInput {
  readonly entry: LogEntry | undefined;
  /** Fingerprints. */
  readonly firing: ReadonlySet<string>;
  readonly resolved: ReadonlySet<string>;
  readonly sendResolved: boolean;
  readonly repeatIntervalMs: number;
  readonly nowMs: number;
}

function subset(part: ReadonlySet<string>, whole: readonly string[]): boolean {
  const known = new Set(whole);
  for (const each of part) if (!known.has(each)) return false;
  return true;
}

export function decideNotification(input: DedupInput): Decision {
  const { entry, firing, resolved } = input;
  if (entry === undefined) {
    if (firing.size > 0) return { notify: true, reason: 'first notification' };
    return { notify: false, reason: 'nothing was ever sent' };
  }
  if (!subset(firing, entry.firing)) {
    // An entry without firing alerts was a resolution: a new incident begins.
    return { notify: true, reason: entry.firing.length === 0 ? 'first notification' : 'new alerts added' };
  }
  if (firing.size === 0) {
    // Whatever send_resolved says: the entry must lose its firing alerts. What fired and resolved in between
    // is unknown to the receiver and stays so.
    if (entry.firing.length > 0) return { notify: true, reason: 'all alerts resolved' };
    return { notify: false, reason: 'already sent' };
  }
  if (input.sendResolved && !subset(resolved, entry.resolved)) {
    return { notify: true, reason: 'some alerts resolved' };
  }
  if (entry.timestampMs < input.nowMs - input.repeatIntervalMs) {
    return { notify: true, reason: 'repeat interval elapsed' };
  }
  return { notify: false, reason: 'already sent' };
}
