import assert from 'node:assert/strict';
import test from 'node:test';
import { silentLogger } from '../../base/index.ts';
import type { ShardEntry, ShardTable } from '../../cluster/index.ts';
import { isStaleNaN, Labels, type WriteBatch } from '../../model/index.ts';
import type { PostedAlert, QueryAnswer, RuleGroupConfig, RuleGroupOptions } from '../../rules/index.ts';
import { groupConfig, ruleConfig } from '../../rules/testing/world.ts';
import { NodeLink } from '../../runtime/index.ts';
import { DeterministicScheduler, MemoryNetwork, testWorld } from '../../runtime/testing/index.ts';
import { RuleManager } from './rule_manager.ts';

const intervalMs = 10_000;
const options: RuleGroupOptions = {
  defaultIntervalMs: intervalMs,
  defaultQueryOffsetMs: 0,
  resendDelayMs: 60_000,
  partialData: 'hold',
  outgoing: { externalLabels: Labels.empty, externalUrl: 'http://n', relabel: (labels) => labels },
  restore: { outageToleranceMs: 3_600_000, gracePeriodMs: 600_000 },
};
const recording = (record: string): RuleGroupConfig =>
  groupConfig([ruleConfig({ record, expr: 'up' })], { intervalMs });
const alerting = groupConfig([ruleConfig({ alert: 'Down', expr: 'up == 0' })], { intervalMs });

const tableOf = (version: number, owner: string): ShardTable => ({
  version,
  shards: [{ owner, epoch: version, holders: [owner] } satisfies ShardEntry],
});

interface Node {
  readonly manager: RuleManager;
  /** Evaluations that began, by expression. */
  readonly evaluated: string[];
  readonly written: string[];
  readonly alerts: PostedAlert[];
}

class World {
  readonly scheduler = new DeterministicScheduler(3);
  readonly #network = new MemoryNetwork(this.scheduler);
  /** Evaluations that run at this moment, on all nodes together. */
  running = 0;
  runningMax = 0;
  /** What a query waits for. */
  gate: Promise<void> = Promise.resolve();

  node(id: string): Node {
    const { system } = testWorld({ scheduler: this.scheduler, name: id });
    const link = new NodeLink(system, this.#network.transport(id), id);
    const [evaluated, written, alerts]: [string[], string[], PostedAlert[]] = [[], [], []];
    const groups = {
      query: async (expr: string): Promise<QueryAnswer> => {
        evaluated.push(expr);
        this.running++;
        this.runningMax = Math.max(this.runningMax, this.running);
        await this.gate;
        this.running--;
        const vector = [{ labels: Labels.fromRecord({ instance: 'i' }), value: 1 }];
        return { vector, warnings: [], incomplete: false };
      },
      append: async ({ series, refs, values }: WriteBatch): Promise<void> => {
        for (const [i, ref] of refs.entries()) {
          const shown = isStaleNaN(values, i) ? 'stale' : values[i];
          written.push(`${series[ref]?.get('__name__')}=${shown}`);
        }
      },
      sendAlerts: async (posted: readonly PostedAlert[]): Promise<void> => {
        alerts.push(...posted);
      },
      clock: this.scheduler.clock,
      log: silentLogger,
    };
    return {
      manager: new RuleManager({ system, link, log: silentLogger, groups }),
      evaluated,
      written,
      alerts,
    };
  }

  async run(forMs: number): Promise<void> {
    await this.scheduler.runFor(forMs);
  }
}

test('a group runs on the node that the table names and nowhere else', async () => {
  const world = new World();
  const [a, b] = [world.node('a'), world.node('b')];
  for (const { manager } of [a, b]) {
    manager.configure([recording('r')], options);
    manager.setTable(tableOf(1, 'a'));
  }
  await world.run(intervalMs * 3);
  assert.equal(a.evaluated.length, 3);
  assert.equal(b.evaluated.length, 0);
  assert.equal((await world.scheduler.runUntilSettled(a.manager.views())).length, 1);
});

test('a group that moves is never evaluated twice, and writes no staleness markers on the way', async () => {
  const world = new World();
  const [a, b] = [world.node('a'), world.node('b')];
  for (const { manager } of [a, b]) {
    manager.configure([recording('r')], options);
    manager.setTable(tableOf(1, 'a'));
  }
  await world.run(intervalMs * 2);
  // The new place hears of the move long before the old one does.
  b.manager.setTable(tableOf(2, 'b'));
  await world.run(intervalMs);
  a.manager.setTable(tableOf(2, 'b'));
  await world.run(intervalMs * 2);
  assert.equal(a.evaluated.length, 2);
  assert.equal(b.evaluated.length, 3);
  assert.equal(world.runningMax, 1);
  assert.deepEqual(new Set([...a.written, ...b.written]), new Set(['r=1']));
});

test('a reload that leaves a group alone does not disturb it; a changed one goes on with its state', async () => {
  const world = new World();
  const { manager, alerts, written } = world.node('a');
  manager.configure([alerting], options);
  manager.setTable(tableOf(1, 'a'));
  await world.run(intervalMs);
  const [first] = alerts;
  manager.configure([alerting], options);
  manager.configure([{ ...alerting, limit: 10 }], options);
  await world.run(intervalMs * 7);
  assert.ok(alerts.length > 1);
  assert.ok(
    alerts.every(({ startsAt }) => startsAt === first?.startsAt),
    'the same incident',
  );
  assert.ok(written.every((line) => !line.endsWith('stale')));
});

test('a reload in the middle of an evaluation loses nothing of what it brings about', async () => {
  const world = new World();
  const { manager, written, evaluated } = world.node('a');
  manager.configure([recording('r')], options);
  manager.setTable(tableOf(1, 'a'));
  let open: () => void = () => undefined;
  world.gate = new Promise((resolve) => {
    open = resolve;
  });
  await world.run(intervalMs);
  assert.equal(evaluated.length, 1);
  manager.configure([recording('other')], options);
  await world.run(10);
  open();
  await world.run(intervalMs);
  // What the old rule wrote while the reload came is ended by the new group.
  assert.deepEqual(written, ['r=1', 'other=1', 'r=stale']);
});

test('a group that is not configured any more ends its series', async () => {
  const world = new World();
  const { manager, written, evaluated } = world.node('a');
  manager.configure([recording('r')], options);
  manager.setTable(tableOf(1, 'a'));
  await world.run(intervalMs);
  manager.configure([], options);
  await world.run(intervalMs * 3);
  assert.deepEqual(written, ['r=1', 'r=stale']);
  assert.equal(evaluated.length, 1);
  assert.deepEqual(await world.scheduler.runUntilSettled(manager.views()), []);
});

test('a new leader is sent every active alert at once', async () => {
  const world = new World();
  const { manager, alerts } = world.node('a');
  manager.configure([alerting], options);
  manager.setTable(tableOf(1, 'a'));
  await world.run(intervalMs);
  assert.equal(alerts.length, 1);
  manager.resendAlerts();
  await world.run(100);
  assert.equal(alerts.length, 2);
});
