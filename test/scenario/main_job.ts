/**
 * The main job, told once for every way of running a cluster: three nodes answer alike, one is killed and the others
 * take over, it comes back with its data, and every incident is paged exactly once although the leader dies between.
 */
import assert from 'node:assert/strict';
import { cluster, type QueryAnswer, query, type Received, targets, until } from './api.ts';

export interface ScenarioNode {
  readonly id: string;
  /** Base URL of its HTTP API as the test reaches it. */
  readonly url: string;
  /** Its own URL, as notifications name it. */
  readonly externalUrl: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface ScenarioExporter {
  /** The target's `instance` label. */
  readonly instance: string;
  stop(): Promise<void>;
}

export interface ScenarioCluster {
  readonly nodes: readonly ScenarioNode[];
  /** Targets of job `companion`, at least two, scraped every second. */
  readonly exporters: readonly ScenarioExporter[];
  /** What the webhook receiver got so far. */
  received(): Promise<readonly Received[]>;
}

/** Targets of job `spread`: one exporter under many names, so that every node has some to lose. */
const spreadTargets = 12;

function targetCount({ nodes, exporters }: ScenarioCluster): number {
  return nodes.length + exporters.length + spreadTargets;
}

/** The configuration that the scenario expects; instances and the hook's URL differ by environment. */
export function scenarioConfig(
  instances: readonly string[],
  selfTargets: readonly string[],
  hookAddress: string,
): {
  readonly prometheus: string;
  readonly rules: string;
  readonly alertmanager: string;
} {
  const list = (addresses: readonly string[]): string => JSON.stringify(addresses);
  return {
    prometheus: [
      'global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}',
      'rule_files: [rules.yml]',
      'scrape_configs:',
      '  - job_name: companion',
      `    static_configs: [{targets: ${list(instances)}}]`,
      '  - job_name: spread',
      '    static_configs:',
      ...Array.from(
        { length: spreadTargets },
        (_, index) => `      - {targets: ${list([hookAddress])}, labels: {instance: spread-${index}}}`,
      ),
      '  - job_name: torchring',
      `    static_configs: [{targets: ${list(selfTargets)}}]`,
      '',
    ].join('\n'),
    rules: [
      'groups:',
      '  - name: companions',
      '    rules:',
      '      - record: job:up:sum',
      '        expr: sum by (job) (up)',
      '      - alert: CompanionDown',
      '        expr: up{job="companion"} == 0',
      '        labels: {severity: page}',
      '',
    ].join('\n'),
    alertmanager: [
      'route: {receiver: hook, group_by: [alertname, instance], group_wait: 1s, group_interval: 5s, repeat_interval: 4h}',
      'receivers:',
      '  - name: hook',
      `    webhook_configs: [{url: "http://${hookAddress}/hook", send_resolved: false}]`,
      '',
    ].join('\n'),
  };
}

const takeOverMs = 15_000;

const secondsSince = (sinceMs: number): string => ((Date.now() - sinceMs) / 1000).toFixed(1);
const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds;

async function everyAnswer(
  nodes: readonly ScenarioNode[],
  expr: string,
  atSeconds: number,
): Promise<QueryAnswer[]> {
  return Promise.all(nodes.map((node) => query(node.url, expr, atSeconds)));
}

async function leaderOf(nodes: readonly ScenarioNode[]): Promise<ScenarioNode> {
  const views = await Promise.all(nodes.map((node) => cluster(node.url)));
  const leaders = new Set(views.map((view) => view.leader));
  assert.equal(leaders.size, 1, 'all nodes name the same leader');
  const leader = nodes.find((node) => node.id === [...leaders][0]);
  assert.ok(leader, 'the leader is one of the nodes');
  return leader;
}

/** Waits until the cluster has a leader that everybody names and all targets are up. */
export async function untilUp(scenario: ScenarioCluster, withinMs = 60_000): Promise<void> {
  const { nodes } = scenario;
  await until('a leader and all targets up', withinMs, async () => {
    const views = await Promise.all(nodes.map((node) => cluster(node.url)));
    const isLed = views.every((view) => view.leader !== null && view.leader === views[0]?.leader);
    const first = nodes[0];
    if (!isLed || first === undefined) return undefined;
    const active = await targets(first.url);
    return active.length === targetCount(scenario) && active.every((target) => target.health === 'up')
      ? true
      : undefined;
  });
}

export async function sameAnswerEverywhere({ nodes }: ScenarioCluster): Promise<void> {
  const expr = 'sum by (job) (rate(process_cpu_seconds_total[1m]))';
  // A little in the past, so that no scrape lands between the three questions.
  const atSeconds = await until('a rate', 30_000, async () => {
    const at = secondsAgo(2);
    const answer = await query(nodes[0]?.url ?? '', expr, at);
    return answer.data.result.length > 0 ? at : undefined;
  });
  const answers = await everyAnswer(nodes, expr, atSeconds);
  assert.ok((answers[0]?.data.result.length ?? 0) > 0);
  for (const answer of answers) {
    assert.deepEqual(answer.data, answers[0]?.data);
    assert.equal(answer.warnings, undefined);
  }
}

/** Stops an exporter and waits for its page; asserts that there is exactly one for it. */
export async function pagedOnce(
  scenario: ScenarioCluster,
  living: readonly ScenarioNode[],
  exporter: ScenarioExporter,
): Promise<void> {
  const leader = await leaderOf(living);
  await exporter.stop();
  const about = (all: readonly Received[]): readonly Received[] =>
    all.filter(({ payload }) => payload.groupLabels['instance'] === exporter.instance);
  const [page] = await until(`a page for ${exporter.instance}`, 60_000, async () => {
    const found = about(await scenario.received());
    return found.length > 0 ? found : undefined;
  });
  assert.equal(page?.payload.version, '4');
  assert.equal(page?.payload.status, 'firing');
  assert.equal(page?.payload.receiver, 'hook');
  assert.equal(page?.payload.externalURL, leader.externalUrl, 'the leader sends it');
  assert.equal(page?.payload.alerts[0]?.labels['alertname'], 'CompanionDown');
}

/** Kills the leader; the others scrape everything, answer with a warning, and page nobody again. */
export async function leaderDies(
  scenario: ScenarioCluster,
  say: (text: string) => void,
): Promise<ScenarioNode> {
  const leader = await leaderOf(scenario.nodes);
  const others = scenario.nodes.filter((node) => node !== leader);
  const url = others[0]?.url ?? '';
  const lost = (await targets(url)).filter(({ node }) => node === leader.id).length;
  assert.ok(lost > 0, 'the leader has targets to lose');
  await leader.kill();
  const killedAtMs = Date.now();
  await until('every target scraped by a living node', takeOverMs, async () => {
    const active = await targets(url);
    const isTakenOver = active.every(
      (target) => target.node !== leader.id && Date.parse(target.lastScrape) > killedAtMs,
    );
    return isTakenOver && active.length === targetCount(scenario) ? true : undefined;
  });
  say(`the ${lost} targets of the leader were scraped again ${secondsSince(killedAtMs)} s after the kill`);
  const answer = await query(url, 'count(up)');
  assert.equal(answer.status, 'success');
  assert.match(answer.warnings?.join('\n') ?? '', new RegExp(`${leader.id} .*shards? [0-9]`));
  await until('a new leader', takeOverMs, async () => {
    const views = await Promise.all(others.map((node) => cluster(node.url)));
    const names = new Set(views.map((view) => view.leader));
    return names.size === 1 && !names.has(null) && !names.has(leader.id) ? true : undefined;
  });
  return leader;
}

/** A node that was killed starts again: its data is back, and nothing is missing any more. */
export async function nodeComesBack(
  scenario: ScenarioCluster,
  node: ScenarioNode,
  since: { readonly expr: string; readonly atSeconds: number; readonly before: QueryAnswer },
): Promise<void> {
  await node.start();
  await until('no warning any more', 60_000, async () => {
    const answers = await everyAnswer(scenario.nodes, since.expr, since.atSeconds);
    const isWhole = answers.every(({ status, warnings }) => status === 'success' && warnings === undefined);
    return isWhole ? true : undefined;
  });
  for (const answer of await everyAnswer(scenario.nodes, since.expr, since.atSeconds)) {
    assert.deepEqual(answer.data, since.before.data, `data from before the kill, at every node`);
  }
}

/** The whole story; `say` hears how long things took. */
export async function runMainJob(scenario: ScenarioCluster, say: (text: string) => void): Promise<void> {
  const [first, second] = scenario.exporters;
  assert.ok(first && second, 'the scenario needs two exporters');
  const startedAtMs = Date.now();
  await untilUp(scenario);
  say(`the cluster was up ${secondsSince(startedAtMs)} s after its start`);
  await sameAnswerEverywhere(scenario);
  await pagedOnce(scenario, scenario.nodes, first);

  const since = {
    expr: 'count_over_time(companion_answer[1h])',
    atSeconds: secondsAgo(2),
  };
  const before = await query(scenario.nodes[0]?.url ?? '', since.expr, since.atSeconds);
  assert.equal(before.data.result.length, scenario.exporters.length + spreadTargets);
  const dead = await leaderDies(scenario, say);
  const living = scenario.nodes.filter((node) => node !== dead);
  await pagedOnce(scenario, living, second);
  const backAtMs = Date.now();
  await nodeComesBack(scenario, dead, { ...since, before });
  say(`nothing was missing any more ${secondsSince(backAtMs)} s after the dead node's start`);

  const pages = (await scenario.received()).map(({ payload }) => payload.groupLabels['instance']);
  assert.deepEqual(pages, [first.instance, second.instance], 'one page per incident');
}
