import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { Labels, type Matcher, matchesAll, type SeriesColumns, setStaleNaN } from '../model/index.ts';
import { createRuleMetrics } from './metrics.ts';
import { groupConfig, RuleWorld, ruleConfig, vector } from './testing/world.ts';
import { alertsView, ruleGroupView } from './views.ts';

const minute = 60_000;

test('a recording rule renames its results and sets labels over theirs; vanished series go stale', async () => {
  const world = new RuleWorld();
  const rule = ruleConfig({
    record: 'job:up:sum',
    expr: 'sum by (job) (up)',
    labels: { team: 'x', job: '' },
  });
  const group = world.group(groupConfig([rule], { labels: { team: 'group', tier: '1' } }));
  world.answers.set(rule.expr, vector([{ job: 'a' }, 1], [{ job: 'b' }, 2]));
  assert.deepEqual(await world.at(group, minute), [
    'job:up:sum{job="a", team="x", tier="1"}@60000=1',
    'job:up:sum{job="b", team="x", tier="1"}@60000=2',
  ]);
  world.answers.set(rule.expr, vector([{ job: 'b' }, 3]));
  assert.deepEqual(await world.at(group, 2 * minute), [
    'job:up:sum{job="b", team="x", tier="1"}@120000=3',
    'job:up:sum{job="a", team="x", tier="1"}@120000=stale',
  ]);
});

test('same labels after applying the rule labels: nothing is recorded', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ record: 'r', expr: 'e', labels: { job: 'x' } })]));
  world.answers.set('e', vector([{ job: 'a' }, 1], [{ job: 'b' }, 2]));
  assert.deepEqual(await world.at(group, minute), []);
  assert.match(group.rules[0]?.status.lastError ?? '', /same labelset after applying rule labels/);
});

test('more series than the limit: nothing is recorded', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ record: 'r', expr: 'e' })], { limit: 1 }));
  world.answers.set('e', vector([{ job: 'a' }, 1], [{ job: 'b' }, 2]));
  assert.deepEqual(await world.at(group, minute), []);
  assert.equal(group.rules[0]?.status.lastError, 'exceeded limit of 1 with 2 series');
});

test('rules run in order, at the slot minus the query offset; one failure does not stop the others', async () => {
  const world = new RuleWorld();
  const rules = [ruleConfig({ record: 'a', expr: 'bad' }), ruleConfig({ record: 'b', expr: 'good' })];
  const group = world.group(groupConfig(rules, { queryOffsetMs: 5000 }));
  world.answers.set('bad', new Error('query timed out'));
  world.answers.set('good', vector([{}, 1]));
  assert.deepEqual(await world.at(group, minute), ['b@55000=1']);
  assert.deepEqual(world.queried, ['bad@55000', 'good@55000']);
  assert.deepEqual(
    group.rules.map((rule) => rule.status.health),
    ['err', 'ok'],
  );
});

test('samples that were not accepted make the rule unhealthy', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ record: 'a', expr: 'e' })]));
  world.answers.set('e', vector([{}, 1]));
  world.appendError = new Error('shard 7 is away');
  await world.at(group, minute);
  assert.equal(group.rules[0]?.status.lastError, 'shard 7 is away');
});

test('an aborted evaluation ends at once', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ record: 'a', expr: 'e' })]));
  await assert.rejects(group.evaluate(minute, AbortSignal.abort(new Error('stopping'))), /stopping/);
});

