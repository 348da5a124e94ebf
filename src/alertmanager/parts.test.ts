import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Labels } from '../model/index.ts';
import { mergeAlerts, type StoredAlert } from './alert.ts';
import type { Receiver, TimeInterval } from './config.ts';
import { type Decision, decideNotification } from './dedup.ts';
import { fingerprint } from './fingerprint.ts';
import { Inhibitor } from './inhibit.ts';
import { NotificationLog, type NotificationRecord } from './notification_log.ts';
import { notificationPayload } from './payload.ts';
import { parsePostedAlerts } from './posted_alerts.ts';
import { unsupportedIntegrations } from './receivers.ts';
import { RouteNode } from './route.ts';
import { expireSilence, putSilence, type Silence, type SilenceRequest, silenceState } from './silence.ts';
import { alertmanagerConfig, receiverConfig, routeConfig } from './testing/config.ts';
import { inTimeInterval } from './time_interval.ts';

const labels = (record: Record<string, string>): Labels => Labels.fromRecord(record);

function alert(part: Partial<StoredAlert> & { labels: Labels }): StoredAlert {
  return {
    fingerprint: fingerprint(part.labels),
    annotations: {},
    startsAtMs: 0,
    endsAtMs: 1000,
    updatedAtMs: 0,
    timeout: false,
    generatorUrl: '',
    ...part,
  };
}

test('fingerprints are those of prometheus/common', () => {
  assert.equal(fingerprint(Labels.empty), 'cbf29ce484222325');
  const known = labels({ name: 'garland, briggs', fear: 'love is not enough' });
  assert.equal(BigInt(`0x${fingerprint(known)}`), 5799056148416392346n);
  assert.equal(fingerprint(labels({ alertname: 'A', id: 'é', job: 'x' })), '39d402fe171407b9');
});

test('fingerprints agree with plain 64-bit arithmetic', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme' })), (record) => {
      const set = labels(record);
      let hash = 0xcbf29ce484222325n;
      for (const text of set.flat) {
        for (const byte of [...Buffer.from(text, 'utf8'), 0xff]) {
          hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
        }
      }
      assert.equal(fingerprint(set), hash.toString(16).padStart(16, '0'));
    }),
  );
});

test('overlapping reports merge: earliest start, explicit ends win over time-outs', () => {
  const set = labels({ a: '1' });
  const before = alert({ labels: set, startsAtMs: 100, endsAtMs: 900, updatedAtMs: 100, timeout: true });
  const longer = alert({ labels: set, startsAtMs: 200, endsAtMs: 700, updatedAtMs: 200 });
  assert.deepEqual(mergeAlerts(before, longer, 300), { ...longer, startsAtMs: 100 });
  const explicit = { ...before, timeout: false };
  assert.equal(mergeAlerts(explicit, longer, 300).endsAtMs, 900);
  const resolved = alert({ labels: set, startsAtMs: 200, endsAtMs: 250, updatedAtMs: 300 });
  assert.deepEqual(mergeAlerts(explicit, resolved, 300), { ...resolved, startsAtMs: 100 });
  const later = alert({ labels: set, startsAtMs: 2000, endsAtMs: 3000, updatedAtMs: 2000 });
  assert.equal(mergeAlerts(before, later, 2000), later, 'apart: another incident');
});

test('routes: depth first, first match wins, continue goes on, options are inherited', () => {
  const equals = (name: string, value: string) => ({ name, type: '=' as const, value });
  const root = new RouteNode(
    routeConfig({
      receiver: 'root',
      groupBy: ['alertname'],
      groupWaitMs: 1,
      routes: [
        routeConfig({ receiver: 'audit', matchers: [equals('team', 'x')], continue: true }),
        routeConfig({
          matchers: [{ name: 'team', type: '=~', value: 'x|y' }],
          repeatIntervalMs: 7,
          routes: [
            routeConfig({ receiver: 'deep', groupByAll: true, matchers: [equals('severity', 'page')] }),
          ],
        }),
        routeConfig({ receiver: 'never', matchers: [equals('team', 'x')] }),
      ],
    }),
  );
  const receivers = (record: Record<string, string>): string[] =>
    root.match(labels(record)).map((route) => route.options.receiver);
  assert.deepEqual(receivers({ team: 'x' }), ['audit', 'root']);
  assert.deepEqual(receivers({ team: 'y', severity: 'page' }), ['deep']);
  assert.deepEqual(receivers({ team: 'z' }), ['root']);
  const [deep] = root.match(labels({ team: 'y', severity: 'page' }));
  assert.equal(deep?.key, '{}/{team=~"x|y"}/{severity="page"}');
  assert.equal(deep?.options.groupWaitMs, 1);
  assert.equal(deep?.options.repeatIntervalMs, 7);
  assert.equal(deep?.groupLabels(labels({ a: '1', b: '2' })).size, 2);
});

