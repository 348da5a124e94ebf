import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Commands, type LocalArguments, runCli } from './cli.ts';
import { FlagError, type GivenFlags, normalizeArguments, resolveNodeFlags } from './flag_values.ts';
import type { ParsedNodeFlags } from './flags.ts';

interface Run {
  readonly exitCode: number;
  readonly out: string;
  readonly error: string;
  readonly given: GivenFlags | undefined;
  readonly local: LocalArguments | undefined;
  readonly checked: string;
}

async function run(...words: readonly string[]): Promise<Run> {
  let out = '';
  let error = '';
  let given: GivenFlags | undefined;
  let local: LocalArguments | undefined;
  let checked = '';
  const commands: Commands = {
    node: (flags) => {
      given = flags;
      return Promise.resolve(0);
    },
    local: (options) => {
      local = options;
      return Promise.resolve(0);
    },
    explain: () => Promise.reject(new Error('another command')),
    check: (kind, files, options) => {
      checked = JSON.stringify([kind, files, options]);
      return Promise.resolve(1);
    },
    version: () => {},
  };
  const output = {
    out: (text: string) => {
      out += text;
    },
    error: (text: string) => {
      error += text;
    },
  };
  const exitCode = await runCli(normalizeArguments(words), commands, output);
  return { exitCode, out, error, given, local, checked };
}

async function flags(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  isReadable: (path: string) => boolean = () => true,
): Promise<ParsedNodeFlags> {
  const { given, error } = await run('node', ...words);
  assert.ok(given !== undefined, error);
  return resolveNodeFlags(given, environment, isReadable);
}

test("defaults are Prometheus' own", async () => {
  const parsed = await flags([]);
  assert.equal(parsed.configFile, 'prometheus.yml');
  assert.deepEqual(parsed.webListenAddresses, ['0.0.0.0:9090']);
  assert.equal(parsed.retentionTimeMs, 15 * 24 * 3_600_000);
  assert.equal(parsed.queryLookbackDeltaMs, 300_000);
  assert.equal(parsed.clusterShards, 128);
  assert.equal(parsed.flagTexts['storage.tsdb.retention.time'], '15d');
});

test('flags are taken as Go programs take them', async () => {
  const parsed = await flags([
    '-config.file=a.yml',
    '--storage.tsdb.path',
    '/d',
    '--web.listen-address=:1',
    '--web.listen-address=[::1]:2',
    '--web.enable-lifecycle',
    '--web.enable-admin-api=false',
    '--enable-feature=a,b',
    '--enable-feature=c',
  ]);
  assert.equal(parsed.configFile, 'a.yml');
  assert.equal(parsed.storagePath, '/d');
  assert.deepEqual(parsed.webListenAddresses, [':1', '[::1]:2']);
  assert.equal(parsed.webEnableLifecycle, true);
  assert.equal(parsed.webEnableAdminApi, false);
  assert.deepEqual(parsed.enableFeatures, ['a', 'b', 'c']);
  assert.equal((await flags(['--no-web.enable-lifecycle'])).webEnableLifecycle, false);
});

test('the environment stands in for flags, the command line wins', async () => {
  const environment = {
    TORCHRING_CLUSTER_JOIN: 'a:1, b',
    TORCHRING_WEB_ENABLE_LIFECYCLE: 'true',
    TORCHRING_CLUSTER_EXPECT: '3',
  };
  const parsed = await flags(['--cluster.expect=5'], environment);
  assert.deepEqual(parsed.clusterJoin, ['a:1', 'b']);
  assert.equal(parsed.webEnableLifecycle, true);
  assert.equal(parsed.clusterExpect, 5);
});

test('a bad value names its flag or variable', async () => {
  await assert.rejects(flags(['--query.timeout=abc']), (error: unknown) => {
    assert.ok(error instanceof FlagError);
    return /^--query\.timeout: bad value "abc": /.test(error.message);
  });
  await assert.rejects(flags(['--web.listen-address=nope']), /host:port/);
  await assert.rejects(flags(['--log.level=loud']), /must be one of/);
  await assert.rejects(flags([], { TORCHRING_WORKERS: 'x' }), /TORCHRING_WORKERS: bad value/);
});

test('a missing file is named', async () => {
  await assert.rejects(
    flags(['--config.file=/none'], {}, () => false),
    /--config\.file: cannot read \/none/,
  );
});

test('flags that do nothing yet are listed', async () => {
  const quiet = await flags(['--cluster.replication-factor=1']);
  assert.deepEqual(quiet.notYetEffective, []);
  const loud = await flags(['--storage.tsdb.retention.size=1GB', '--web.console.libraries=/x']);
  assert.equal(loud.retentionSizeBytes, 1 << 30);
  assert.match(loud.notYetEffective.join('\n'), /--cluster\.replication-factor=2: /);
  assert.match(loud.notYetEffective.join('\n'), /--web\.console\.libraries: /);
});

test('a command line that makes no sense is one line on stderr and exit code 2', async () => {
  for (const words of [
    ['node', '--foo'],
    ['nod'],
    ['node', 'extra'],
    ['check', 'config'],
    ['local', '--nodes=0'],
  ]) {
    const { exitCode, error } = await run(...words);
    assert.equal(exitCode, 2, words.join(' '));
    assert.match(error, /^torchring: [^\n]+\n$/, words.join(' '));
  }
  assert.match((await run('node', '--config.fil=x')).error, /Did you mean --config\.file\?/);
});

test('help is grouped and exits with 0', async () => {
  const { exitCode, out } = await run('node', '--help');
  assert.equal(exitCode, 0);
  assert.match(out, /\nStorage:\n {2}--storage\.tsdb\.path <path> /);
  assert.doesNotMatch(out, /console/);
});

test('local and check get their arguments', async () => {
  const { local } = await run(
    'local',
    '--nodes',
    '5',
    '--base-port=7000',
    '--data',
    '/d',
    '--',
    '--workers=1',
  );
  assert.deepEqual(local, {
    nodes: 5,
    basePort: 7000,
    dataPath: '/d',
    configFile: undefined,
    alertmanagerConfigFile: undefined,
    extraArguments: ['--workers=1'],
  });
  const { checked, exitCode } = await run('check', 'rules', 'a.yml', 'b.yml', '--syntax-only');
  assert.equal(
    checked,
    '["rules",["a.yml","b.yml"],{"syntaxOnly":true,"compatibility":"3.5","enabledFeatures":[]}]',
  );
  assert.equal(exitCode, 1);
});
