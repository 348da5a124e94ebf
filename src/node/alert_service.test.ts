import assert from 'node:assert/strict';
import test from 'node:test';
import { Registry } from 'prom-client';
import { createAlertmanagerMetrics } from '../alertmanager/index.ts';
import { alertmanagerConfig, receiverConfig, routeConfig } from '../alertmanager/testing/config.ts';
import { silentLogger } from '../base/index.ts';
import type { ClusterHooks } from '../cluster/index.ts';
import { NodeLink } from '../runtime/index.ts';
import { DeterministicScheduler, MemoryNetwork, testWorld } from '../runtime/testing/index.ts';
import { AlertService } from './alert_service.ts';

const config = alertmanagerConfig({
  route: routeConfig({ receiver: 'r' }),
  receivers: [receiverConfig('r')],
});

class World {
  readonly scheduler = new DeterministicScheduler(5);
  readonly network = new MemoryNetwork(this.scheduler);
  leader: string | undefined;
  readonly hooks = new Map<string, ClusterHooks>();
  resends = 0;

  node(id: string, isConfigured = true): AlertService {
    const { scheduler } = this;
    const { system } = testWorld({ scheduler, name: id });
    const service = new AlertService({
      system,
      link: new NodeLink(system, this.network.transport(id), id),
      cluster: {
        nodeId: id,
        leader: () => this.leader,
        subscribe: (hooks) => {
          this.hooks.set(id, hooks);
          return () => undefined;
        },
        notifications: { get: () => undefined, entries: () => [] },
        propose: async () => undefined,
      },
      silences: () => [],
      clock: scheduler.clock,
      random: scheduler.random,
      log: silentLogger,
      metrics: createAlertmanagerMetrics(new Registry()),
      externalUrl: 'http://n',
      resendAlerts: () => {
        this.resends++;
      },
    });
    service.configure(isConfigured ? config : undefined);
    return service;
  }

  /** As the cluster tells it: everybody hears who leads, the leader then that it does. */
  elect(id: string): void {
    this.leader = id;
    for (const [node, hooks] of this.hooks) {
      hooks.onLeader?.(id);
      hooks.onLeading?.(node === id);
    }
  }

  /** How many alerts the leader shows. */
  async shown(service: AlertService): Promise<number> {
    const states = { active: true, silenced: true, inhibited: true, muted: true, unprocessed: true };
    const query = { ...states, filter: [], receiver: '' };
    return ((await this.scheduler.runUntilSettled(service.view('alerts', query))) as unknown[]).length;
  }

  post(service: AlertService): Promise<void> {
    return this.scheduler.runUntilSettled(service.post([{ labels: { alertname: 'a' } }]));
  }
}

test('alerts reach the leader from every node', async () => {
  const world = new World();
  const services = ['a', 'b'].map((id) => world.node(id));
  world.elect('a');
  for (const service of services) await world.post(service);
  for (const service of services) assert.equal(await world.shown(service), 1);
});

test('a node without alertmanager.yml posts to a leader that has one, and tells nobody where none has', async () => {
  const world = new World();
  const [a, b] = [world.node('a'), world.node('b', false)];
  world.elect('a');
  await world.post(b);
  assert.equal(await world.shown(a), 1);
  world.elect('b');
  await world.post(b);
  const bare = new World();
  const [c, d] = [bare.node('c', false), bare.node('d', false)];
  bare.elect('c');
  await bare.post(c);
  await bare.post(d);
});

test('alerts that are posted during an election reach the one who wins it', async () => {
  const world = new World();
  const [a, b] = [world.node('a'), world.node('b')];
  world.leader = 'b';
  const fromA = a.post([{ labels: { alertname: 'a' } }]);
  const fromB = b.post([{ labels: { alertname: 'b' } }]);
  await world.scheduler.runFor(1_500);
  world.elect('b');
  await world.scheduler.runUntilSettled(Promise.all([fromA, fromB]));
});

test('without a leader a post ends with an error before its deadline, and leaves no timer', async () => {
  const world = new World();
  const service = world.node('a');
  const startedMs = world.scheduler.clock.monotonicMs();
  await assert.rejects(world.post(service), { code: 'no_leader' });
  assert.ok(world.scheduler.clock.monotonicMs() - startedMs <= 5_000);
  assert.equal(world.scheduler.clock.pending, 0);
});

test('the rule groups send everything again when another leads, and once more when the dispatcher is ready', async () => {
  const world = new World();
  world.node('a');
  world.node('b');
  world.elect('a');
  assert.equal(world.resends, 3);
  world.elect('a');
  assert.equal(world.resends, 3);
  world.elect('b');
  assert.equal(world.resends, 6);
});

test('a node that leads again while its last dispatcher is stopping starts one after it', async () => {
  const world = new World();
  const service = world.node('a');
  world.elect('a');
  await world.scheduler.runFor(10);
  world.hooks.get('a')?.onLeading?.(false);
  world.hooks.get('a')?.onLeading?.(true);
  await world.scheduler.runFor(100);
  await world.post(service);
});

test('a bad alert is not offered again and again', async () => {
  const world = new World();
  const service = world.node('a');
  world.elect('a');
  const startedMs = world.scheduler.clock.monotonicMs();
  await assert.rejects(world.scheduler.runUntilSettled(service.post([{ labels: {} }])), {
    code: 'bad_alerts',
  });
  assert.ok(world.scheduler.clock.monotonicMs() - startedMs < 200);
});