const entry = (firing: string[], resolved: string[], timestampMs: number) => ({
  receiver: 'r',
  integration: 'webhook',
  index: 0,
  groupKey: 'g',
  firing,
  resolved,
  timestampMs,
  expiresAtMs: 1e9,
});
const decisions: readonly (readonly [
  string,
  string[] | undefined,
  string[],
  string[],
  string[],
  boolean,
  number,
  Decision,
])[] = [
  // title, entry firing, entry resolved, firing, resolved, sendResolved, age, decision
  [
    'nothing known, something fires',
    undefined,
    [],
    ['a'],
    [],
    true,
    0,
    { notify: true, reason: 'first notification' },
  ],
  [
    'nothing known, only resolved',
    undefined,
    [],
    [],
    ['a'],
    true,
    0,
    { notify: false, reason: 'nothing was ever sent' },
  ],
  ['a new firing alert', ['a'], [], ['a', 'b'], [], true, 0, { notify: true, reason: 'new alerts added' }],
  [
    'firing again after a resolution',
    [],
    ['a'],
    ['a'],
    [],
    true,
    0,
    { notify: true, reason: 'first notification' },
  ],
  ['all resolved', ['a'], [], [], ['a'], true, 0, { notify: true, reason: 'all alerts resolved' }],
  [
    'all resolved, unwanted: still noted',
    ['a'],
    [],
    [],
    ['a'],
    false,
    0,
    { notify: true, reason: 'all alerts resolved' },
  ],
  ['resolved ones already told', [], ['a'], [], ['a'], true, 99, { notify: false, reason: 'already sent' }],
  ['some resolved', ['a', 'b'], [], ['a'], ['b'], true, 0, { notify: true, reason: 'some alerts resolved' }],
  [
    'some resolved, unwanted',
    ['a', 'b'],
    [],
    ['a'],
    ['b'],
    false,
    0,
    { notify: false, reason: 'already sent' },
  ],
  [
    'unchanged, repeat interval just reached',
    ['a'],
    [],
    ['a'],
    [],
    true,
    50,
    { notify: false, reason: 'already sent' },
  ],
  [
    'unchanged, repeat interval passed',
    ['a'],
    [],
    ['a'],
    [],
    true,
    51,
    { notify: true, reason: 'repeat interval elapsed' },
  ],
];
for (const [title, was, wasResolved, firing, resolved, sendResolved, ageMs, decision] of decisions) {
  test(`dedup: ${title}`, () => {
    const input = {
      entry: was === undefined ? undefined : entry(was, wasResolved, 1000 - ageMs),
      firing: new Set(firing),
      resolved: new Set(resolved),
      sendResolved,
      repeatIntervalMs: 50,
      nowMs: 1000,
    };
    assert.deepEqual(decideNotification(input), decision);
  });
}

test('an alert matching both sides of an inhibition is not inhibited by one that also does', () => {
  const matcher = (value: string) => [{ name: 'severity', type: '=~' as const, value }];
  const rule = {
    name: '',
    sourceMatchers: matcher('critical|both'),
    targetMatchers: matcher('warning|both'),
    equal: ['dc'],
  };
  const inhibitor = new Inhibitor([rule]);
  const both = (id: string) => labels({ severity: 'both', id });
  inhibitor.put(alert({ labels: both('1') }));
  assert.equal(inhibitor.inhibitedBy(both('2'), 0), undefined);
  assert.equal(
    inhibitor.inhibitedBy(labels({ severity: 'warning' }), 0),
    fingerprint(both('1')),
    'missing = empty',
  );
  assert.equal(inhibitor.inhibitedBy(labels({ severity: 'warning', dc: '1' }), 0), undefined);
  const critical = alert({ labels: labels({ severity: 'critical' }) });
  inhibitor.put(critical);
  assert.equal(inhibitor.inhibitedBy(both('2'), 0), critical.fingerprint);
  assert.equal(inhibitor.inhibitedBy(both('2'), 1000), undefined, 'resolved sources do not inhibit');
});