test('metrics: evaluations, failures, held rules, missed iterations', async () => {
  const world = new RuleWorld();
  const registry = new Registry();
  const rules = [ruleConfig({ record: 'a', expr: 'bad' }), ruleConfig({ record: 'b', expr: 'partial' })];
  const group = world.group(groupConfig(rules), {}, { metrics: createRuleMetrics(registry) });
  world.answers.set('bad', new Error('no'));
  world.answers.set('partial', { vector: [], incomplete: true, warnings: [] });
  await world.at(group, minute);
  await world.at(group, 4 * minute);
  const text = await registry.metrics();
  const line = (name: string): string => text.split('\n').find((each) => each.startsWith(`${name}{`)) ?? '';
  assert.match(line('prometheus_rule_evaluations_total'), /rule_group="rules.yml;group"} 4$/);
  assert.match(line('prometheus_rule_evaluation_failures_total'), / 2$/);
  assert.match(line('torchring_rule_evaluations_held_total'), / 2$/);
  assert.match(line('prometheus_rule_group_iterations_missed_total'), / 2$/);
  assert.match(line('prometheus_rule_group_iterations_total'), / 4$/);
});

test('state moves by a snapshot through JSON: pending time, stale markers and the slot go with it', async () => {
  const world = new RuleWorld();
  const alert = ruleConfig({ alert: 'Down', forMs: 2 * minute });
  const record = ruleConfig({ record: 'r', expr: 'e' });
  const before = world.group(groupConfig([alert, record]));
  world.answers.set('up == 0', vector([{ instance: 'a' }, 0]));
  world.answers.set('e', vector([{ x: '1' }, 1]));
  await world.at(before, minute);
  await world.at(before, 2 * minute);
  const after = world.group(groupConfig([alert]));
  after.restoreSnapshot(JSON.parse(JSON.stringify(before.stateSnapshot())));
  assert.equal(after.nextSlotMs(2 * minute + 1), 3 * minute);
  const written = await world.at(after, 3 * minute);
  assert.ok(written.includes('ALERTS{alertname="Down", alertstate="firing", instance="a"}@180000=1'));
  assert.ok(written.includes('ALERTS{alertname="Down", alertstate="pending", instance="a"}@180000=stale'));
  assert.ok(written.includes('r{x="1"}@180000=stale'), 'the removed rule leaves stale markers');
  assert.deepEqual(
    await world.at(after, 4 * minute).then((lines) => lines.filter((each) => each.startsWith('r{'))),
    [],
  );
});

test('a snapshot of an unknown version is refused', () => {
  const group = new RuleWorld().group(groupConfig([]));
  assert.throws(
    () => group.restoreSnapshot({ ...group.stateSnapshot(), version: 9 }),
    /version 9 is not known/,
  );
});

test('retire marks everything the group wrote stale', async () => {
  const world = new RuleWorld();
  const group = world.group(groupConfig([ruleConfig({ record: 'r', expr: 'e' })]));
  world.answers.set('e', vector([{ x: '1' }, 1]));
  await world.at(group, minute);
  world.written = [];
  await group.retire(2 * minute);
  assert.deepEqual(world.written, ['r{x="1"}@120000=stale']);
});

/** ALERTS_FOR_STATE of one alert, last written at `lastMs`. */
function forState(activeAtS: number, lastMs: number, stale = false): SeriesColumns {
  const values = Float64Array.of(activeAtS);
  if (stale) setStaleNaN(values, 0);
  return {
    labels: Labels.fromRecord({ __name__: 'ALERTS_FOR_STATE', alertname: 'Down', instance: 'a' }),
    timestamps: Float64Array.of(lastMs),
    values,
  };
}

const restoreCases: readonly (readonly [title: string, series: SeriesColumns, activeAtMs: number])[] = [
  // `for` 30 min; active since 100 min; down from 110 to 122 min: 20 min remain, the outage doesn't count.
  ['the outage does not count', forState(100 * 60, 110 * minute), 112 * minute],
  // Pending for 25 min when it went down: 5 min remain, less than the grace period of 10.
  [
    'nothing fires before the grace period',
    forState(85 * 60, 110 * minute),
    122 * minute + 10 * minute - 30 * minute,
  ],
  ['what was firing keeps its activation time', forState(10 * 60, 110 * minute), 10 * minute],
  ['what was not active is not restored', forState(100 * 60, 110 * minute, true), 121 * minute],
  ['a value that is no time restores nothing', forState(-1e300, 110 * minute), 121 * minute],
  ['a start after the sample itself restores nothing', forState(1e12, 110 * minute), 121 * minute],
];

