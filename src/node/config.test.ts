import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../model/index.ts';
import type { RuleFileChecks } from '../rules/index.ts';
import {
  type FileReader,
  ignoredMechanisms,
  loadPrometheusConfig,
  loadRuleGroups,
  type PrometheusConfig,
  parsePrometheusConfig,
} from './config.ts';

function parse(text: string, environment: Readonly<Record<string, string>> = {}): PrometheusConfig {
  return parsePrometheusConfig(text, { file: 'p.yml', directory: '/etc/p', environment });
}

function refusal(text: string): string {
  try {
    parse(text);
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
}

function files(contents: Readonly<Record<string, string>>): FileReader {
  return {
    readText: (path) => {
      const text = contents[path];
      return text === undefined ? Promise.reject(new Error(`no ${path}`)) : Promise.resolve(text);
    },
    glob: (pattern) => {
      const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
      return Promise.resolve(Object.keys(contents).filter((path) => expression.test(path)));
    },
  };
}

test('an empty file has the defaults of Prometheus', () => {
  const { global, scrapeConfigs, otlp, storage } = parse('');
  assert.equal(global.scrapeIntervalMs, 60_000);
  assert.equal(global.scrapeTimeoutMs, 10_000);
  assert.equal(global.evaluationIntervalMs, 60_000);
  assert.deepEqual(scrapeConfigs, []);
  assert.equal(otlp.translationStrategy, 'UnderscoreEscapingWithSuffixes');
  assert.equal(storage.maxExemplars, 100_000);
});

test('jobs inherit from global', () => {
  const config = parse(`
global: {scrape_interval: 5s, sample_limit: 7, body_size_limit: 1MB}
scrape_configs:
  - job_name: a
    static_configs: [{targets: ['x:1'], labels: {l: v}}]
  - job_name: b
    scrape_interval: 30s
    sample_limit: 9
`);
  const [a, b] = config.scrapeConfigs;
  assert.equal(a?.scrapeIntervalMs, 5000);
  assert.equal(a?.scrapeTimeoutMs, 5000, 'not longer than the interval');
  assert.equal(a?.sampleLimit, 7);
  assert.equal(a?.bodySizeLimitBytes, 2 ** 20);
  assert.equal(b?.scrapeIntervalMs, 30_000);
  assert.equal(b?.sampleLimit, 9);
  assert.deepEqual(a?.serviceDiscoveryConfigs, [
    { mechanism: 'static', groups: [{ targets: ['x:1'], labels: { l: 'v' } }] },
  ]);
});

test('external labels take the environment', () => {
  const { externalLabels } = parse(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is the syntax of the file
    'global: {external_labels: {a: "${X}-$Y-$$", b: $NONE, c: "5$ x"}}',
    { X: 'x', Y: 'y' },
  ).global;
  assert.deepEqual(externalLabels, { a: 'x-y-$', b: '', c: '5$ x' });
});

test('mistakes are refused at their line', () => {
  const cases: readonly (readonly [text: string, expected: RegExp])[] = [
    [
      'scrape_configs:\n  - job_name: a\n    foo: 1',
      /^p\.yml:3: scrape_configs\[0\]\.foo: unknown field "foo"$/,
    ],
    ['scrape_configs: [{job_name: a}, {job_name: a}]', /multiple scrape configs with job name "a"/],
    ['scrape_configs:\n- scrape_interval: 1s', /^p\.yml:2: scrape_configs\[0\]\.job_name: job_name is empty/],
    ['scrape_configs: [{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}]', /timeout greater/],
    ['scrape_configs: [{job_name: a, static_configs: [{targets: ["http://x"]}]}]', /not a valid hostname/],
    ['scrape_configs: [{job_name: a, scrape_protocols: []}]', /cannot be empty/],
    [
      'scrape_configs: [{job_name: a, scrape_protocols: [PrometheusProto, prometheusproto]}]',
      /unknown|duplicated/,
    ],
    ['scrape_configs: [~]', /empty or null scrape config section/],
    ['global: {scrape_interval: 1x}', /p\.yml:1: global\.scrape_interval: unknown unit "x"/],
    ['rule_files: ["a/*/b"]', /invalid rule file path/],
    ['remote_write: [{name: a}]', /url for remote_write is empty/],
    ['remote_write: [{url: "http://x", headers: {authorization: x}}]', /authorization header/],
    ['remote_write: [{url: "http://x", sigv4: {}, basic_auth: {username: u}}]', /at most one of/],
    ['remote_read: [{url: "http://x", name: a}, {url: "http://y", name: a}]', /multiple remote read/],
    ['tracing: {}', /tracing endpoint must be set/],
    ['alerting: {alertmanagers: [{api_version: v1}]}', /api version/],
    ['otlp: {ignore_resource_attributes: [a]}', /cannot be configured unless/],
    ['storage: {tsdb: {retention: {percentage: 101}}}', /\[0, 100\]/],
  ];
  for (const [text, expected] of cases) assert.match(refusal(text), expected, text);
});

test('discovery sections are checked and those not served are named', () => {
  const config = parse(`
scrape_configs:
  - job_name: a
    file_sd_configs: [{files: [x.json]}]
    kubernetes_sd_configs: [{role: pod}]
    consul_sd_configs: [{server: 'c:8500'}]
`);
  assert.deepEqual(ignoredMechanisms(config), ['consul', 'kubernetes']);
  const [file] = (config.scrapeConfigs[0]?.serviceDiscoveryConfigs ?? []).filter(
    (sd) => sd.mechanism === 'file',
  );
  assert.deepEqual(file?.files, ['/etc/p/x.json']);
  const bad = (section: string): string => refusal(`scrape_configs: [{job_name: a, ${section}}]`);
  assert.match(bad('kubernetes_sd_configs: [{role: vacation}]'), /unknown Kubernetes SD role "vacation"/);
  assert.match(bad('dns_sd_configs: [{names: [x], type: A}]'), /port is required/);
  assert.match(bad('file_sd_configs: [{files: [x.txt]}]'), /not valid for file discovery/);
  assert.match(bad('http_sd_configs: [{url: "ftp://x"}]'), /URL scheme/);
  assert.match(bad('ec2_sd_configs: [{region: r, filters: [{name: x}]}]'), /filter values/);
  assert.match(bad('nerve_sd_configs: [~]'), /empty or null section in nerve_sd_configs/);
});

test('up to 3.5 a job that asks for legacy names contradicts what it inherits, later it does not', () => {
  const text = 'scrape_configs: [{job_name: a, metric_name_validation_scheme: legacy}]';
  assert.equal(parse(text).scrapeConfigs[0]?.metricNameEscapingScheme, 'underscores');
  assert.throws(
    () => parsePrometheusConfig(text, { file: 'p.yml', compatibility: '3.5' }),
    /utf8 metric names/,
  );
});

test('rules of a job with legacy names may only make such names, or templates of them', () => {
  const job = (rule: string, scheme = 'legacy'): string =>
    `scrape_configs: [{job_name: a, metric_name_validation_scheme: ${scheme}, relabel_configs: [${rule}]}]`;
  const template = ['$', '{1}'].join('');
  for (const good of [`x_${template}_y`, '$1', 'a1'])
    assert.equal(refusal(job(`{target_label: "${good}"}`)), '');
  for (const bad of ['a.b', `${template}-x`, '1a']) {
    const message = refusal(job(`{target_label: "${bad}"}`));
    assert.ok(message.includes(`"${bad}" is invalid 'target_label' for replace action`), message);
    assert.equal(refusal(job(`{target_label: "${bad}"}`, 'utf8')), '');
  }
  assert.match(refusal(job('{action: labelmap, replacement: a.b}')), /"a.b" is invalid 'replacement'/);
  assert.match(
    refusal(job('{action: lowercase, target_label: $x}')),
    /"\$x" is invalid 'target_label' for lower/,
  );
});

test('a configuration survives a structured clone', () => {
  const config = parse(
    'scrape_configs: [{job_name: a, kubernetes_sd_configs: [{role: pod}]}]\ntracing: {endpoint: x}',
  );
  assert.deepEqual(structuredClone(config), config);
});

test('jobs of scrape_config_files are appended; a name used twice is refused', async () => {
  const main = 'scrape_config_files: ["jobs/*.yml"]\nscrape_configs: [{job_name: a}]';
  const good = files({ '/p/p.yml': main, '/p/jobs/b.yml': 'scrape_configs: [{job_name: b}]' });
  const { scrapeConfigs } = await loadPrometheusConfig('/p/p.yml', good);
  assert.deepEqual(
    scrapeConfigs.map((job) => job.jobName),
    ['a', 'b'],
  );
  const twice = files({ '/p/p.yml': main, '/p/jobs/b.yml': 'scrape_configs:\n  - job_name: a' });
  await assert.rejects(
    loadPrometheusConfig('/p/p.yml', twice),
    /jobs\/b\.yml:2: .*first found in \/p\/p\.yml/,
  );
});

const checks: RuleFileChecks = {
  validateExpr: (text) => (text === 'bad' ? 'no expression' : undefined),
  validateTemplate: (text) => (text.includes('{{ bad') ? 'no template' : undefined),
};

test('rule files are read in order; a file that is missing is refused', async () => {
  const reader = files({ '/r/a.yml': 'groups: [{name: g, interval: 5s, rules: [{record: x, expr: up}]}]' });
  const [group] = await loadRuleGroups({ ruleFiles: ['/r/*.yml'] }, reader, checks);
  assert.equal(group?.name, 'g');
  assert.equal(group?.file, '/r/a.yml');
  assert.equal(group?.intervalMs, 5000);
  await assert.rejects(loadRuleGroups({ ruleFiles: ['/r/none.yml'] }, reader, checks), /does not point to/);
});

test('rules are checked one by one, each named by group and number', async () => {
  const text = `groups:
  - name: g
    rules:
      - record: a
        expr: bad
      - alert: b
        expr: up
        annotations: {x: "{{ bad }}"}
      - record: c
        expr: up
        for: 1m
      - expr: up
`;
  const message = await loadRuleGroups({ ruleFiles: ['/r/a.yml'] }, files({ '/r/a.yml': text }), checks).then(
    () => '',
    (error: unknown) => String(error),
  );
  assert.match(message, /a\.yml:5: groups\[0\]\.rules\[0\]\.expr: group "g", rule 1, "a": could not parse/);
  assert.match(message, /a\.yml:8: .*rule 2, "b": annotation "x": no template/);
  assert.match(message, /a\.yml:11: .*invalid field 'for' in recording rule/);
  assert.match(message, /a\.yml:12: .*one of 'record' or 'alert' must be set/);
});