const always: TimeInterval = {
  times: undefined,
  weekdays: undefined,
  daysOfMonth: undefined,
  months: undefined,
  years: undefined,
  location: '',
};
const moments: readonly (readonly [string, Partial<TimeInterval>, string, boolean])[] = [
  [
    'times include their start',
    { times: [{ startMinute: 540, endMinute: 1020 }] },
    '2024-03-04T09:00:00Z',
    true,
  ],
  [
    'times exclude their end',
    { times: [{ startMinute: 540, endMinute: 1020 }] },
    '2024-03-04T17:00:00Z',
    false,
  ],
  [
    'a day ends at minute 1440',
    { times: [{ startMinute: 0, endMinute: 1440 }] },
    '2024-03-04T23:59:59Z',
    true,
  ],
  ['weekdays, Sunday is 0', { weekdays: [{ begin: 1, end: 5 }] }, '2024-03-03T12:00:00Z', false],
  [
    'the last day of February in a leap year',
    { daysOfMonth: [{ begin: -1, end: -1 }] },
    '2024-02-29T12:00:00Z',
    true,
  ],
  ['not the day before it', { daysOfMonth: [{ begin: -1, end: -1 }] }, '2024-02-28T12:00:00Z', false],
  ['from the 5th to the third last', { daysOfMonth: [{ begin: 5, end: -3 }] }, '2024-02-28T12:00:00Z', false],
  [
    'a day that the month does not have',
    { daysOfMonth: [{ begin: 30, end: 31 }] },
    '2024-02-29T12:00:00Z',
    false,
  ],
  [
    'months and years',
    { months: [{ begin: 2, end: 3 }], years: [{ begin: 2023, end: 2024 }] },
    '2024-03-31T23:00:00Z',
    true,
  ],
  [
    'the zone decides the day',
    { weekdays: [{ begin: 1, end: 1 }], location: 'Asia/Tokyo' },
    '2024-03-03T15:00:00Z',
    true,
  ],
];
for (const [title, part, at, inside] of moments) {
  test(`time intervals: ${title}`, () => {
    assert.equal(inTimeInterval({ ...always, ...part }, Date.parse(at)), inside);
  });
}

const request: SilenceRequest = {
  id: '',
  matchers: [{ name: 'a', value: 'b', isRegex: false, isEqual: true }],
  startsAtMs: 100,
  endsAtMs: 1000,
  createdBy: 'me',
  comment: 'why',
};
const apply = (silences: Map<string, Silence>, put: readonly Silence[]): void => {
  for (const silence of put) silences.set(silence.id, silence);
};

test('silences: a new end keeps the id, another scope expires the old one and makes a new one', () => {
  const silences = new Map<string, Silence>();
  let ids = 0;
  const put = (change: Partial<SilenceRequest>, nowMs: number): string => {
    const result = putSilence(silences, { ...request, ...change }, nowMs, () => `id${++ids}`);
    apply(silences, result.put);
    return result.id;
  };
  assert.equal(put({}, 50), 'id1');
  assert.equal(put({ id: 'id1', endsAtMs: 2000 }, 200), 'id1');
  const matchers = [{ name: 'a', value: 'c', isRegex: false, isEqual: true }];
  assert.equal(put({ id: 'id1', matchers, endsAtMs: 2000 }, 300), 'id2');
  const stateOf = (id: string): string => silenceState(silences.get(id) as Silence, 300);
  assert.deepEqual([stateOf('id1'), stateOf('id2')], ['expired', 'active']);
  apply(silences, expireSilence(silences, 'id2', 300).put);
  assert.equal(stateOf('id2'), 'expired');
  assert.throws(() => expireSilence(silences, 'id2', 300), /already expired/);
  assert.throws(() => put({ id: 'none' }, 300), { code: 'silence_not_found' });
});

const badSilences: readonly (readonly [Partial<SilenceRequest>, RegExp])[] = [
  [{ matchers: [] }, /at least one matcher required/],
  [
    { matchers: [{ name: 'a', value: '.*', isRegex: true, isEqual: true }] },
    /must not match the empty string/,
  ],
  [{ matchers: [{ name: 'a', value: '(', isRegex: true, isEqual: true }] }, /invalid regular expression/],
  [{ endsAtMs: 100 }, /start time must be before end time/],
  [{ startsAtMs: 1, endsAtMs: 10 }, /can't be in the past/],
];
for (const [part, message] of badSilences) {
  test(`silences: refused: ${message.source}`, () => {
    assert.throws(() => putSilence(new Map(), { ...request, ...part }, 50, () => 'x'), {
      code: 'bad_silence',
      message,
    });
  });
}

test('posted alerts: times are filled in, bad ones are told, good ones kept', () => {
  const { alerts, errors } = parsePostedAlerts(
    [
      { labels: { a: '1', empty: '' } },
      { labels: { a: '2' }, startsAt: '2024-01-01T00:00:00.5Z', endsAt: '0001-01-01T00:00:00Z' },
      { labels: { a: '3' }, endsAt: '2024-01-01T01:00:00+01:00' },
      { labels: {} },
      { labels: { a: 1 } },
      { labels: { a: '4' }, startsAt: '2024-01-01T00:00:00Z', endsAt: '2023-01-01T00:00:00Z' },
      { labels: { a: '5' }, startsAt: 'yesterday' },
      { labels: { a: '6' }, startsAt: '2024-02-30T00:00:00Z' },
      null,
    ],
    1000,
    500,
  );
  assert.deepEqual(
    alerts.map((each) => [each.labels.toRecord(), each.startsAtMs, each.endsAtMs, each.timeout]),
    [
      [{ a: '1' }, 1000, 1500, true],
      [{ a: '2' }, Date.UTC(2024, 0, 1) + 500, 1500, true],
      [{ a: '3' }, Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 1), false],
    ],
  );
  assert.equal(errors.length, 6);
  assert.throws(() => parsePostedAlerts({}, 0, 0), { code: 'bad_alert' });
});

