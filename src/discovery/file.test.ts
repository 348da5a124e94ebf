import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Registry } from 'prom-client';
import { seededRandom, silentLogger, systemClock } from '../base/index.ts';
import { createDiscovery } from './create.ts';
import { expandGlob, matchesWildcard } from './glob.ts';
import { parseGroupList } from './group_list.ts';
import { createDiscoveryMetrics, type DiscoveryMetrics } from './metrics.ts';
import { groupTargets, type TargetGroup } from './target_group.ts';
import { ManualClock } from './testing/running.ts';

const common = { log: silentLogger, random: seededRandom(1), version: '0' };

async function directoryFor(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'torchring-file-sd-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

interface Running {
  /** Resolves with what is published once the published addresses are these. */
  until(addresses: string): Promise<readonly TargetGroup[]>;
  readonly metrics: DiscoveryMetrics;
  readonly clock: ManualClock;
}

function run(context: TestContext, mechanism: 'file' | 'static', rest: object): Running {
  const clock = new ManualClock();
  const metrics = createDiscoveryMetrics(new Registry());
  const discovery = createDiscovery({ mechanism, ...rest }, { ...common, clock, metrics });
  assert.ok(discovery !== undefined);
  const stop = new AbortController();
  let latest: readonly TargetGroup[] = [];
  let check = (): void => undefined;
  const stopped = discovery.start((groups) => {
    latest = groups;
    check();
  }, stop.signal);
  context.after(async () => {
    stop.abort();
    await stopped;
  });
  const addresses = (): string =>
    latest
      .flatMap(groupTargets)
      .map((target) => target.get('__address__'))
      .join(' ');
  return {
    metrics,
    clock,
    until: (wanted) =>
      new Promise((resolve) => {
        check = () => {
          if (addresses() === wanted) resolve(latest);
        };
        check();
      }),
  };
}

test('a file that changes is read again at once; one that is gone takes its targets with it', async (context) => {
  const directory = await directoryFor(context);
  const path = join(directory, 'a.yml');
  await writeFile(path, '- targets: [one:1, two:2]\n  labels: {env: prod, number: 1.10}\n');
  const running = run(context, 'file', {
    files: [join(directory, '*.yml'), join(directory, '*.json')],
    refreshIntervalMs: 1,
  });
  const first = await running.until('one:1 two:2');
  assert.equal(first[0]?.source, `${path}:0`);
  assert.deepEqual(first.flatMap(groupTargets)[0]?.toRecord(), {
    __address__: 'one:1',
    __meta_filepath: path,
    env: 'prod',
    number: '1.10',
  });
  await writeFile(join(directory, 'new'), '[{"targets": ["three:3"]}]');
  await rename(join(directory, 'new'), join(directory, 'b.json'));
  await running.until('one:1 two:2 three:3');
  await unlink(path);
  await running.until('three:3');
});

test('a bad file keeps its last good targets and is counted', async (context) => {
  const directory = await directoryFor(context);
  const path = join(directory, 'a.json');
  await writeFile(path, '[{"targets": ["one:1"]}]');
  const running = run(context, 'file', { files: [join(directory, '*.json')], refreshIntervalMs: 1 });
  await running.until('one:1');
  await writeFile(path, '[{"targets": ["two:');
  await writeFile(join(directory, 'b.json'), '[{"targets": ["three:3"]}]');
  await running.until('one:1 three:3');
  const { values } = await running.metrics.fileReadErrors.get();
  assert.ok((values[0]?.value ?? 0) >= 1);
});

test('without a word from the file system the interval finds the change', async (context) => {
  const directory = await directoryFor(context);
  const path = join(directory, 'later', 'a.json');
  // The directory doesn't exist yet, so nothing can be watched.
  const running = run(context, 'file', { files: [path], refreshIntervalMs: 1 });
  await running.until('');

  await mkdir(join(directory, 'later'));
  await writeFile(path, '[{"targets": ["one:1"]}]');
  running.clock.ring();
  await running.until('one:1');
});

test('a directory that was removed and made again is watched again', async (context) => {
  const directory = await directoryFor(context);
  const inner = join(directory, 'inner');
  const path = join(inner, 'a.json');
  await mkdir(inner);
  await writeFile(path, '[{"targets": ["one:1"]}]');
  const running = run(context, 'file', { files: [path], refreshIntervalMs: 1 });
  await running.until('one:1');
  await rm(inner, { recursive: true });
  await running.until('');
  await mkdir(inner);
  await writeFile(path, '[{"targets": ["two:2"]}]');
  let isFound = false;
  const found = running.until('two:2').then(() => {
    isFound = true;
  });
  // Whatever it is doing, in the end it waits.
  while (!isFound) {
    running.clock.ring();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await found;
  await writeFile(path, '[{"targets": ["three:3"]}]');
  await running.until('three:3');
});

test('a mounted volume that changes by its hidden link is read again', async (context) => {
  const directory = await directoryFor(context);
  for (const [version, address] of [
    ['v1', 'one:1'],
    ['v2', 'two:2'],
  ] as const) {
    await mkdir(join(directory, version));
    await writeFile(join(directory, version, 'a.json'), `[{"targets": ["${address}"]}]`);
  }
  await symlink('v1', join(directory, '..data'));
  await symlink('..data/a.json', join(directory, 'a.json'));
  const running = run(context, 'file', { files: [join(directory, '*.json')], refreshIntervalMs: 1 });
  await running.until('one:1');
  await symlink('v2', join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  await running.until('two:2');
});

test('static groups are published once, a target may override its group', async (context) => {
  const running = run(context, 'static', {
    groups: [
      { targets: ['a:1'], labels: { x: 'y' } },
      { targets: ['b:1'], labels: {} },
    ],
  });
  const groups = await running.until('a:1 b:1');
  assert.deepEqual(
    groups.map((group) => group.source),
    ['0', '1'],
  );
  assert.equal(groups.flatMap(groupTargets)[0]?.get('x'), 'y');
});

test('a mechanism that is not served is told apart', () => {
  const deps = { ...common, clock: systemClock, metrics: createDiscoveryMetrics(new Registry()) };
  assert.equal(createDiscovery({ mechanism: 'consul' }, deps), undefined);
});

test('a list of groups is decoded strictly', () => {
  const refusals: [string, RegExp][] = [
    ['{}', /a list of target groups was expected/],
    ['[null]', /target group 0: nil target group item found/],
    ['[1]', /target group 0: expected targets and labels/],
    ['[{"target": []}]', /unknown field "target"/],
    ['[{"targets": "a"}]', /targets: a list was expected/],
    ['[{"targets": [1]}]', /a target is not a string/],
    ['[{"labels": {"a": 1}}]', /label "a" is not a string/],
    ['[{"labels": {"": "x"}}]', /is not a valid label name/],
  ];
  for (const [text, reason] of refusals) assert.throws(() => parseGroupList(text, 'json'), reason, text);
  assert.deepEqual(parseGroupList('', 'yaml'), []);
  assert.deepEqual(parseGroupList('null', 'json'), []);
  assert.throws(() => parseGroupList('- targets: [a\n', 'yaml'));
  assert.throws(() => parseGroupList('', 'json'));
});

test('wildcards match whole names, element by element', async (context) => {
  assert.ok(matchesWildcard('abc.yml', '*.yml'));
  assert.ok(matchesWildcard('abc.yml', 'a?c*'));
  assert.ok(!matchesWildcard('abc.yml', '*.y'));
  assert.ok(!matchesWildcard('abc', 'abcd'));
  assert.ok(matchesWildcard('', '*'));
  assert.ok(!matchesWildcard('a'.repeat(250), `${'*a'.repeat(100)}b`));
  for (const [name, pattern] of [
    ['a-b.yml', '[a-c]-[^ac].yml'],
    ['*.yml', '\\*.[xyz]ml'],
    ['-', '[\\-]'],
  ] as const)
    assert.ok(matchesWildcard(name, pattern), pattern);
  assert.ok(!matchesWildcard('d-b.yml', '[a-c]-[^ac].yml'));
  for (const bad of ['[', '[]', '[a', '[-a]', '[a-]', 'a\\'])
    assert.throws(() => matchesWildcard('a', bad), /syntax error in pattern/, bad);
  const directory = await directoryFor(context);
  for (const name of ['b.yml', 'a.yml', 'c.txt']) await writeFile(join(directory, name), '');
  assert.deepEqual(await expandGlob(join(directory, '*.yml')), [
    join(directory, 'a.yml'),
    join(directory, 'b.yml'),
  ]);
  assert.deepEqual(await expandGlob(join(directory, 'none', '*.yml')), []);
  for (const part of ['p1', 'p2']) {
    await mkdir(join(directory, part));
    await writeFile(join(directory, part, 'x.yml'), '');
  }
  assert.deepEqual(await expandGlob(join(directory, 'p[12]', '?.yml')), [
    join(directory, 'p1', 'x.yml'),
    join(directory, 'p2', 'x.yml'),
  ]);
});
