import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labels } from '../model/index.ts';
import { groupConfig, RuleWorld, ruleConfig, vector } from './testing/world.ts';
import type { PostedAlert } from './types.ts';

const minute = 60_000;
const annotation = (alert: PostedAlert | undefined, name: string): string => alert?.annotations[name] ?? '';
const instanceOf = ({ labels: { instance } }: PostedAlert): string | undefined => instance;
const down = vector([{ __name__: 'up', instance: 'a' }, 0]);
const states = (written: readonly string[]): string[] => written.filter((line) => line.startsWith('ALERTS{'));

test('an alert without `for` fires at once and is written as ALERTS and ALERTS_FOR_STATE', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down', labels: { severity: 'page' } })]));
  world.answers.set('up == 0', down);
  assert.deepEqual(await world.at(group, minute), [
    'ALERTS{alertname="Down", alertstate="firing", instance="a", severity="page"}@60000=1',
    'ALERTS_FOR_STATE{alertname="Down", instance="a", severity="page"}@60000=60',
  ]);
  assert.deepEqual(world.sent, [
    {
      labels: { alertname: 'Down', instance: 'a', severity: 'page' },
      annotations: {},
      startsAt: '1970-01-01T00:01:00.000Z',
      endsAt: '1970-01-01T00:05:00.000Z',
      generatorURL: 'http://node:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
    },
  ]);
});

test('with `for` an alert is pending, then firing, and the old state goes stale', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down', forMs: 2 * minute })]));
  world.answers.set('up == 0', down);
  const pending = 'ALERTS{alertname="Down", alertstate="pending", instance="a"}';
  const firing = 'ALERTS{alertname="Down", alertstate="firing", instance="a"}';
  assert.deepEqual(states(await world.at(group, minute)), [`${pending}@60000=1`]);
  assert.equal(world.sent.length, 0);
  assert.deepEqual(states(await world.at(group, 2 * minute)), [`${pending}@120000=1`]);
  assert.deepEqual(states(await world.at(group, 3 * minute)), [
    `${firing}@180000=1`,
    `${pending}@180000=stale`,
  ]);
  assert.equal(world.sent[0]?.startsAt, '1970-01-01T00:03:00.000Z');
});

test('a pending alert that disappears is forgotten without being sent', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down', forMs: 2 * minute })]));
  world.answers.set('up == 0', down);
  await world.at(group, minute);
  world.answers.set('up == 0', []);
  assert.deepEqual(states(await world.at(group, 2 * minute)), [
    'ALERTS{alertname="Down", alertstate="pending", instance="a"}@120000=stale',
  ]);
  assert.equal(world.sent.length, 0);
  assert.equal(group.alertingRules[0]?.alerts.length, 0);
});

test('a resolution is sent at once, resent for 15 minutes, then forgotten', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down' })]));
  world.answers.set('up == 0', down);
  await world.at(group, minute);
  world.answers.set('up == 0', []);
  await world.at(group, 2 * minute);
  assert.equal(world.sent[0]?.endsAt, '1970-01-01T00:02:00.000Z');
  let resent = 0;
  for (let i = 3; i <= 20; i++) {
    await world.at(group, i * minute);
    resent += world.sent.length;
  }
  assert.equal(resent, 7, 'every second minute: a resend needs more than the delay, up to 15 minutes');
  assert.equal(group.alertingRules[0]?.alerts.length, 0);
});

test('firing alerts are resent after the resend delay with a later end', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down' })], { intervalMs: 15_000 }));
  world.answers.set('up == 0', down);
  const sentAt: number[] = [];
  for (let timeMs = 15_000; timeMs <= 180_000; timeMs += 15_000) {
    await world.at(group, timeMs);
    if (world.sent.length > 0) sentAt.push(timeMs);
  }
  assert.deepEqual(sentAt, [15_000, 90_000, 165_000]);
});

test('keep_firing_for prolongs an alert and a return resets it', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down', keepFiringForMs: 2 * minute })]));
  const rule = group.alertingRules[0];
  world.answers.set('up == 0', down);
  await world.at(group, minute);
  world.answers.set('up == 0', []);
  await world.at(group, 2 * minute);
  await world.at(group, 3 * minute);
  assert.equal(rule?.state, 'firing');
  world.answers.set('up == 0', down);
  await world.at(group, 4 * minute);
  world.answers.set('up == 0', []);
  await world.at(group, 5 * minute);
  await world.at(group, 6 * minute);
  assert.equal(rule?.state, 'firing');
  await world.at(group, 7 * minute);
  assert.equal(rule?.state, 'inactive');
});