for (const [title, series, activeAtMs] of restoreCases) {
  test(`restoring the \`for\` state after the second evaluation: ${title}`, async () => {
    const world = new RuleWorld();
    const asked: (readonly Matcher[])[] = [];
    const config = groupConfig([ruleConfig({ alert: 'Down', forMs: 30 * minute })]);
    const group = world.group(
      config,
      {},
      {
        readSeries: (matchers) => {
          asked.push(matchers);
          return Promise.resolve({
            series: [series].filter((each) => matchesAll(matchers, each.labels)),
            incomplete: false,
          });
        },
      },
    );
    world.answers.set('up == 0', vector([{ instance: 'a' }, 0]));
    assert.deepEqual(
      await world.at(group, 121 * minute),
      [],
      'nothing is written before the state is restored',
    );
    await world.at(group, 122 * minute);
    assert.equal(asked.length, 1);
    assert.equal(group.alertingRules[0]?.alerts[0]?.activeAtMs, activeAtMs);
    assert.ok((await world.at(group, 123 * minute)).length > 0);
  });
}

test('restoring from incomplete data is tried again', async () => {
  const world = new RuleWorld();
  let incomplete = true;
  const group = world.group(
    groupConfig([ruleConfig({ alert: 'Down', forMs: 30 * minute })]),
    {},
    {
      readSeries: () =>
        Promise.resolve({ series: incomplete ? [] : [forState(100 * 60, 110 * minute)], incomplete }),
    },
  );
  world.answers.set('up == 0', vector([{ instance: 'a' }, 0]));
  await world.at(group, 121 * minute);
  await world.at(group, 122 * minute);
  assert.equal(group.alertingRules[0]?.restored, false);
  incomplete = false;
  await world.at(group, 123 * minute);
  assert.equal(group.alertingRules[0]?.restored, true);
});

test('the rules and alerts APIs show Prometheus\u2019 fields', async () => {
  const world = new RuleWorld();
  const alert = ruleConfig({
    alert: 'Down',
    labels: { severity: 'page' },
    annotations: { s: '{{ $value }}' },
  });
  const group = world.group(groupConfig([alert, ruleConfig({ record: 'r', expr: 'e' })]));
  assert.equal(ruleGroupView(group).rules[0]?.health, 'unknown');
  assert.equal(ruleGroupView(group).lastEvaluation, '0001-01-01T00:00:00Z');
  world.answers.set('up == 0', vector([{ instance: 'a' }, 0.5]));
  await world.at(group, minute);
  const alertView = {
    labels: { alertname: 'Down', instance: 'a', severity: 'page' },
    annotations: { s: '0.5' },
    state: 'firing',
    activeAt: '1970-01-01T00:01:00Z',
    value: '5e-01',
  };
  const status = { health: 'ok', evaluationTime: 0, lastEvaluation: '1970-01-01T00:01:00Z' };
  assert.deepEqual(JSON.parse(JSON.stringify(ruleGroupView(group))), {
    name: 'group',
    file: 'rules.yml',
    interval: 60,
    limit: 0,
    evaluationTime: 0,
    lastEvaluation: '1970-01-01T00:01:00Z',
    rules: [
      {
        state: 'firing',
        name: 'Down',
        query: 'up == 0',
        duration: 0,
        keepFiringFor: 0,
        labels: { severity: 'page' },
        annotations: { s: '{{ $value }}' },
        alerts: [alertView],
        ...status,
        type: 'alerting',
      },
      { name: 'r', query: 'e', ...status, type: 'recording' },
    ],
  });
  assert.deepEqual(alertsView([group]), { alerts: [alertView] });
});
