import assert from 'node:assert/strict';
import test from 'node:test';
import { Registry } from 'prom-client';
import { seededRandom, silentLogger } from '../../base/index.ts';
import { createDiscoveryMetrics } from '../../discovery/index.ts';
import { TestInbox, testWorld } from '../../runtime/testing/index.ts';
import { scrapeConfig } from '../../scrape/testing/fixtures.ts';
import type { WorkerMessage } from '../worker/messages.ts';
import { DiscoveryManager } from './discovery_manager.ts';
import { LocalWorkers } from './local_workers.ts';

type Job = Parameters<DiscoveryManager['configure']>[0][number];

const section = (...addresses: string[]): { mechanism: string } => {
  const config = { mechanism: 'static', groups: [{ targets: addresses, labels: {} }] };
  return config;
};

/** A section that never tells, in virtual time. */
const pending = (): { mechanism: string } => {
  const config = { mechanism: 'dns', names: ['x.invalid.'], type: 'A', port: 1, refreshIntervalMs: 60_000 };
  return config;
};

const job = (jobName: string, ...sections: { mechanism: string }[]): Job =>
  ({ ...scrapeConfig({ jobName }), serviceDiscoveryConfigs: sections }) as unknown as Job;

class World {
  readonly world = testWorld();
  readonly worker = new TestInbox<WorkerMessage>('/worker');
  readonly workers = new LocalWorkers({ shards: 8, stores: 1, workers: 2 });
  readonly metrics = createDiscoveryMetrics(new Registry());
  readonly manager: DiscoveryManager;

  constructor() {
    const { scheduler, system } = this.world;
    this.workers.set(0, this.worker);
    this.manager = new DiscoveryManager(system, this.workers, {
      clock: scheduler.clock,
      random: seededRandom(1),
      version: '0',
      log: silentLogger,
      metrics: this.metrics,
    });
  }

  /** `job: addresses` per message since the last look. */
  async told(inbox = this.worker): Promise<string[]> {
    await this.world.scheduler.runFor(0);
    return inbox.takeAll().map((message) => {
      assert.equal(message.type, 'groups');
      if (message.type !== 'groups') return '';
      const addresses = message.groups.flatMap(({ targets }) => targets.map((flat) => flat[1]));
      return `${message.job}: ${addresses.join(' ')}`;
    });
  }
}

test('each section runs as an actor, and workers are told all targets of the job', async () => {
  const world = new World();
  world.manager.configure([job('j', section('a'), section('b', 'c'))]);
  assert.equal((await world.told()).at(-1), 'j: a b c');
  assert.equal(world.world.system.paths.length, 2);
});

test('a reload leaves jobs alone whose sections are the same, and replaces the others', async () => {
  const world = new World();
  world.manager.configure([job('j', section('a')), job('k', section('x'))]);
  await world.told();
  const before = world.world.system.paths;
  world.manager.configure([job('j', section('a')), job('k', section('y'))]);
  assert.deepEqual(await world.told(), ['k: y']);
  const kept = world.world.system.paths.filter((path) => before.includes(path));
  assert.equal(kept.length, 1);
  assert.equal(world.world.system.paths.length, 2);
});

test('a job that has no sections any more has no targets any more', async () => {
  const world = new World();
  world.manager.configure([job('j', section('a'))]);
  await world.told();
  world.manager.configure([job('j')]);
  assert.deepEqual(await world.told(), ['j: ']);
});

test('a job that is gone is not told again, and a late worker hears of the others', async () => {
  const world = new World();
  world.manager.configure([job('j', section('a')), job('k', section('x'))]);
  await world.told();
  world.manager.configure([job('k', section('x'))]);
  await world.told();
  assert.equal(world.world.system.paths.length, 1);
  const late = new TestInbox<WorkerMessage>('/late');
  world.manager.replayTo(late);
  assert.deepEqual(await world.told(late), ['k: x']);
});

test('equal sections of two jobs are run once', async () => {
  const world = new World();
  world.manager.configure([job('j', section('a')), job('k', section('a'))]);
  assert.deepEqual((await world.told()).slice(-2), ['j: a', 'k: a']);
  assert.equal(world.world.system.paths.length, 1);
  world.manager.configure([job('renamed', section('a'))]);
  assert.deepEqual(await world.told(), ['renamed: a']);
  assert.equal(world.world.system.paths.length, 1);
});

test('the targets of a replaced section stay until what replaced it tells, but not for ever', async () => {
  const world = new World();
  world.manager.configure([job('j', section('a'), section('b'))]);
  await world.told();
  world.manager.configure([job('j', section('b'), pending())]);
  const told = await world.told();
  assert.ok(
    told.every((text) => text === 'j: a b'),
    told.join(),
  );
  await world.world.scheduler.runFor(10_000);
  assert.deepEqual(await world.told(), ['j: b']);
});

test('updates and targets are counted for each job', async () => {
  const world = new World();
  world.manager.configure([job('j', section('a', 'b')), job('k', { mechanism: 'consul' })]);
  await world.told();
  const { discoveredTargets, receivedUpdates, sentUpdates, failedConfigs } = world.metrics.manager;
  const values = async (metric: { get(): Promise<{ values: { value: number }[] }> }): Promise<number[]> =>
    (await metric.get()).values.map(({ value }) => value);
  assert.deepEqual(await values(discoveredTargets), [2, 0]);
  assert.deepEqual(await values(receivedUpdates), [1]);
  assert.deepEqual(await values(sentUpdates), [3]);
  assert.deepEqual(await values(failedConfigs), [1]);
  world.manager.configure([]);
  assert.deepEqual(await values(discoveredTargets), []);
});