test('labels and annotations are templates over the sample; failures become the text', async () => {
  const world = new RuleWorld();
  const config = ruleConfig({
    alert: 'Down',
    labels: { level: '{{ if gt $value 5.0 }}high{{ else }}low{{ end }}' },
    annotations: {
      summary:
        '{{ $labels.instance }} at {{ .Value }} in {{ $externalLabels.dc }}: {{ query "x" | first | value }}',
      broken: '{{ nope }}',
      failing: '{{ .Nope }}',
      ['__proto__']: 'kept',
    },
  });
  const options = {
    outgoing: {
      externalLabels: Labels.fromRecord({ dc: 'x1' }),
      externalUrl: 'http://n',
      relabel: (l: Labels) => l,
    },
  };
  const group = world.group(groupConfig([config]), options);
  world.answers.set('up == 0', vector([{ instance: 'a' }, 7]));
  world.answers.set('x', vector([{}, 3]));
  await world.at(group, minute);
  const [alert] = world.sent;
  assert.deepEqual(alert?.labels, { alertname: 'Down', dc: 'x1', instance: 'a', level: 'high' });
  assert.equal(annotation(alert, 'summary'), 'a at 7 in x1: 3');
  assert.equal(annotation(alert, '__proto__'), 'kept');
  assert.match(
    annotation(alert, 'broken'),
    /^<error expanding template: error parsing template __alert_Down: .*function "nope" not defined>$/,
  );
  assert.match(
    annotation(alert, 'failing'),
    /^<error expanding template: error executing template __alert_Down: .*Nope/,
  );
});

test('external labels do not override; relabeling may change and drop alerts', async () => {
  const world = new RuleWorld();
  const options = {
    outgoing: {
      externalLabels: Labels.fromRecord({ instance: 'external', dc: 'x1' }),
      externalUrl: '',
      relabel: (labels: Labels) =>
        labels.get('instance') === 'b' ? undefined : labels.without(new Set(['dc'])),
    },
  };
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down' })]), options);
  world.answers.set('up == 0', vector([{ instance: 'a' }, 0], [{ instance: 'b' }, 0]));
  await world.at(group, minute);
  assert.deepEqual(
    world.sent.map((alert) => alert.labels),
    [{ alertname: 'Down', instance: 'a' }],
  );
});

test('two results with the same labels fail the rule and leave its alerts alone', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down', labels: { instance: 'same' } })]));
  world.answers.set('up == 0', vector([{ instance: 'a' }, 0], [{ instance: 'b' }, 0]));
  await world.at(group, minute);
  assert.equal(group.rules[0]?.status.health, 'err');
  assert.equal(
    group.rules[0]?.status.lastError,
    'vector contains metrics with the same labelset after applying alert labels',
  );
});

test('more alerts than the limit fail the rule and clear its alerts', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down' })], { limit: 1 }));
  world.answers.set('up == 0', vector([{ instance: 'a' }, 0], [{ instance: 'b' }, 0]));
  await world.at(group, minute);
  assert.equal(group.rules[0]?.status.lastError, 'exceeded limit of 1 with 2 alerts');
  assert.equal(group.alertingRules[0]?.alerts.length, 0);
});

test('an incomplete answer holds the state: nothing resolves, nothing is written, alerts go on being reported', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down' })]));
  world.answers.set('up == 0', down);
  await world.at(group, minute);
  world.answers.set('up == 0', { vector: [], incomplete: true, warnings: ['node b is away'] });
  assert.deepEqual(await world.at(group, 3 * minute), []);
  assert.equal(world.sent[0]?.endsAt, '1970-01-01T00:07:00.000Z', 'its end has moved on');
  assert.equal(group.alertingRules[0]?.state, 'firing');
  assert.equal(group.rules[0]?.status.health, 'err');
  assert.match(group.rules[0]?.status.lastError ?? '', /incomplete.*node b is away/);
  world.answers.set('up == 0', []);
  await world.at(group, 4 * minute);
  assert.equal(group.alertingRules[0]?.state, 'inactive', 'a complete answer resolves it');
});

test('with partial_data: evaluate an incomplete answer counts', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down' })]), { partialData: 'evaluate' });
  world.answers.set('up == 0', down);
  await world.at(group, minute);
  world.answers.set('up == 0', { vector: [], incomplete: true, warnings: [] });
  await world.at(group, 2 * minute);
  assert.equal(group.alertingRules[0]?.state, 'inactive');
});

test('alerts that nobody took are offered again at the next evaluation', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down' })], { intervalMs: 15_000 }));
  world.answers.set('up == 0', down);
  world.sinkError = new Error('no leader');
  await world.at(group, 15_000);
  world.sinkError = undefined;
  await world.at(group, 30_000);
  assert.equal(world.sent.length, 1);
});

test('resendAlerts offers firing and resolved alerts whatever the resend delay says', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ alert: 'Down' })]));
  world.answers.set('up == 0', vector([{ instance: 'a' }, 0], [{ instance: 'b' }, 0]));
  await world.at(group, minute);
  world.answers.set('up == 0', vector([{ instance: 'a' }, 0]));
  await world.at(group, 2 * minute);
  world.sent = [];
  await group.resendAlerts(2 * minute + 5000);
  assert.deepEqual(
    world.sent.map((alert) => [instanceOf(alert), alert.endsAt]),
    [
      ['a', '1970-01-01T00:06:05.000Z'],
      ['b', '1970-01-01T00:02:00.000Z'],
    ],
  );
});
