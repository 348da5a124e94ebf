import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertmanagerConfig, receiverConfig, routeConfig, webhookConfig } from './testing/config.ts';
import { type CrashPoint, Timeline } from './testing/timeline.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

test('group_wait before the first notification, group_interval between changes, repeat_interval without', () => {
  const line = new Timeline(alertmanagerConfig());
  line.pass(10 * second);
  line.push({ id: 'a' });
  assert.deepEqual(line.pass(29 * second), []);
  line.push({ id: 'b' });
  assert.deepEqual(line.pass(second), ['team first notification: +a +b']);
  line.push({ id: 'c' });
  const keep = (): void => line.push({ id: 'a' }, { id: 'b' }, { id: 'c' });
  assert.deepEqual(line.pass(5 * minute - second, keep), []);
  assert.deepEqual(line.pass(second, keep), ['team new alerts added: +a +b +c']);
  assert.deepEqual(line.pass(4 * hour, keep), []);
  assert.deepEqual(line.pass(5 * minute, keep), ['team repeat interval elapsed: +a +b +c']);
});

test('resolved alerts are sent once, then the group is gone and a new incident waits group_wait', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' }, { id: 'b' });
  line.pass(minute);
  line.push({ id: 'a' }, { id: 'b', resolvedMs: 1 });
  assert.deepEqual(
    line.pass(5 * minute, () => line.push({ id: 'a' })),
    ['team some alerts resolved: +a -b'],
  );
  line.push({ id: 'a', resolvedMs: 1 });
  assert.deepEqual(line.pass(10 * minute), ['team all alerts resolved: -a']);
  assert.equal(line.leader.groups.length, 0);
  line.push({ id: 'a' });
  assert.deepEqual(line.pass(31 * second), ['team first notification: +a']);
});

test('an alert without endsAt resolves after resolve_timeout', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' });
  line.pass(minute);
  assert.deepEqual(line.pass(10 * minute), ['team all alerts resolved: -a']);
});

test('what fired and resolved before anybody was told stays unsaid', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' });
  line.pass(10 * second);
  line.push({ id: 'a', resolvedMs: 1 });
  assert.deepEqual(line.pass(20 * minute), []);
  assert.equal(line.leader.groups.length, 0);
});

test('with send_resolved: false resolutions are only noted, and the next incident is sent', () => {
  const receivers = [receiverConfig('team', [webhookConfig({ sendResolved: false })])];
  const line = new Timeline(alertmanagerConfig({ receivers }));
  line.push({ id: 'a' }, { id: 'b' });
  line.pass(minute);
  line.push({ id: 'a' }, { id: 'b', resolvedMs: 1 });
  assert.deepEqual(
    line.pass(6 * minute, () => line.push({ id: 'a' })),
    [],
  );
  line.push({ id: 'a', resolvedMs: 1 });
  assert.deepEqual(line.pass(10 * minute), []);
  line.push({ id: 'a' });
  assert.deepEqual(line.pass(minute), ['team first notification: +a']);
});

test('groups are told apart by group_by labels; `...` groups by all', () => {
  const grouped = new Timeline(
    alertmanagerConfig({ route: routeConfig({ receiver: 'team', groupBy: ['dc'] }) }),
  );
  grouped.push(
    { id: 'a', labels: { dc: '1' } },
    { id: 'b', labels: { dc: '2' } },
    { id: 'c', labels: { dc: '1' } },
  );
  assert.deepEqual(grouped.pass(minute).sort(), [
    'team first notification: +a +c',
    'team first notification: +b',
  ]);
  const all = new Timeline(
    alertmanagerConfig({ route: routeConfig({ receiver: 'team', groupByAll: true }) }),
  );
  all.push({ id: 'a' }, { id: 'b' });
  assert.equal(all.pass(minute).length, 2);
  assert.equal(all.deliveries[0]?.request.intent.groupKey, '{}:{alertname="A", id="a"}');
});

test('a failed notification is tried again at the next group_interval under the same key', () => {
  const line = new Timeline(alertmanagerConfig());
  line.answer = () => ({ reason: 'serverError', message: 'status 500' });
  line.push({ id: 'a' });
  assert.equal(line.pass(minute).length, 1);
  line.answer = () => undefined;
  const keep = (): void => line.push({ id: 'a' });
  assert.equal(line.pass(5 * minute, keep).length, 1);
  assert.equal(line.deliveries[0]?.request.intent.key, line.deliveries[1]?.request.intent.key);
  assert.deepEqual(line.pass(hour, keep), []);
});

test('one integration failing does not make the other repeat; the resolution waits for both', () => {
  const line = new Timeline(
    alertmanagerConfig({ receivers: [receiverConfig('team', [webhookConfig(), webhookConfig()])] }),
  );
  line.push({ id: 'a' });
  line.pass(minute);
  line.answer = ({ intent }) => (intent.index === 1 ? { reason: 'serverError', message: '' } : undefined);
  line.push({ id: 'a', resolvedMs: 1 });
  assert.equal(line.pass(5 * minute).length, 2);
  line.answer = () => undefined;
  assert.equal(line.pass(5 * minute).length, 1, 'only the failed one');
  assert.deepEqual(line.pass(hour), []);
  assert.equal(line.leader.groups.length, 0);
});

