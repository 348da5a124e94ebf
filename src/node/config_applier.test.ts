import assert from 'node:assert/strict';
import test from 'node:test';
import { LocalWorkers, type WorkerMessage } from '../actors/index.ts';
import { CodedError, silentLogger } from '../base/index.ts';
import { type ClusterHooks, emptyTable, type Member, type ShardTable } from '../cluster/index.ts';
import { TestInbox, VirtualClock } from '../runtime/testing/index.ts';
import { ConfigApplier } from './config_applier.ts';
import { type LoadedConfig, loadConfig } from './load_config.ts';

async function configOf(interval: string): Promise<LoadedConfig> {
  const text = `
global: {scrape_interval: ${interval}, evaluation_interval: 10s}
scrape_configs: [{job_name: j, static_configs: [{targets: [a]}]}]
`;
  const files = { readText: async () => text, glob: async () => [] } as unknown as Parameters<
    typeof loadConfig
  >[1];
  return loadConfig({ prometheus: 'prometheus.yml', alertmanager: '' }, files);
}

type Scrape = Extract<WorkerMessage, { type: 'scrape' }>;

class World {
  readonly clock = new VirtualClock();
  readonly workers = new LocalWorkers({ shards: 4, stores: 2, workers: 2 });
  readonly inboxes = [new TestInbox<WorkerMessage>('/w0'), new TestInbox<WorkerMessage>('/w1')];
  readonly applied: string[] = [];
  readonly replayed: unknown[] = [];
  hooks: ClusterHooks | undefined;
  table: ShardTable = { ...emptyTable(4), version: 7 };
  readonly applier = new ConfigApplier(
    {
      cluster: {
        nodeId: 'a',
        table: () => this.table,
        members: () =>
          (['alive', 'suspect', 'dead', 'left'] as const).map(
            (state) => ({ state, meta: { id: state } }) as unknown as Member,
          ),
        subscribe: (hooks) => {
          this.hooks = hooks;
          hooks.onTable?.(this.table);
          return () => {
            this.hooks = undefined;
          };
        },
      },
      workers: this.workers,
      rules: { configure: () => this.applied.push('rules'), setTable: () => this.applied.push('table') },
      alerts: { configure: () => this.applied.push('alerts') },
      discovery: {
        configure: () => this.applied.push('discovery'),
        replayTo: (worker) => this.replayed.push(worker),
      },
      queryLog: { open: () => Promise.resolve(undefined), use: () => undefined },
      externalUrl: 'http://n',
      clock: this.clock,
      log: silentLogger,
    },
    {
      clusterShards: 4,
      enableFeatures: [],
      rulesResendDelayMs: 1,
      rulesForOutageToleranceMs: 1,
      retentionTimeMs: 86_400_000,
      retentionSizeBytes: 0,
      scrapeAdjustTimestamps: true,
      scrapeTimestampToleranceMs: 2,
      rulesForGracePeriodMs: 1,
    },
  );

  constructor() {
    for (const [i, inbox] of this.inboxes.entries()) this.workers.set(i, inbox);
  }

