import assert from 'node:assert/strict';
import test from 'node:test';
import {
  entryRetentionMs,
  type Intent,
  type LogEntry,
  NotificationLog,
  type NotificationRecord,
} from '../../alertmanager/index.ts';
import type { KeyedEntry } from '../../cluster/index.ts';
import { entryFor, restoreLog } from './notification_records.ts';

const target = { receiver: 'r', integration: 'webhook', index: 0, groupKey: '{}:{a="b"}' };
const intent = (key: string, createdAtMs: number, changes: Partial<Intent> = {}): Intent => ({
  ...target,
  key,
  groupLabels: { a: 'b' },
  reason: 'first notification' as Intent['reason'],
  firing: ['f1'],
  resolved: [],
  alerts: [],
  alertsOmitted: 0,
  createdAtMs,
  groupIntervalMs: 1,
  repeatIntervalMs: 1,
  ...changes,
});
const entry = (timestampMs: number, changes: Partial<LogEntry> = {}): LogEntry => ({
  ...target,
  firing: ['f1'],
  resolved: [],
  timestampMs,
  expiresAtMs: timestampMs + 1000,
  ...changes,
});

/** The group's keyed entries, and a leader's log beside them. */
class World {
  readonly stored = new Map<string, KeyedEntry>();
  log = new NotificationLog();

  commit(record: NotificationRecord): KeyedEntry | undefined {
    const keyed = entryFor(record, this.log);
    if (keyed !== undefined) this.stored.set(keyed.key, keyed);
    this.log.apply(record);
    return keyed;
  }

  /** The log of a leader that has only the committed entries. */
  restored(): NotificationLog {
    return restoreLog({ entries: () => this.stored.values() });
  }
}

test('a new leader finds an intent that was begun, and beside it what the receiver was told before', () => {
  const world = new World();
  world.commit({ kind: 'intent', intent: intent('k1', 100) });
  world.commit({ kind: 'outcome', key: 'k1', atMs: 200, entry: entry(200) });
  world.commit({ kind: 'intent', intent: intent('k2', 300) });
  const log = world.restored();
  assert.deepEqual(log.intents, [intent('k2', 300)]);
  assert.deepEqual(log.entry(target), entry(200));
  assert.equal(world.stored.size, 1);
});

test('an outcome takes the place of its intent in one step', () => {
  const world = new World();
  world.commit({ kind: 'intent', intent: intent('k1', 100) });
  world.commit({ kind: 'outcome', key: 'k1', atMs: 200, entry: entry(200) });
  assert.deepEqual(world.restored().intents, []);
  assert.deepEqual(world.restored().entry(target), entry(200));
});

test('a notification that was given up leaves what was there before it', () => {
  const world = new World();
  world.commit({ kind: 'intent', intent: intent('k1', 100) });
  world.commit({ kind: 'outcome', key: 'k1', atMs: 200, entry: undefined });
  assert.deepEqual(world.restored().intents, []);
  assert.equal(world.restored().entry(target), undefined);
  world.commit({ kind: 'intent', intent: intent('k2', 300) });
  world.commit({ kind: 'outcome', key: 'k2', atMs: 400, entry: entry(400) });
  world.commit({ kind: 'intent', intent: intent('k3', 500) });
  world.commit({ kind: 'outcome', key: 'k3', atMs: 600, entry: undefined });
  assert.deepEqual(world.restored().entry(target), entry(400));
});

test('an outcome whose intent was never committed is recorded all the same', () => {
  const world = new World();
  assert.ok(world.commit({ kind: 'outcome', key: 'k1', atMs: 200, entry: entry(200) }));
  assert.deepEqual(world.restored().entry(target), entry(200));
  assert.equal(world.commit({ kind: 'outcome', key: 'k9', atMs: 300, entry: undefined }), undefined);
});

test('integrations and groups have their own entries; intents come back oldest first', () => {
  const world = new World();
  world.commit({ kind: 'intent', intent: intent('k2', 200, { index: 1 }) });
  world.commit({ kind: 'intent', intent: intent('k1', 100) });
  assert.equal(world.stored.size, 2);
  assert.deepEqual(
    world.restored().intents.map(({ key }) => key),
    ['k1', 'k2'],
  );
});

test('nothing expires before its time: an intent after the retention, an entry as it says', () => {
  const world = new World();
  assert.equal(
    world.commit({ kind: 'intent', intent: intent('k1', 100) })?.expiresAtMs,
    100 + entryRetentionMs,
  );
  const long = entry(200, { expiresAtMs: 9 * entryRetentionMs });
  assert.equal(
    world.commit({ kind: 'outcome', key: 'k1', atMs: 200, entry: long })?.expiresAtMs,
    long.expiresAtMs,
  );
  assert.equal(world.commit({ kind: 'intent', intent: intent('k2', 300) })?.expiresAtMs, long.expiresAtMs);
});

test('entries of a later version are refused by name', () => {
  const payload = new TextEncoder().encode(JSON.stringify({ version: 2 }));
  const later = { entries: () => [{ key: 'k', payload, expiresAtMs: 1 }] };
  assert.throws(() => restoreLog(later), { code: 'notification_format' });
});
