import assert from 'node:assert/strict';
import test from 'node:test';
import { Registry } from 'prom-client';
import type { ShardEntry } from '../../cluster/index.ts';
import { Labels } from '../../model/index.ts';
import { testWorld } from '../../runtime/testing/index.ts';
import { type HttpClient, ScrapeError } from '../../scrape/index.ts';
import { batchLines, scrapeConfig } from '../../scrape/testing/fixtures.ts';
import { ClusterView } from './cluster_view.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { GroupMessage } from './messages.ts';
import { emptyOutcome, Router } from './router.ts';
import { ScrapeManager } from './scrape_manager.ts';

const intervalMs = 10_000;
const shards = 8;
const config = scrapeConfig({ jobName: 'j', scrapeIntervalMs: intervalMs });

/** A router that keeps what it is given. */
class KeepingRouter extends Router {
  readonly lines: string[] = [];

  override async ingest(batch: Parameters<Router['ingest']>[0]): Promise<ReturnType<typeof emptyOutcome>> {
    this.lines.push(...batchLines(batch));
    return emptyOutcome();
  }
}

class World {
  readonly world = testWorld();
  readonly scheduler = this.world.scheduler;
  readonly view = new ClusterView('a', shards, this.scheduler.clock);
  readonly #hosted = { isMine: () => true } as unknown as HostedShards;
  readonly router = new KeepingRouter(this.view, this.#hosted, undefined as never, this.scheduler.clock);
  /** `time url` per scrape, in milliseconds since the start. */
  readonly scrapes: string[] = [];
  body = 'm 1\n';
  isHanging = false;
  clients = 0;
  closed = 0;
  failClient = false;
  readonly registry = new Registry();
  readonly manager = new ScrapeManager(this.view, this.#hosted, this.router, {
    system: this.world.system,
    clock: this.scheduler.clock,
    random: this.scheduler.random,
    log: this.world.system.log,
    registry: this.registry,
    version: '0',
    clusterName: 'c',
    createClient: async () => this.#client(),
  });
  readonly startMs = this.scheduler.clock.nowMs();
  #version = 0;

