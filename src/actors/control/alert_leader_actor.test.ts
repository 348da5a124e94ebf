import assert from 'node:assert/strict';
import test from 'node:test';
import { Registry } from 'prom-client';
import {
  createAlertmanagerMetrics,
  type NotificationLog,
  type NotificationRecord,
  type NotifyFailure,
  type NotifyRequest,
} from '../../alertmanager/index.ts';
import {
  alertmanagerConfig,
  receiverConfig,
  routeConfig,
  webhookConfig,
} from '../../alertmanager/testing/config.ts';
import { CodedError } from '../../base/index.ts';
import type { KeyedEntry } from '../../cluster/index.ts';
import type { ActorRef } from '../../runtime/index.ts';
import { testWorld } from '../../runtime/testing/index.ts';
import {
  type AlertLeaderDeps,
  type AlertLeaderMessage,
  type AlertsViewQuery,
  alertLeaderProps,
} from './alert_leader_actor.ts';
import { entryFor, restoreLog } from './notification_records.ts';

const config = alertmanagerConfig({
  route: routeConfig({
    receiver: 'hook',
    groupWaitMs: 10_000,
    groupIntervalMs: 60_000,
    repeatIntervalMs: 3_600_000,
  }),
  receivers: [receiverConfig('hook', [webhookConfig()])],
});
const everything: AlertsViewQuery = {
  active: true,
  silenced: true,
  inhibited: true,
  muted: true,
  unprocessed: true,
  filter: [],
  receiver: '',
};

/** The committed entries, and leaders that come and go over them. */
class World {
  readonly world = testWorld();
  readonly scheduler = this.world.scheduler;
  readonly committed = new Map<string, KeyedEntry>();
  readonly sent: NotifyRequest[] = [];
  readonly registry = new Registry();
  /** What happens to the next proposals; the last one stays. */
  hasMajority = true;
  /** Set: notifications wait for it. */
  receiver: Promise<NotifyFailure | undefined> | undefined;
  leader: ActorRef<AlertLeaderMessage> | undefined;
  #leaders = 0;

  elect(changes: Partial<AlertLeaderDeps> = {}): void {
    const deps: AlertLeaderDeps = {
      config: () => config,
      restoreLog: () => restoreLog({ entries: () => this.committed.values() }),
      silences: () => [],
      commit: (record, log) => this.#commit(record, log),
      notify: async (request) => {
        this.sent.push(request);
        return this.receiver;
      },
      onQuorumLoss: 'notify',
      metrics: createAlertmanagerMetrics(new Registry()),
      ...changes,
    };
    this.leader = this.world.system.spawn(alertLeaderProps(deps), `leader-${++this.#leaders}`);
  }

  async depose(): Promise<void> {
    if (this.leader !== undefined) await this.scheduler.runUntilSettled(this.world.system.kill(this.leader));
    this.leader = undefined;
  }

  async #commit(record: NotificationRecord, log: NotificationLog): Promise<void> {
    if (!this.hasMajority) throw new CodedError('no_leader', 'no majority');
    const entry = entryFor(record, log);
    if (entry !== undefined) this.committed.set(entry.key, entry);
  }

  post(alerts: unknown): Promise<void> {
    const leader = this.leader as ActorRef<AlertLeaderMessage>;
    return this.scheduler.runUntilSettled(
      leader.ask<void>((replyTo) => ({ type: 'alerts', alerts, replyTo }), 1_000),
    );
  }

  fire(name: string): Promise<void> {
    return this.post([
      { labels: { alertname: name }, endsAt: new Date(this.scheduler.clock.nowMs() + 600_000).toISOString() },
    ]);
  }

  view(query: AlertsViewQuery): Promise<unknown> {
    const leader = this.leader as ActorRef<AlertLeaderMessage>;
    return this.scheduler.runUntilSettled(
      leader.ask<unknown>((replyTo) => ({ type: 'view', what: 'alerts', query, replyTo }), 1_000),
    );
  }

  async run(forMs: number): Promise<void> {
    await this.scheduler.runFor(forMs);
  }

  get intents(): number {
    return restoreLog({ entries: () => this.committed.values() }).intents.length;
  }
}