test('while a slow receiver is being told, nothing else is sent to it; afterwards it hears of the rest', () => {
  const line = new Timeline(alertmanagerConfig());
  line.slow = true;
  line.push({ id: 'a' });
  line.pass(minute);
  line.push({ id: 'a', resolvedMs: 1 });
  assert.deepEqual(line.pass(6 * minute), []);
  line.slow = false;
  line.release();
  assert.deepEqual(line.pass(6 * minute), ['team all alerts resolved: -a']);
});

test('the next leader says nothing that was said: not until repeat_interval, while a new incident is sent', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' });
  line.pass(minute);
  assert.equal(line.deliveries.length, 1);
  line.die();
  line.pass(10 * second);
  line.elect();
  const keep = (): void => line.push({ id: 'a', startedMs: 2 * minute });
  assert.deepEqual(line.pass(hour, keep), []);
  line.push({ id: 'other', labels: { alertname: 'B' } });
  const both = (): void =>
    line.push({ id: 'a', startedMs: hour }, { id: 'other', labels: { alertname: 'B' } });
  assert.deepEqual(line.pass(6 * minute, both), ['team new alerts added: +a +other']);
  assert.deepEqual(line.pass(5 * hour, both), ['team repeat interval elapsed: +a +other']);
});

test('what resolved while there was no leader is sent once by the next one', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' });
  line.pass(minute);
  line.die();
  line.pass(minute);
  line.elect();
  const resend = (): void => line.push({ id: 'a', resolvedMs: 10 * second, startedMs: minute });
  assert.deepEqual(line.pass(6 * minute, resend), ['team all alerts resolved: -a']);
  assert.deepEqual(line.pass(10 * minute, resend), []);
});

const crashes: readonly (readonly [CrashPoint, number])[] = [
  ['before the intent', 1],
  ['before sending', 1],
  ['after sending', 2],
];

for (const [point, deliveries] of crashes) {
  test(`a leader that dies ${point}: sent by the next one, ${deliveries} time(s) in all, under one key`, () => {
    const line = new Timeline(alertmanagerConfig());
    line.crash = point;
    line.push({ id: 'a' });
    line.pass(minute);
    assert.equal(line.alive, false);
    line.elect();
    const keep = (): void => line.push({ id: 'a', startedMs: 2 * minute });
    line.pass(hour, keep);
    assert.equal(line.deliveries.length, deliveries);
    assert.equal(new Set(line.deliveries.map((each) => each.request.intent.key)).size, 1);
    assert.equal(line.log.intents.length, 0);
  });
}

test('no group is looked at before the start delay: alerts that inhibit may still be on their way', () => {
  const config = alertmanagerConfig({
    route: routeConfig({ receiver: 'team', groupByAll: true }),
    inhibitRules: [
      {
        name: '',
        sourceMatchers: [{ name: 'severity', type: '=', value: 'critical' }],
        targetMatchers: [{ name: 'severity', type: '=', value: 'warning' }],
        equal: ['dc'],
      },
    ],
  });
  const line = new Timeline(config);
  line.push({ id: 'target', labels: { severity: 'warning', dc: '1' }, startedMs: hour });
  assert.deepEqual(line.pass(4 * second), []);
  line.push({ id: 'source', labels: { severity: 'critical', dc: '1' }, startedMs: hour });
  line.push({ id: 'free', labels: { severity: 'warning', dc: '2' }, startedMs: hour });
  assert.deepEqual(line.pass(minute).sort(), [
    'team first notification: +free',
    'team first notification: +source',
  ]);
});

test('silenced alerts are not sent; when the silence ends they are', () => {
  const line = new Timeline(alertmanagerConfig());
  const silence = {
    id: 's',
    matchers: [{ name: 'id', value: 'a', isRegex: false, isEqual: true }],
    startsAtMs: line.nowMs,
    endsAtMs: line.nowMs + 10 * minute,
    updatedAtMs: line.nowMs,
    createdBy: 'x',
    comment: '',
  };
  line.step({ kind: 'silences', silences: [silence] });
  const keep = (): void => line.push({ id: 'a' });
  assert.deepEqual(line.pass(9 * minute, keep), []);
  assert.deepEqual(line.pass(6 * minute, keep), ['team first notification: +a']);
});

