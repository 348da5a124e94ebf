/** An alert as the dispatcher keeps it, and how a newer report of the same alert is merged into it. */
import { compareBytes, type Labels } from '../model/index.ts';

export interface StoredAlert {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** When it was last reported. */
  readonly updatedAtMs: number;
  /** The end was not given by the client but set by `resolve_timeout`. */
  readonly timeout: boolean;
  readonly generatorUrl: string;
}

export function isResolved(alert: StoredAlert, nowMs: number): boolean {
  return alert.endsAtMs <= nowMs;
}

function overlaps(a: StoredAlert, b: StoredAlert): boolean {
  return (
    (b.endsAtMs > a.startsAtMs && b.endsAtMs < a.endsAtMs) ||
    (b.startsAtMs > a.startsAtMs && b.startsAtMs < a.endsAtMs)
  );
}

/**
 * The alert after a newer report: reports whose times overlap are one alert, which began at the earliest start;
 * others replace it. A given end wins over a time-out, and the latest explicit resolution wins.
 */
export function mergeAlerts(before: StoredAlert, report: StoredAlert, nowMs: number): StoredAlert {
  if (!overlaps(before, report)) return report;
  const [older, younger] = report.updatedAtMs < before.updatedAtMs ? [report, before] : [before, report];
  let endsAtMs = younger.endsAtMs;
  if (isResolved(younger, nowMs)) {
    if (isResolved(older, nowMs)) endsAtMs = Math.max(endsAtMs, older.endsAtMs);
  } else if (!older.timeout) {
    endsAtMs = Math.max(endsAtMs, older.endsAtMs);
  }
  return { ...younger, startsAtMs: Math.min(older.startsAtMs, younger.startsAtMs), endsAtMs };
}

/** `job`, then `instance` (alerts that have it first), then all labels: the order within a notification. */
export function compareAlerts(a: StoredAlert, b: StoredAlert): number {
  for (const name of ['job', 'instance']) {
    const x = a.labels.get(name);
    const y = b.labels.get(name);
    if (x === y) continue;
    if (x === '') return 1;
    if (y === '') return -1;
    return compareBytes(x, y);
  }
  return compareLabelSets(a.labels, b.labels);
}

/** Fewer labels first, then pair by pair. */
export function compareLabelSets(a: Labels, b: Labels): number {
  return a.size - b.size || a.compare(b);
}