test('a firing alert is notified once, after its intent is committed, and its outcome is committed then', async () => {
  const world = new World();
  const steps: string[] = [];
  world.elect({
    commit: async ({ kind }) => {
      steps.push(kind);
    },
    notify: async () => {
      steps.push('notify');
      return undefined;
    },
  });
  await world.fire('a');
  await world.run(9_000);
  assert.deepEqual(steps, []);
  await world.run(1_100);
  assert.deepEqual(steps, ['intent', 'notify', 'outcome']);
});

test('the next leader does not send again what was sent, and pages a second incident', async () => {
  const world = new World();
  world.elect();
  await world.fire('a');
  await world.run(15_000);
  assert.equal(world.sent.length, 1);
  await world.depose();
  world.elect();
  await world.fire('a');
  await world.run(300_000);
  assert.equal(world.sent.length, 1);
  await world.fire('b');
  await world.run(120_000);
  assert.equal(world.sent.length, 2);
});

test('a leader that is lost between intent and outcome is completed under the same key', async () => {
  const world = new World();
  world.elect();
  world.receiver = new Promise(() => undefined);
  await world.fire('a');
  await world.run(15_000);
  assert.equal(world.intents, 1);
  await world.depose();
  world.receiver = undefined;
  world.elect();
  await world.run(15_000);
  assert.equal(world.sent.length, 2);
  assert.equal(world.sent[0]?.intent.key, world.sent[1]?.intent.key);
  assert.equal(world.intents, 0);
  await world.fire('a');
  await world.run(300_000);
  assert.equal(world.sent.length, 2);
});

test('without a majority it notifies all the same or holds back, as it was told', async () => {
  for (const [onQuorumLoss, expected] of [
    ['notify', 1],
    ['hold', 0],
  ] as const) {
    const world = new World();
    world.hasMajority = false;
    world.elect({ onQuorumLoss });
    await world.fire('a');
    await world.run(30_000);
    assert.equal(world.sent.length, expected, onQuorumLoss);
    await world.run(60_000);
    assert.equal(world.sent.length, expected, 'and not again');
  }
});

test('an outcome that could not be committed is committed when there is a majority again', async () => {
  const world = new World();
  world.hasMajority = false;
  world.elect();
  await world.fire('a');
  await world.run(30_000);
  assert.equal(world.committed.size, 0);
  world.hasMajority = true;
  await world.run(10_000);
  assert.equal(world.committed.size, 1);
  await world.depose();
  world.elect();
  await world.fire('a');
  await world.run(120_000);
  assert.equal(world.sent.length, 1);
});

test('a deposed leader stops at once: its notification is aborted and no timer is left', async () => {
  const world = new World();
  let aborted = false;
  world.elect({
    notify: (_, signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    },
  });
  await world.fire('a');
  await world.run(15_000);
  await world.depose();
  assert.equal(aborted, true);
  assert.deepEqual(world.world.system.paths, []);
});

test('the good alerts of a post count, the bad ones are told and counted', async () => {
  const world = new World();
  const metrics = createAlertmanagerMetrics(world.registry);
  world.elect({ metrics });
  const alerts = [{ labels: {} }, { labels: { alertname: 'a' } }];
  await assert.rejects(world.post(alerts), { code: 'bad_alerts' });
  await assert.rejects(world.post('nonsense'), { code: 'bad_alert' });
  assert.equal(((await world.view(everything)) as unknown[]).length, 1);
  assert.equal((await metrics.invalid.get()).values[0]?.value, 1);
});

test('a question that makes no sense is refused and costs the dispatcher nothing', async () => {
  const world = new World();
  world.elect();
  await world.fire('a');
  await assert.rejects(world.view({ ...everything, receiver: '(' }));
  const filter = [{ name: 'a', type: '=~', value: '(' }] as unknown as AlertsViewQuery['filter'];
  await assert.rejects(world.view({ ...everything, filter }));
  assert.equal(((await world.view(everything)) as unknown[]).length, 1);
  assert.equal(((await world.view({ ...everything, receiver: 'nobody' })) as unknown[]).length, 0);
});