  #client(): HttpClient {
    if (this.failClient) throw new ScrapeError('request', 'unable to read TLS file');
    this.clients++;
    let isClosed = false;
    return {
      get: async ({ url, signal }) => {
        this.scrapes.push(`${this.scheduler.clock.nowMs() - this.startMs} ${url}`);
        if (isClosed) throw new ScrapeError('request', 'the client is closed');
        if (this.isHanging) {
          await new Promise((_, reject) =>
            signal?.addEventListener('abort', () => reject(new Error('aborted'))),
          );
        }
        return { contentType: 'text/plain', body: new TextEncoder().encode(this.body) };
      },
      close: async () => {
        assert.equal(isClosed, false, 'closed once');
        isClosed = true;
        this.closed++;
      },
    };
  }

  own(owner: string): void {
    const entries = Array.from({ length: shards }, (): ShardEntry => ({ owner, epoch: 1, holders: [owner] }));
    this.view.update({ self: 'a', table: { version: ++this.#version, shards: entries }, live: ['a', 'b'] });
    this.manager.reconcile();
  }

  async begin(...addresses: string[]): Promise<this> {
    this.own('a');
    await this.configure(config);
    this.manager.setGroups('j', groups(...addresses));
    return this;
  }

  async configure(...configs: (typeof config)[]): Promise<void> {
    await this.scheduler.runUntilSettled(
      this.manager.configure({ configs, settleMs: 0, evaluationIntervalMs: 60_000 }),
    );
  }

  /** Samples since the last look, as `name value` without times, sorted. */
  take(): string[] {
    return this.router.lines
      .splice(0)
      .map((line) => line.replace(/\{.*\} /, ' ').replace(/ @.*/, ''))
      .sort();
  }

  async run(forMs: number): Promise<void> {
    await this.scheduler.runFor(forMs);
  }
}

function groups(...addresses: string[]): GroupMessage[] {
  const targets = addresses.map((address) => Labels.fromRecord({ __address__: address }).flat);
  return [{ source: 's', targets, labels: [] }];
}

const isStale = (line: string): boolean => line.endsWith(' stale');

test('a target is scraped once per interval, always at the same place in it', async () => {
  const world = await new World().begin('t:1', 't:2');
  await world.run(intervalMs * 5);
  const times = world.scrapes
    .filter((line) => line.includes('t:1'))
    .map((line) => Number(line.split(' ')[0]));
  assert.equal(times.length, 5);
  for (const [i, time] of times.entries()) assert.equal(time, (times[0] as number) + i * intervalMs);
  assert.equal(world.scrapes.length, 10);
  assert.equal(world.take().filter((line) => line === 'm 1').length, 10);
});

test('a target that moves to another node leaves no staleness markers', async () => {
  const world = await new World().begin('t:1');
  await world.run(intervalMs);
  world.own('b');
  await world.run(intervalMs * 3);
  assert.equal(world.take().filter(isStale).length, 0);
  assert.equal(world.scrapes.length, 1);
  assert.deepEqual(world.manager.activeTargets(), []);
});

test('a target that moves while it is being scraped stores nothing of that scrape', async () => {
  const world = await new World().begin('t:1');
  world.isHanging = true;
  await world.run(intervalMs);
  world.own('b');
  await world.run(intervalMs * 2);
  assert.deepEqual(world.take(), []);
});

test('a target that disappears is marked stale when the interval has passed, with its report series', async () => {
  const world = await new World().begin('t:1');
  await world.run(intervalMs);
  world.take();
  world.manager.setGroups('j', groups());
  await world.run(intervalMs - 1);
  assert.deepEqual(world.take(), []);
  await world.run(1);
  const markers = world.take();
  assert.ok(markers.every(isStale));
  assert.deepEqual(
    markers.map((line) => line.split(' ')[0]),
    [
      'm',
      'scrape_duration_seconds',
      'scrape_samples_post_metric_relabeling',
      'scrape_samples_scraped',
      'scrape_series_added',
      'up',
    ],
  );
  await world.run(intervalMs * 3);
  assert.deepEqual(world.take(), []);
  assert.deepEqual(world.world.system.paths, []);
});

test('a target that is missing for a moment goes on, and what it no longer has is marked then', async () => {
  const world = await new World().begin('t:1');
  world.body = 'm 1\nother 1\n';
  await world.run(intervalMs);
  world.take();
  world.manager.setGroups('j', groups());
  await world.run(intervalMs / 2);
  world.manager.setGroups('j', groups('t:1'));
  world.body = 'm 1\n';
  await world.run(intervalMs);
  assert.deepEqual(world.take().filter(isStale), ['other stale']);
});

test('a reload leaves unchanged jobs and their beat alone, and keeps the targets of changed ones', async () => {
  const world = await new World().begin('t:1');
  await world.run(intervalMs * 2);
  const before = world.scrapes.map((line) => Number(line.split(' ')[0]) % intervalMs);
  await world.configure(scrapeConfig({ jobName: 'j', scrapeIntervalMs: intervalMs }));
  assert.equal(world.clients, 1);
  await world.configure({ ...config, sampleLimit: 100 });
  assert.equal(world.clients, 2);
  await world.run(intervalMs * 2);
  const beats = world.scrapes.map((line) => Number(line.split(' ')[0]) % intervalMs);
  assert.deepEqual(new Set(beats), new Set(before));
  assert.equal(world.scrapes.length, 4);
  assert.equal(world.take().filter(isStale).length, 0);
  assert.equal(world.closed, 1);
});

test('a reload that changes a job and takes a target away ends its report series too', async () => {
  const world = await new World().begin('t:1');
  await world.run(intervalMs);
  world.take();
  await world.configure({ ...config, sampleLimit: 100 });
  world.manager.setGroups('j', groups());
  await world.run(intervalMs);
  assert.deepEqual(
    world.take().filter((line) => line === 'up stale' || line === 'm stale'),
    ['m stale', 'up stale'],
  );
});

test('another way to find the targets is no change of the job', async () => {
  const world = await new World().begin('t:1');
  await world.configure({ ...config, serviceDiscoveryConfigs: [{ mechanism: 'static' }] as never });
  assert.equal(world.clients, 1);
});

test('targets that are published while a reload makes its clients are not lost', async () => {
  const world = await new World().begin('t:1');
  const done = world.manager.configure({
    configs: [{ ...config, sampleLimit: 100 }],
    settleMs: 0,
    evaluationIntervalMs: 60_000,
  });
  world.manager.setGroups('j', groups('t:2'));
  await world.scheduler.runUntilSettled(done);
  assert.deepEqual(
    world.manager.activeTargets().map((target) => (target as { scrapeUrl: string }).scrapeUrl),
    ['http://t:2/metrics'],
  );
});

test('a removed job ends: its targets are marked stale, its client is closed after them', async () => {
  const world = await new World().begin('t:1');
  await world.run(intervalMs);
  world.take();
  await world.configure();
  assert.equal(world.closed, 0);
  await world.run(intervalMs);
  assert.equal(world.take().filter(isStale).length, 6);
  assert.equal(world.closed, 1);
});

test('a reload that a job refuses changes nothing and leaves no client open', async () => {
  const world = await new World().begin('t:1');
  const other = scrapeConfig({ jobName: 'other' });
  let made = 0;
  const configs = [
    { ...config, sampleLimit: 7 },
    Object.defineProperty({ ...other }, 'httpClientConfig', {
      get: () => {
        made++;
        world.failClient = true;
        return other.httpClientConfig;
      },
    }) as typeof other,
  ];
  await assert.rejects(
    world.scheduler.runUntilSettled(
      world.manager.configure({ configs, settleMs: 0, evaluationIntervalMs: 60_000 }),
    ),
    ScrapeError,
  );
  assert.equal(made > 0, true);
  assert.equal(world.clients, 2);
  assert.equal(world.closed, 1);
  world.failClient = false;
  await world.run(intervalMs);
  assert.equal(world.scrapes.length, 1);
  await world.configure(config);
  assert.equal(world.clients, 2, 'the old pool still stands');
});

test('pools, their reloads and syncs are counted; of a removed job nothing is left', async () => {
  const world = await new World().begin('t:1');
  world.manager.setGroups('j', groups('t:2'));
  await world.configure({ ...config, sampleLimit: 7 });
  await world.configure({ ...config, sampleLimit: 7 });
  const counted = async (): Promise<string[]> =>
    (await world.registry.metrics()).match(
      /^prometheus_target_scrape_pool(s_|_sync|_reloads|_targets).*/gm,
    ) ?? [];
  const totals = [
    'prometheus_target_scrape_pools_total 1',
    'prometheus_target_scrape_pools_failed_total 0',
    'prometheus_target_scrape_pool_reloads_total 1',
    'prometheus_target_scrape_pool_reloads_failed_total 0',
  ];
  assert.deepEqual(await counted(), [
    'prometheus_target_scrape_pool_targets{scrape_job="j"} 1',
    'prometheus_target_scrape_pool_sync_total{scrape_job="j"} 2',
    ...totals,
  ]);
  await world.configure();
  assert.deepEqual(await counted(), totals);
});

test('beyond target_limit every target of the job fails without being asked', async () => {
  const world = await new World().begin('t:1', 't:2');
  await world.configure({ ...config, targetLimit: 1 });
  await world.run(intervalMs);
  assert.deepEqual(world.scrapes, []);
  assert.equal(world.take().filter((line) => line === 'up 0').length, 2);
  const [target] = world.manager.activeTargets() as { lastError: string; health: string }[];
  assert.match(target?.lastError ?? '', /target_limit exceeded/);
  assert.equal(target?.health, 'down');
});

test('a target that was never scraped shows the zero time', async () => {
  const world = await new World().begin('t:1');
  const [target] = world.manager.activeTargets() as { lastScrape: string; health: string }[];
  assert.equal(target?.lastScrape, '0001-01-01T00:00:00Z');
  assert.equal(target?.health, 'unknown');
});

test('what is discovered of a target is shown anew without a new start', async () => {
  const world = await new World().begin('t:1');
  const labels = Labels.fromRecord({ __address__: 't:1', __meta_zone: 'z' }).flat;
  world.manager.setGroups('j', [{ source: 's', targets: [labels], labels: [] }]);
  const [target] = world.manager.activeTargets() as { discoveredLabels: Record<string, string> }[];
  assert.equal(target?.discoveredLabels['__meta_zone'], 'z');
  assert.equal(world.world.system.paths.length, 1);
});