test('the notification log: same records, same state, whatever was snapshotted between', () => {
  const key = fc.constantFrom('k1', 'k2', 'k3');
  const record: fc.Arbitrary<NotificationRecord> = fc.oneof(
    fc.record({ key, createdAtMs: fc.nat(1e9) }).map(({ key: id, createdAtMs }) => ({
      kind: 'intent' as const,
      intent: {
        key: id,
        receiver: 'r',
        integration: 'webhook',
        index: 0,
        groupKey: id,
        groupLabels: {},
        reason: 'first notification' as const,
        firing: ['a'],
        resolved: [],
        alerts: [],
        alertsOmitted: 0,
        createdAtMs,
        groupIntervalMs: 1,
        repeatIntervalMs: 1,
      },
    })),
    fc.record({ key, atMs: fc.nat(1e9), ok: fc.boolean() }).map(({ key: id, atMs, ok }) => ({
      kind: 'outcome' as const,
      key: id,
      atMs,
      entry: ok ? { ...entry(['a'], [], atMs), groupKey: id, expiresAtMs: atMs + 1000 } : undefined,
    })),
  );
  fc.assert(
    fc.property(fc.array(record), fc.nat(), (records, cut) => {
      const straight = new NotificationLog();
      let moved = new NotificationLog();
      for (const [i, each] of records.entries()) {
        straight.apply(each);
        if (i === cut % records.length)
          moved = NotificationLog.restore(JSON.parse(JSON.stringify(moved.snapshot())));
        moved.apply(JSON.parse(JSON.stringify(each)));
      }
      assert.deepEqual(moved.snapshot(), straight.snapshot());
    }),
  );
  assert.throws(
    () => NotificationLog.restore({ version: 9, entries: [], intents: [], lastSweepMs: 0 }),
    /version 9/,
  );
});

test('the webhook message: version 4, common labels, max_alerts with truncatedAlerts', () => {
  const one = (id: string, endsAtMs: number | undefined) => ({
    fingerprint: id,
    labels: { a: '1', id },
    annotations: { s: 'x' },
    startsAtMs: 1500,
    endsAtMs,
    generatorUrl: 'http://g',
  });
  const payload = notificationPayload(
    {
      receiver: 'web.hook',
      reason: 'first notification',
      groupKey: '{}:{a="1"}',
      groupLabels: { a: '1' },
      alerts: [one('f', undefined), one('r', 2000), one('s', 1)],
      omitted: 4,
    },
    'http://am',
    2,
  );
  assert.deepEqual(payload, {
    receiver: 'web\\.hook',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { a: '1', id: 'f' },
        annotations: { s: 'x' },
        startsAt: '1970-01-01T00:00:01.5Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://g',
        fingerprint: 'f',
      },
      {
        status: 'resolved',
        labels: { a: '1', id: 'r' },
        annotations: { s: 'x' },
        startsAt: '1970-01-01T00:00:01.5Z',
        endsAt: '1970-01-01T00:00:02Z',
        generatorURL: 'http://g',
        fingerprint: 'r',
      },
    ],
    notification_reason: 'first notification',
    groupLabels: { a: '1' },
    commonLabels: { a: '1' },
    commonAnnotations: { s: 'x' },
    externalURL: 'http://am',
    version: '4',
    groupKey: '{}:{a="1"}',
    truncatedAlerts: 5,
  });
});

test('integrations that are not served are named', () => {
  const pager = {
    ...receiverConfig('night'),
    pagerdutyConfigs: [{}],
    emailConfigs: [],
  } as unknown as Receiver;
  assert.deepEqual(
    unsupportedIntegrations(alertmanagerConfig({ receivers: [receiverConfig('team'), pager] })),
    ['receiver integration pagerduty_configs is not supported yet and is ignored (receiver "night")'],
  );
});