test('a route is mute inside its mute intervals and outside its active ones', () => {
  const hours = (startMinute: number, endMinute: number) => ({
    times: [{ startMinute, endMinute }],
    weekdays: undefined,
    daysOfMonth: undefined,
    months: undefined,
    years: undefined,
    location: '',
  });
  const timeIntervals = [{ name: 'first-half-hour', timeIntervals: [hours(0, 30)] }];
  for (const part of [
    { muteTimeIntervals: ['first-half-hour'] },
    { activeTimeIntervals: ['first-half-hour'] },
  ]) {
    const line = new Timeline(
      alertmanagerConfig({ timeIntervals, route: routeConfig({ receiver: 'team', ...part }) }),
    );
    const keep = (): void => line.push({ id: 'a' });
    const early = line.pass(20 * minute, keep).length;
    const late = line.pass(20 * minute, keep).length;
    assert.deepEqual([early, late], 'muteTimeIntervals' in part ? [0, 1] : [1, 0]);
  }
});

test('without a majority: notify anyway, remember it, and commit it when there is one again', () => {
  const line = new Timeline(alertmanagerConfig());
  line.quorum = false;
  const keep = (): void => line.push({ id: 'a' });
  keep();
  assert.deepEqual(line.pass(20 * minute, keep), ['team first notification: +a']);
  line.quorum = true;
  line.pass(2 * second, keep);
  assert.equal(line.log.size, 1);
  line.die();
  line.elect();
  assert.deepEqual(line.pass(20 * minute, keep), []);
});

test('without a majority and `hold`: nothing is sent until there is one', () => {
  const line = new Timeline(alertmanagerConfig(), { onQuorumLoss: 'hold' });
  line.quorum = false;
  const keep = (): void => line.push({ id: 'a' });
  assert.deepEqual(line.pass(20 * minute, keep), []);
  line.quorum = true;
  assert.deepEqual(line.pass(6 * minute, keep), ['team first notification: +a']);
});

test('a reload keeps groups, their rhythm and what was said', () => {
  const line = new Timeline(alertmanagerConfig());
  const keep = (): void => line.push({ id: 'a' });
  keep();
  line.pass(minute, keep);
  assert.equal(line.deliveries.length, 1);
  line.step({ kind: 'config', config: alertmanagerConfig() });
  assert.deepEqual(line.pass(hour, keep), []);
  const slower = alertmanagerConfig({
    receivers: [receiverConfig('other')],
    route: routeConfig({ receiver: 'other' }),
  });
  line.step({ kind: 'config', config: slower });
  assert.deepEqual(line.pass(6 * minute, keep), ['other first notification: +a']);
});

test('a notification that was begun is completed even if its alerts never come back', () => {
  const line = new Timeline(alertmanagerConfig());
  line.crash = 'before sending';
  line.push({ id: 'a' });
  line.pass(minute);
  line.elect();
  assert.deepEqual(
    line.deliveries.map((delivery) => delivery.text),
    ['team first notification: +a'],
  );
  assert.equal(line.log.intents.length, 0);
});

test('after a resolution a new incident waits group_wait, not the rest of the group_interval', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' });
  line.pass(minute);
  line.push({ id: 'a', resolvedMs: 1 });
  line.pass(5 * minute, () => undefined);
  assert.equal(line.leader.groups.length, 0);
  line.push({ id: 'b' });
  assert.deepEqual(line.pass(31 * second), ['team first notification: +b']);
});

test('without a majority, a later failure does not hide what was delivered', () => {
  const line = new Timeline(alertmanagerConfig());
  line.quorum = false;
  line.push({ id: 'a' });
  line.pass(minute);
  line.answer = () => ({ reason: 'serverError', message: '' });
  line.push({ id: 'b' });
  line.pass(5 * minute, () => line.push({ id: 'a' }, { id: 'b' }));
  assert.equal(line.deliveries.length, 2);
  line.quorum = true;
  line.pass(2 * second);
  const [entry] = line.log.snapshot().entries;
  assert.equal(entry?.firing.length, 1);
});

test('a reload does not begin group_wait again', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' });
  line.pass(20 * second);
  line.step({ kind: 'config', config: alertmanagerConfig() });
  assert.deepEqual(line.pass(10 * second), ['team first notification: +a']);
});

test('under a new leader a group that was told of keeps its group_interval, however old its alerts are', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' });
  assert.deepEqual(line.pass(minute), ['team first notification: +a']);
  line.die();
  line.elect();
  const keep = (): void => line.push({ id: 'a', startedMs: hour }, { id: 'b', startedMs: hour });
  assert.deepEqual(line.pass(4 * minute + 29 * second, keep), []);
  assert.deepEqual(line.pass(second, keep), ['team new alerts added: +a +b']);
});

test('an alert that fires again while its resolution is under way stays in its group', () => {
  const line = new Timeline(alertmanagerConfig());
  line.push({ id: 'a' });
  line.pass(minute);
  line.push({ id: 'a', resolvedMs: 1 });
  line.slow = true;
  line.pass(5 * minute);
  assert.equal(line.held.length, 1);
  line.push({ id: 'a' });
  line.slow = false;
  line.release();
  assert.deepEqual(
    line.leader.groups.map((group) => group.alerts.size),
    [1],
  );
  assert.match(line.pass(6 * minute, () => line.push({ id: 'a' })).join(), /: \+a$/);
});
