import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Matcher } from '../model/index.ts';
import { parsePostedSilence } from './posted_silence.ts';
import type { Silence } from './silence.ts';
import { alertmanagerConfig, receiverConfig, routeConfig } from './testing/config.ts';
import { Timeline } from './testing/timeline.ts';
import { alertGroupsView, alertsView, receiversView, silencesView, statusView } from './views.ts';

function world(): Timeline {
  const line = new Timeline(
    alertmanagerConfig({ route: routeConfig({ receiver: 'team', groupBy: ['dc'] }) }),
  );
  line.push(
    { id: 'a', labels: { dc: '1' } },
    { id: 'b', labels: { dc: '2' } },
    { id: 'gone', resolvedMs: 1 },
  );
  line.step({ kind: 'silences', silences: [silence('s1', 'a', line.nowMs, line.nowMs + 1000)] });
  return line;
}

function silence(id: string, value: string, startsAtMs: number, endsAtMs: number): Silence {
  const matchers = [{ name: 'id', value, isRegex: false, isEqual: true }];
  return { id, matchers, startsAtMs, endsAtMs, updatedAtMs: startsAtMs, createdBy: 'me', comment: 'c' };
}

test('GET /alerts shows unresolved alerts with receivers and status', () => {
  const line = world();
  const views = alertsView(line.leader, {}, line.nowMs);
  const suppressed = views.find(({ labels: { id } }) => id === 'a');
  assert.equal(views.length, 2);
  assert.deepEqual(suppressed, {
    annotations: {},
    endsAt: '2024-01-01T00:05:00.000Z',
    fingerprint: suppressed?.fingerprint,
    receivers: [{ name: 'team' }],
    startsAt: '2024-01-01T00:00:00.000Z',
    status: { state: 'suppressed', silencedBy: ['s1'], inhibitedBy: [], mutedBy: [] },
    updatedAt: '2024-01-01T00:00:00.000Z',
    labels: { alertname: 'A', dc: '1', id: 'a' },
  });
});

test('GET /alerts filters by state, matchers and receiver', () => {
  const line = world();
  const ids = (filter: Parameters<typeof alertsView>[1]): (string | undefined)[] =>
    alertsView(line.leader, filter, line.nowMs)
      .map(({ labels: { id } }) => id)
      .sort();
  assert.deepEqual(ids({ silenced: false }), ['b']);
  assert.deepEqual(ids({ active: false }), ['a']);
  assert.deepEqual(ids({ filter: [Matcher.create('=~', 'dc', '2|3')] }), ['b']);
  assert.deepEqual(ids({ receiver: (name) => name === 'other' }), []);
});

test('GET /alerts/groups shows groups in label order', () => {
  const line = world();
  const groups = alertGroupsView(line.leader, {}, line.nowMs);
  assert.deepEqual(
    groups.map((group) => [group.labels, group.receiver.name, group.alerts.length]),
    [
      [{ dc: '1' }, 'team', 1],
      [{ dc: '2' }, 'team', 1],
    ],
  );
});

test('GET /silences: active, pending, expired; filtered by what they match', () => {
  const silences = [silence('old', 'x', 0, 50), silence('new', 'x', 200, 300), silence('now', 'y', 0, 500)];
  const ids = (matchers: Matcher[]): string[] => silencesView(silences, matchers, 100).map(({ id }) => id);
  assert.deepEqual(ids([]), ['now', 'new', 'old']);
  assert.deepEqual(ids([Matcher.create('=', 'id', 'y')]), ['now']);
});

test('POST /silences: the form is checked', () => {
  const body = {
    matchers: [{ name: 'a', value: 'b', isRegex: false }],
    startsAt: '2024-01-01T00:00:00Z',
    endsAt: '2024-01-02T00:00:00Z',
    createdBy: 'me',
    comment: '',
  };
  assert.deepEqual(parsePostedSilence(body).matchers, [
    { name: 'a', value: 'b', isRegex: false, isEqual: true },
  ]);
  assert.throws(() => parsePostedSilence({ ...body, matchers: 1 }), /matchers must be a list/);
  assert.throws(() => parsePostedSilence({ ...body, endsAt: undefined }), /endsAt is required/);
  assert.throws(() => parsePostedSilence({ ...body, startsAt: 'x' }), /RFC 3339/);
});

test('GET /receivers and /status', () => {
  assert.deepEqual(receiversView(alertmanagerConfig({ receivers: [receiverConfig('a')] })), [
    { labels: { name: 'a' }, name: 'a' },
  ]);
  const peers = [
    { name: 'n2', address: 'b' },
    { name: 'n1', address: 'a' },
  ];
  const status = statusView({
    clusterName: 'c',
    clusterStatus: 'ready',
    peers,
    configText: 'route: {}',
    startedAtMs: 0,
    version: '1',
    revision: 'torchring-0.1.0',
  });
  assert.deepEqual(
    status.cluster.peers.map(({ name }) => name),
    ['n1', 'n2'],
  );
  assert.equal(status.uptime, '1970-01-01T00:00:00.000Z');
});
