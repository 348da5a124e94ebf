// `torchring check` on files of a directory of its own.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCheck } from './check.ts';
import { type Commands, runCli } from './cli.ts';
import { loadConfig } from './load_config.ts';

let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'torchring-check-'));
});

after(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** What the command line says, and its exit code. */
async function check(...words: string[]): Promise<{ exitCode: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const output = {
    out: (text: string) => {
      out += text;
    },
    error: (text: string) => {
      error += text;
    },
  };
  const unused = (): Promise<number> => Promise.reject(new Error('another command'));
  const commands: Commands = {
    node: unused,
    local: unused,
    check: (kind, files, options) => runCheck(kind, files, options, output),
    explain: () => Promise.reject(new Error('another command')),
    version: () => {},
  };
  const exitCode = await runCli(['check', ...words], commands, output);
  return { exitCode, out, error };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

const experimentalRules = 'groups: [{name: g, rules: [{record: a, expr: "limitk(1, up)"}]}]';

test('rules may use what a feature enables, and only then', async () => {
  const path = await file('rules.yml', experimentalRules);
  const refused = await check('rules', path);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.error, /limitk\(\) is experimental and must be enabled/);
  const feature = 'promql-experimental-functions';
  assert.equal((await check('rules', `--enable-feature=${feature}`, path)).exitCode, 0);
  assert.equal((await check('rules', '--enable-feature', `a,${feature}`, path)).exitCode, 0);
  assert.equal((await check('rules', `--enable-feature=${feature}`, '--enable-feature=b', path)).exitCode, 0);
});

test('a node judges the rule files by the features it was started with', async () => {
  const files = {
    readText: (path: string) => Promise.resolve(path === 'p.yml' ? 'rule_files: [r.yml]' : experimentalRules),
    glob: (pattern: string) => Promise.resolve([pattern]),
  };
  const paths = { prometheus: 'p.yml', alertmanager: '' };
  await assert.rejects(loadConfig(paths, files), /must be enabled/);
  const loaded = await loadConfig(paths, files, ['promql-experimental-functions']);
  assert.equal(loaded.ruleGroups.length, 1);
});

test('a file for credentials, a certificate or a key that is not there is named with its line', async () => {
  const sections = [
    ['authorization: {credentials_file: gone}', 'authorization credentials or bearer token file'],
    ['bearer_token_file: gone', 'authorization credentials or bearer token file'],
    ['tls_config: {cert_file: gone, key_file: there}', 'client cert file'],
    ['tls_config: {cert_file: there, key_file: gone}', 'client key file'],
    [
      'kubernetes_sd_configs: [{role: pod, api_server: "http://k/", tls_config: {cert_file: gone, key_file: there}}]',
      'client cert file',
    ],
  ] as const;
  await file('there', '');
  for (const [section, what] of sections) {
    const path = await file('prometheus.yml', `scrape_configs:\n- job_name: a\n  ${section}\n`);
    const { exitCode, error } = await check('config', path);
    assert.equal(exitCode, 1, section);
    assert.match(error, new RegExp(`prometheus.yml:[23]: .*${what} "${directory}/gone": no such file`));
    assert.equal((await check('config', '--syntax-only', path)).exitCode, 0, section);
  }
  // Left for the scrape to complain about, as promtool leaves them.
  const path = await file(
    'prometheus.yml',
    'scrape_configs:\n- {job_name: a, basic_auth: {username: a, password_file: gone}}\n' +
      '- {job_name: b, tls_config: {cert_file: there, key_file: there, ca_file: gone}}\n',
  );
  assert.equal((await check('config', path)).exitCode, 0);
});

test('files of targets are read as their job would read them, and named when they are not there', async () => {
  const config = await file(
    'targets.yml',
    'scrape_configs:\n- job_name: a\n  file_sd_configs: [{files: ["sd-*.json", none.yml]}]\n',
  );
  await file('sd-a.json', '[{"targets": ["x:1"]}]');
  const good = await check('config', config);
  assert.equal(good.exitCode, 0, good.error);
  assert.match(good.out, /WARNING: file "\/.*\/none\.yml" for file_sd in scrape job "a" does not exist/);
  for (const [text, reason] of [
    ['[{"targets": ["x/y"]}]', /targets\.yml:3: .*"x\/y" is not a valid hostname/],
    ['[{"targets": [', /checking SD file "\/.*\/sd-\*\.json": /],
    ['[null]', /nil target group item found/],
  ] as const) {
    await file('sd-b.json', text);
    const { exitCode, error } = await check('config', config);
    assert.equal(exitCode, 1);
    assert.match(error, reason);
    assert.equal((await check('config', '--syntax-only', config)).exitCode, 0);
  }
});

test('each rule file that a configuration names has its own verdict', async () => {
  const config = await file('with-rules.yml', 'rule_files: ["r-*.yml"]');
  await file('r-a.yml', 'groups: [{name: g, rules: [{record: a, expr: up}]}]');
  await file('r-b.yml', 'groups: [{name: g, rules: [{record: a, expr: "sum("}]}]');
  const { exitCode, out, error } = await check('config', config);
  assert.equal(exitCode, 1);
  assert.match(out, /SUCCESS: 2 rule files found\n.*with-rules\.yml is valid/);
  assert.match(out, /Checking .*r-a\.yml\n {2}SUCCESS: 1 rules found\n\nChecking .*r-b\.yml\n/);
  assert.match(error, /^ {2}FAILED: .*r-b\.yml:1: /);
});

test('a target of a job in another file is named by that file and its line there', async () => {
  await file(
    'jobs.yml',
    'scrape_configs:\n- job_name: x\n- job_name: b\n  relabel_configs: [{target_label: __address__, replacement: a/b}]\n  static_configs: [{targets: [x]}]\n',
  );
  const main = await file('main.yml', 'scrape_configs: [{job_name: a}]\nscrape_config_files: [jobs.yml]\n');
  const { exitCode, error } = await check('config', main);
  assert.equal(exitCode, 1);
  assert.match(error, /jobs\.yml:5: scrape_configs\[1\]\.static_configs: "a\/b" is not a valid hostname/);
});
