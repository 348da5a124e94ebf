/**
 * The notification log: what each receiver was last told about each group, and which notifications were begun
 * but not concluded. Its records are committed to the control group's replicated log and applied in the same
 * order on every node, so applying is deterministic: time comes from the records.
 *
 * An intent is committed before a notification is sent and its outcome after it. A leader that finds an intent
 * without outcome completes it under the same idempotency key.
 */
import { createHash } from 'node:crypto';
import type { NotifyReason } from './dedup.ts';
import { LogFormatError } from './errors.ts';

export const notificationLogVersion = 1;

/** Entries live at least this long after their last change. */
export const entryRetentionMs: number = 120 * 3_600_000;
const sweepIntervalMs = 15 * 60_000;
/** Alerts whose contents an intent carries; of larger groups a completing leader sends only these. */
export const intentAlertsMax = 1000;

export interface IntegrationKey {
  readonly receiver: string;
  /** `webhook`, ... */
  readonly integration: string;
  /** Position among the receiver's integrations of that kind. */
  readonly index: number;
  readonly groupKey: string;
}

export interface LogEntry extends IntegrationKey {
  /** Fingerprints of the alerts that the last notification called firing. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly timestampMs: number;
  readonly expiresAtMs: number;
}

/** An alert as plain data. */
export interface NotifiedAlert {
  readonly fingerprint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAtMs: number;
  /** undefined: firing. */
  readonly endsAtMs: number | undefined;
  readonly generatorUrl: string;
}

export interface Intent extends IntegrationKey {
  /** The idempotency key. */
  readonly key: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly reason: NotifyReason;
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly alerts: readonly NotifiedAlert[];
  /** Alerts beyond `intentAlertsMax`. */
  readonly alertsOmitted: number;
  readonly createdAtMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
}

export type NotificationRecord =
  | { readonly kind: 'intent'; readonly intent: Intent }
  | {
      readonly kind: 'outcome';
      readonly key: string;
      readonly atMs: number;
      /** The new entry when it was delivered; undefined when it was given up. */
      readonly entry: LogEntry | undefined;
    };

export interface LogSnapshot {
  readonly version: number;
  readonly entries: readonly LogEntry[];
  readonly intents: readonly Intent[];
  readonly lastSweepMs: number;
}

function entryKey(key: IntegrationKey): string {
  return JSON.stringify([key.receiver, key.integration, key.index, key.groupKey]);
}

/**
 * The same for every attempt to tell the same thing: also for the next flush after a failure, and for another
 * leader. The last entry's time tells repeats, and later incidents of the same alerts, apart.
 */
export function idempotencyKey(
  target: IntegrationKey,
  firing: readonly string[],
  resolved: readonly string[],
  entry: LogEntry | undefined,
): string {
  const parts = [entryKey(target), [...firing].sort(), [...resolved].sort(), entry?.timestampMs ?? 0];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

export class NotificationLog {
  readonly #entries = new Map<string, LogEntry>();
  readonly #intents = new Map<string, Intent>();
  #lastSweepMs = 0;

  entry(key: IntegrationKey): LogEntry | undefined {
    return this.#entries.get(entryKey(key));
  }

  /** Begun and not concluded, oldest first. */
  get intents(): readonly Intent[] {
    return [...this.#intents.values()];
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Applies a committed record. */
  apply(record: NotificationRecord): void {
    if (record.kind === 'intent') {
      this.#intents.set(record.intent.key, record.intent);
      this.#sweep(record.intent.createdAtMs);
      return;
    }
    this.#intents.delete(record.key);
    if (record.entry !== undefined) this.#entries.set(entryKey(record.entry), record.entry);
    this.#sweep(record.atMs);
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#lastSweepMs < sweepIntervalMs) return;
    this.#lastSweepMs = nowMs;
    for (const [key, entry] of this.#entries) if (entry.expiresAtMs < nowMs) this.#entries.delete(key);
  }

  snapshot(): LogSnapshot {
    return {
      version: notificationLogVersion,
      entries: [...this.#entries.values()],
      intents: this.intents,
      lastSweepMs: this.#lastSweepMs,
    };
  }

  /** Throws LogFormatError. */
  static restore(snapshot: LogSnapshot): NotificationLog {
    if (snapshot.version !== notificationLogVersion) {
      throw new LogFormatError(`version ${snapshot.version} is not known here`);
    }
    const log = new NotificationLog();
    for (const entry of snapshot.entries) log.#entries.set(entryKey(entry), entry);
    for (const intent of snapshot.intents) log.#intents.set(intent.key, intent);
    log.#lastSweepMs = snapshot.lastSweepMs;
    return log;
  }
}

/** The entry that a delivered notification leaves behind. */
export function entryAfter(intent: Intent, atMs: number): LogEntry {
  return {
    receiver: intent.receiver,
    integration: intent.integration,
    index: intent.index,
    groupKey: intent.groupKey,
    firing: intent.firing,
    resolved: intent.resolved,
    timestampMs: atMs,
    // Longer than the repeat interval, or the repetition would look like a first notification.
    expiresAtMs: atMs + Math.max(entryRetentionMs, 2 * intent.repeatIntervalMs),
  };
}