  /** What a worker was told since; scrape settings are answered with `error`, or well. */
  async told(index: number, error?: Error): Promise<string[]> {
    await settle();
    const told = this.inboxes[index]?.takeAll() ?? [];
    for (const message of told) {
      if (message.type !== 'scrape') continue;
      if (error === undefined) message.replyTo.ok(undefined);
      else message.replyTo.fail(error);
    }
    await settle();
    return told.map((message) => {
      if (message.type === 'cluster')
        return `cluster ${message.state.table.version} ${message.state.live.join(' ')}`;
      return message.type === 'scrape' ? `scrape ${(message as Scrape).settings.settleMs}` : message.type;
    });
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const refusal = new CodedError('request', 'unable to read TLS file');

test('workers take the configuration first, then everybody else, then the cluster is followed', async () => {
  const world = new World();
  const done = world.applier.apply(await configOf('5s'));
  assert.deepEqual(await world.told(0), ['scrape 20000']);
  assert.deepEqual(world.applied, []);
  assert.deepEqual(await world.told(1), ['scrape 20000']);
  await done;
  assert.deepEqual(world.applied, ['discovery', 'rules', 'alerts', 'table']);
  assert.deepEqual(await world.told(0), ['cluster 7 alive suspect']);
  world.hooks?.onMembers?.([]);
  assert.deepEqual(await world.told(1), ['cluster 7 alive suspect', 'cluster 7 alive suspect']);
});

test('what one worker refuses changes nothing, and the others go back to what they had', async () => {
  const world = new World();
  const first = world.applier.apply(await configOf('10s'));
  await Promise.all([world.told(0), world.told(1)]);
  await first;
  await Promise.all([world.told(0), world.told(1)]);
  world.applied.length = 0;
  const second = world.applier.apply(await configOf('60s'));
  second.catch(() => undefined);
  assert.deepEqual(await world.told(0), ['scrape 120000']);
  assert.deepEqual(await world.told(1, refusal), ['scrape 120000']);
  await assert.rejects(second, /TLS/);
  assert.deepEqual(world.applied, []);
  assert.deepEqual(await world.told(0), ['cluster 7 alive suspect', 'scrape 20000']);
  assert.deepEqual(await world.told(1), []);
});

test('a worker that starts again hears of the shards at once, and of its jobs until it takes them', async () => {
  const world = new World();
  const done = world.applier.apply(await configOf('10s'));
  await Promise.all([world.told(0), world.told(1)]);
  await done;
  const again = new TestInbox<WorkerMessage>('/again');
  world.inboxes[0] = again;
  world.workers.set(0, again);
  world.applier.tellAll(again);
  assert.deepEqual(await world.told(0, refusal), ['cluster 7 alive suspect', 'scrape 20000']);
  assert.deepEqual(world.replayed, []);
  world.clock.advance(10_000);
  assert.deepEqual(await world.told(0), ['cluster 7 alive suspect', 'scrape 20000']);
  assert.deepEqual(world.replayed, [again]);
  world.clock.advance(60_000);
  assert.deepEqual(await world.told(0), []);
});

test('a worker that starts during a reload ends up with the new configuration', async () => {
  const world = new World();
  const first = world.applier.apply(await configOf('10s'));
  await Promise.all([world.told(0), world.told(1)]);
  await first;
  await Promise.all([world.told(0), world.told(1)]);
  const second = world.applier.apply(await configOf('60s'));
  await world.told(1);
  const old = world.inboxes[0]?.takeAll() as Scrape[];
  const again = new TestInbox<WorkerMessage>('/again');
  world.inboxes[0] = again;
  world.workers.set(0, again);
  world.applier.tellAll(again);
  assert.deepEqual(await world.told(0), ['cluster 7 alive suspect', 'scrape 20000']);
  old[0]?.replyTo.ok(undefined);
  await second;
  assert.deepEqual(await world.told(0), ['cluster 7 alive suspect', 'scrape 120000']);
});

test('reloads are applied one after the other', async () => {
  const world = new World();
  const both = [world.applier.apply(await configOf('10s')), world.applier.apply(await configOf('60s'))];
  assert.deepEqual(await world.told(0), ['scrape 20000']);
  assert.deepEqual(await world.told(0), []);
  await world.told(1);
  assert.ok((await world.told(0)).includes('scrape 120000'));
  await world.told(1);
  await Promise.all(both);
});

test('after the stop nothing is told any more and no timer is left', async () => {
  const world = new World();
  const done = world.applier.apply(await configOf('10s'));
  await Promise.all([world.told(0), world.told(1)]);
  await done;
  world.applier.tellAll(world.inboxes[0] as TestInbox<WorkerMessage>);
  await world.told(0, refusal);
  assert.equal(world.clock.pending, 1);
  world.applier.stop();
  assert.equal(world.clock.pending, 0);
  assert.equal(world.hooks, undefined);
});
