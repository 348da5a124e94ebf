/**
 * The notification log over the control group's keyed entries: one entry per receiver, integration and group, which
 * holds what the receiver was last told and what has been begun since. So an outcome replaces its intent in one step,
 * and a new leader rebuilds the whole log from the entries.
 */

import {
  entryRetentionMs,
  type IntegrationKey,
  type Intent,
  type LogEntry,
  NotificationLog,
  type NotificationRecord,
  notificationLogVersion,
} from '../../alertmanager/index.ts';
import { CodedError } from '../../base/index.ts';
import type { KeyedEntries, KeyedEntry } from '../../cluster/index.ts';

const formatVersion = 1;

interface StoredState {
  readonly version: number;
  readonly entry?: LogEntry;
  readonly intent?: Intent;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function keyOf({ receiver, integration, index, groupKey }: IntegrationKey): string {
  return JSON.stringify([receiver, integration, index, groupKey]);
}

function readState({ key, payload }: KeyedEntry): StoredState {
  const state = JSON.parse(decoder.decode(payload)) as StoredState;
  if (state.version === formatVersion) return state;
  throw new CodedError('notification_format', `notification entry ${key} has version ${state.version}`);
}

/** The log as it is committed. Throws CodedError `notification_format` on entries of a later version. */
export function restoreLog(entries: Pick<KeyedEntries, 'entries'>): NotificationLog {
  const states = [...entries.entries()].map(readState);
  return NotificationLog.restore({
    version: notificationLogVersion,
    entries: states.flatMap(({ entry }) => (entry === undefined ? [] : [entry])),
    intents: states
      .flatMap(({ intent }) => (intent === undefined ? [] : [intent]))
      .sort((a, b) => a.createdAtMs - b.createdAtMs),
    lastSweepMs: 0,
  });
}

/** What is to be committed for a record, given the log before it; undefined when it changes nothing. */
export function entryFor(record: NotificationRecord, log: NotificationLog): KeyedEntry | undefined {
  if (record.kind === 'intent') {
    const { intent } = record;
    const entry = log.entry(intent);
    const expiresAtMs = Math.max(entry?.expiresAtMs ?? 0, intent.createdAtMs + entryRetentionMs);
    return keyedEntry(intent, { intent, ...(entry === undefined ? {} : { entry }) }, expiresAtMs);
  }
  const begun = log.intents.find((intent) => intent.key === record.key);
  const target = begun ?? record.entry;
  if (target === undefined) return undefined;
  const entry = record.entry ?? log.entry(target);
  const expiresAtMs = entry?.expiresAtMs ?? record.atMs;
  return keyedEntry(target, entry === undefined ? {} : { entry }, expiresAtMs);
}

function keyedEntry(
  target: IntegrationKey,
  state: Omit<StoredState, 'version'>,
  expiresAtMs: number,
): KeyedEntry {
  const payload = encoder.encode(JSON.stringify({ version: formatVersion, ...state }));
  return { key: keyOf(target), payload, expiresAtMs };
}
