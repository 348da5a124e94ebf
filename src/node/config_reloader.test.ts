import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../base/index.ts';
import { VirtualClock } from '../runtime/testing/index.ts';
import { ConfigReloader } from './config_reloader.ts';
import { ConfigSource } from './config_source.ts';
import type { LoadedConfig } from './load_config.ts';

const job = (name: string): string => `scrape_configs: [{job_name: ${name}}]\n`;
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

class World {
  readonly clock = new VirtualClock();
  readonly files = new Map<string, string>();
  readonly applied: string[] = [];
  refusal: Error | undefined;
  readonly source = new ConfigSource(
    { prometheus: '/p.yml', alertmanager: '' },
    {
      readText: async (path) => {
        const text = this.files.get(path);
        if (text === undefined) throw new Error(`open ${path}: no such file or directory`);
        return text;
      },
      glob: async (pattern) =>
        [...this.files.keys()].filter((path) => path.startsWith(pattern.replace('*', ''))),
    },
    [],
    { REGION: 'eu' },
  );
  readonly reloader = new ConfigReloader({
    source: this.source,
    apply: async (config: LoadedConfig) => {
      if (this.refusal !== undefined) throw this.refusal;
      this.applied.push(config.prometheus.scrapeConfigs.map(({ jobName }) => jobName).join(' '));
    },
    clock: this.clock,
    log: silentLogger,
  });

  static async started(text: string): Promise<World> {
    const world = new World();
    world.files.set('/p.yml', text);
    await world.reloader.start(await world.source.load());
    return world;
  }

  async refused(): Promise<string> {
    const error = await this.reloader.reload().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof Error);
    return error.message;
  }
}

test('a bad file changes nothing and is named with its line, in one line', async () => {
  const world = await World.started(job('a'));
  const goodMs = world.reloader.status.lastConfigMs;
  world.clock.advance(5_000);
  world.files.set('/p.yml', 'foo: 1\nglobal: {scrape_interval: 5x}\n');
  assert.equal(
    await world.refused(),
    'couldn\'t load configuration (--config.file="/p.yml"): parsing YAML file /p.yml: ' +
      'line 1: foo: unknown field "foo"; line 2: global.scrape_interval: unknown unit "x" in duration "5x"',
  );
  assert.deepEqual(world.reloader.status, { isLastReloadGood: false, lastConfigMs: goodMs });
  world.files.delete('/p.yml');
  assert.equal(
    await world.refused(),
    'couldn\'t load configuration (--config.file="/p.yml"): open /p.yml: no such file or directory',
  );
  world.files.set('/p.yml', job('b'));
  world.refusal = new Error('unable to read CA cert');
  assert.equal(
    await world.refused(),
    'one or more errors occurred while applying the new configuration (--config.file="/p.yml"): unable to read CA cert',
  );
  world.refusal = undefined;
  await world.reloader.reload();
  assert.deepEqual(world.applied, ['a', 'b']);
  assert.deepEqual(world.reloader.status, { isLastReloadGood: true, lastConfigMs: goodMs + 5_000 });
});

test('a reload that is asked for during the start waits for its end, be it good or bad', async () => {
  const world = new World();
  world.files.set('/p.yml', job('a'));
  const config = await world.source.load();
  const early = world.reloader.reload();
  await settle();
  assert.deepEqual(world.applied, []);
  await world.reloader.start(config);
  await early;
  assert.deepEqual(world.applied, ['a', 'a']);

  const failing = new World();
  const never = failing.reloader.reload();
  failing.reloader.stop();
  await assert.rejects(never, /stopping/);
});

test('a file that changes is loaded by itself, also one that is only named or appears', async () => {
  const world = await World.started(`scrape_config_files: [jobs/*]\n${job('a')}`);
  world.reloader.watch(30_000);
  const tick = async (): Promise<string[]> => {
    world.clock.advance(30_000);
    await settle();
    return world.applied.splice(0);
  };
  assert.deepEqual(await tick(), ['a'], 'the first');
  assert.deepEqual(await tick(), []);
  world.files.set('/jobs/b.yml', job('b'));
  assert.deepEqual(await tick(), ['a b']);
  world.files.set('/jobs/b.yml', job('c'));
  assert.deepEqual(await tick(), ['a c']);
  assert.deepEqual(await tick(), []);
  world.reloader.stop();
  world.files.delete('/jobs/b.yml');
  assert.deepEqual(await tick(), []);
  assert.equal(world.clock.pending, 0);
});

test('a changed file that is refused is tried again each time, until it is taken', async () => {
  const world = await World.started(job('a'));
  world.reloader.watch(1);
  world.applied.length = 0;
  world.files.set('/p.yml', job('b'));
  world.refusal = new Error('no');
  for (let i = 0; i < 2; i++) {
    world.clock.advance(1_000);
    await settle();
    assert.equal(world.reloader.status.isLastReloadGood, false);
  }
  world.refusal = undefined;
  world.clock.advance(1_000);
  await settle();
  assert.deepEqual(world.applied, ['b']);
  world.reloader.stop();
});

test('external labels take the environment of the node', async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is the syntax of the file
  const world = await World.started('global: {external_labels: {region: "${REGION}"}}\n');
  const { prometheus } = await world.source.load();
  assert.deepEqual(prometheus.global.externalLabels, { region: 'eu' });
});
