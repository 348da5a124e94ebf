/**
 * The same rule file and the same target at a real Prometheus and at a cluster of ours: an alert goes through the same
 * states at the same evaluations, with the same ALERTS and ALERTS_FOR_STATE series, and is shown alike by the API.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../scenario/api.ts';
import { api, type LabelRecord, labelText } from './compare.ts';
import { freePorts, skipWithoutPeers, startCluster, startReal, testDirectory } from './programs.ts';

const testTimeoutMs = 240_000;
/** Evaluations of two programs, each once a second at its own offset, see a change up to this much apart. */
const toleranceSeconds = 3;

const rules = `groups:
- name: switches
  rules:
  - {record: 'job:level:sum', expr: sum by (job) (level), labels: {kind: recorded}}
  - alert: Switched
    expr: level > 0
    for: 4s
    keep_firing_for: 3s
    labels: {severity: page, which: '{{ $labels.name }}'}
    annotations: {summary: 'Level of {{ $labels.name }} is {{ $value | humanize }}'}
  - {alert: AtOnce, expr: 'job:level:sum > 0', annotations: {value: '{{ printf "%.1f" $value }}'}}
- name: chained
  rules:
  - {alert: Chained, expr: 'ALERTS{alertname="Switched",alertstate="firing"} == 1'}
`;

interface MatrixSeries {
  readonly metric: LabelRecord;
  readonly values: readonly (readonly [number, string])[];
}

interface Alert {
  readonly labels: LabelRecord;
  readonly annotations: LabelRecord;
  readonly state: string;
  readonly activeAt: string;
  readonly value: string;
}

async function alertsOf(url: string): Promise<Alert[]> {
  return ((await api(url, 'alerts')).data as { alerts: Alert[] }).alerts;
}

/** All states of all alerts, shortest form, order open. */
async function statesOf(url: string): Promise<string> {
  const alerts = await alertsOf(url);
  const lines = alerts.map(({ labels, annotations, state, value }) =>
    [labelText(labels), labelText(annotations), state, value].join(' '),
  );
  return lines.sort().join('\n');
}

/** First and last time of each series, in seconds since a moment. */
async function spans(
  url: string,
  query: string,
  start: number,
  end: number,
): Promise<Map<string, [number, number]>> {
  const parameters = { query, start: String(start), end: String(end), step: '1' };
  const { data } = await api(url, 'query_range', parameters);
  return new Map(
    (data as { result: MatrixSeries[] }).result.map(({ metric, values }) => [
      labelText(metric),
      [(values[0]?.[0] ?? 0) - start, (values.at(-1)?.[0] ?? 0) - start],
    ]),
  );
}

/** What /api/v1/rules says that does not depend on the time. */
async function rulesOf(url: string): Promise<unknown> {
  const { data } = await api(url, 'rules');
  interface Rule extends Readonly<Record<string, unknown>> {
    readonly alerts?: readonly Alert[];
  }
  const { groups } = data as { groups: { name: string; interval: number; limit?: number; rules: Rule[] }[] };
  return groups.map(({ name, interval, limit, rules: list }) => ({
    name,
    interval,
    limit,
    rules: list.map(({ evaluationTime: _time, lastEvaluation: _last, alerts, ...rest }) => ({
      ...rest,
      alerts: alerts?.map(({ activeAt: _activeAt, ...alert }) => alert),
    })),
  }));
}

test('alerts go through the same states, with the same series, as at a real Prometheus', {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const directory = testDirectory(context);
  const levels = new Map([
    ['a', 0],
    ['b', 0],
  ]);
  const exporter = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end([...levels].map(([name, level]) => `level{name="${name}"} ${level}\n`).join(''));
  }).listen(0, '127.0.0.1');
  await once(exporter, 'listening');
  context.after(() => {
    exporter.close();
    exporter.closeAllConnections();
  });
  const { port } = exporter.address() as { port: number };
  const config = join(directory, 'prometheus.yml');
  writeFileSync(join(directory, 'rules.yml'), rules);
  writeFileSync(
    config,
    `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs: [{job_name: switches, static_configs: [{targets: ["127.0.0.1:${port}"]}]}]
`,
  );
  const [realPort] = (await freePorts(1)) as [number];
  const real = await startReal(context, 'prometheus', realPort, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/tsdb`,
  ]);
  const nodes = await startCluster(context, 3, config);
  const all = [real, ...nodes];
  const untilStates = (what: string, holds: (states: string) => boolean): Promise<true> =>
    until(what, 60_000, async () => {
      const seen = await Promise.all(all.map(({ url }) => statesOf(url)));
      return seen.every((states) => states === seen[0] && holds(states)) ? true : undefined;
    }).catch(async (error: unknown) => {
      const seen = await Promise.all(all.map(({ url }) => statesOf(url)));
      assert.fail(`${error}\nreal:\n${seen[0]}\nours:\n${seen.slice(1).join('\n--\n')}`);
    });
  await until('the recording rule has a value everywhere', 60_000, async () => {
    const answers = await Promise.all(all.map(({ url }) => api(url, 'query', { query: 'job:level:sum' })));
    return answers.every(({ data }) => (data as { result: unknown[] }).result.length === 1)
      ? true
      : undefined;
  });
  const startSeconds = Math.floor(Date.now() / 1000);
  await untilStates('nothing is active', (states) => states === '');

  await context.test('pending, firing, kept firing, gone', async () => {
    levels.set('a', 1234.5);
    await untilStates('a is pending', (states) => / pending /.test(states));
    levels.set('b', 2);
    await untilStates(
      'a and b fire',
      (states) => states.split('\n').filter((line) => / firing /.test(line)).length >= 5,
    );
    assert.deepEqual(await rulesOf(nodes[0]?.url ?? ''), await rulesOf(real.url));
    levels.set('a', 0);
    levels.set('b', 0);
    await untilStates('nothing is active again', (states) => states === '');
  });

  await context.test('ALERTS, ALERTS_FOR_STATE and recorded series', async () => {
    const endSeconds = Math.floor(Date.now() / 1000) - 2;
    for (const query of ['ALERTS', 'ALERTS_FOR_STATE', 'job:level:sum']) {
      const expected = await spans(real.url, query, startSeconds, endSeconds);
      assert.ok(expected.size > 0, query);
      for (const node of nodes) {
        const actual = await spans(node.url, query, startSeconds, endSeconds);
        assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort(), query);
        for (const [key, [from, to]] of expected) {
          const [ourFrom, ourTo] = actual.get(key) ?? [0, 0];
          const isClose =
            Math.abs(from - ourFrom) <= toleranceSeconds && Math.abs(to - ourTo) <= toleranceSeconds;
          assert.ok(isClose, `${key}: real ${from} to ${to}, ours ${ourFrom} to ${ourTo}`);
        }
      }
    }
    const forState = {
      query: 'ALERTS_FOR_STATE{alertname="Switched",name="a"}',
      time: String(startSeconds + 8),
    };
    const [expected, ...answers] = await Promise.all(all.map(({ url }) => api(url, 'query', forState)));
    const levelOf = (data: unknown): number =>
      Number((data as { result: { value: [number, string] }[] }).result[0]?.value[1]);
    for (const { data } of answers) {
      assert.ok(Math.abs(levelOf(data) - levelOf(expected?.data)) <= toleranceSeconds);
    }
  });
});
