import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from './load_config.ts';

async function said(text: string): Promise<readonly string[]> {
  const files = { readText: () => Promise.resolve(text), glob: () => Promise.resolve([]) };
  return (await loadConfig({ prometheus: 'p.yml', alertmanager: '' }, files)).notYetEffective;
}

test('each mechanism that nobody serves is named once, those that are served are not', async () => {
  const lines = await said(`scrape_configs:
- job_name: a
  static_configs: [{targets: [x]}]
  file_sd_configs: [{files: [x.json]}]
  http_sd_configs: [{url: 'http://x'}]
  dns_sd_configs: [{names: [x]}]
  consul_sd_configs: [{}, {}]
- job_name: b
  consul_sd_configs: [{}]
  kubernetes_sd_configs: [{role: pod}]
  ec2_sd_configs: [{region: r}]
  azure_sd_configs: [{subscription_id: a, tenant_id: b, client_id: c, client_secret: d}]
`);
  assert.deepEqual(
    lines,
    ['azure', 'consul', 'ec2', 'kubernetes'].map(
      (name) => `service discovery ${name} is ignored: it is not supported yet`,
    ),
  );
});

test('sections without effect are named, unless they ask for nothing', async () => {
  const quiet =
    'alerting: {alertmanagers: [{static_configs: [{targets: []}]}]}\nruntime: {gogc: 50}\notlp: {}\n';
  assert.deepEqual(await said(quiet), []);
  assert.deepEqual(
    await said(
      'alerting: {alertmanagers: [{static_configs: [{targets: [a]}]}]}\nstorage: {tsdb: {chunk_encoding: {floats: xor2}}}\n',
    ),
    ['alerting.alertmanagers', 'storage.tsdb.chunk_encoding'].map(
      (name) => `section ${name} has no effect yet`,
    ),
  );
});
