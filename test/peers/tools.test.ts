/**
 * promtool, and requests as Grafana makes them, against a node of ours that scrapes itself: the tools work and say what
 * they say of a real Prometheus that holds the same data.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../scenario/api.ts';
import { api } from './compare.ts';
import {
  freePorts,
  type PeerNode,
  type Program,
  realTool,
  skipWithoutPeers,
  startCluster,
  startReal,
  testDirectory,
} from './programs.ts';
import { untilSent } from './remote_write.ts';

const testTimeoutMs = 180_000;

/** Lint of promtool that is wrong for us: gauges that prom-client, on which our metrics stand, names so. */
const knownLint = /^nodejs_\w+_total non-counter metrics should not have "_total" suffix$/;

const skip = skipWithoutPeers;

/** A node of ours and a real Prometheus with the same data: it scrapes itself and writes to the node. */
async function startPair(
  context: Parameters<typeof testDirectory>[0],
): Promise<{ ours: PeerNode; real: Program }> {
  const directory = testDirectory(context);
  const nothing = join(directory, 'nothing.yml');
  writeFileSync(nothing, 'global: {}\n');
  const [ours] = await startCluster(context, 1, nothing);
  assert.ok(ours);
  const [port] = (await freePorts(1)) as [number];
  const config = join(directory, 'prometheus.yml');
  writeFileSync(
    config,
    `global: {scrape_interval: 1s}
remote_write:
- {url: "${ours.url}/api/v1/write", queue_config: {batch_send_deadline: 500ms}, metadata_config: {send_interval: 1s}}
scrape_configs: [{job_name: prometheus, static_configs: [{targets: ["127.0.0.1:${port}"]}]}]
`,
  );
  const real = await startReal(context, 'prometheus', port, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/tsdb`,
  ]);
  await until('ten samples', 60_000, async () => {
    const { data } = await api(real.url, 'query', { query: 'count_over_time(up[1m]) >= 10' });
    return (data as { result: unknown[] }).result.length === 1 ? true : undefined;
  });
  return { ours, real };
}

const sortedLines = (text: string): string[] => text.split('\n').sort();

test('tools and Grafana find a Prometheus', { skip, timeout: testTimeoutMs }, async (context) => {
  const { ours, real } = await startPair(context);
  const endSeconds = Math.floor(Date.now() / 1000) - 2;
  await untilSent(real, endSeconds + 1);

  await context.test('promtool query says the same of both', async () => {
    const time = `--time=${endSeconds}`;
    const range = [`--start=${endSeconds - 8}`, `--end=${endSeconds}`, '--step=2s'];
    const commands: ((url: string) => string[])[] = [
      (url) => ['query', 'instant', time, url, 'up'],
      (url) => ['query', 'instant', time, url, 'sum by (code) (rate(prometheus_http_requests_total[5s]))'],
      (url) => ['query', 'instant', time, '--format=json', url, 'go_goroutines / 7'],
      (url) => ['query', 'instant', time, url, '1 + 1'],
      (url) => ['query', 'instant', time, url, '"text"'],
      (url) => ['query', 'instant', time, url, 'up['],
      (url) => ['query', 'instant', time, url, 'up[3s]'],
      (url) => ['query', 'range', ...range, url, 'go_goroutines'],
      (url) => ['query', 'range', ...range, url, 'topk(1, go_memstats_alloc_bytes) * 2'],
      (url) => ['query', 'series', ...range.slice(0, 2), '--match=up', '--match=go_info', url],
      (url) => ['query', 'labels', ...range.slice(0, 2), url, 'handler'],
      (url) => ['query', 'labels', ...range.slice(0, 2), '--match=up', url, '__name__'],
    ];
    for (const command of commands) {
      const [mine, theirs] = await Promise.all(
        [ours, real].map(({ url }) => realTool('promtool', command(url))),
      );
      assert.equal(mine?.exitCode, theirs?.exitCode, command('').join(' '));
      const withoutUrl = (text = ''): string[] => sortedLines(text.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST'));
      assert.deepEqual(withoutUrl(mine?.output), withoutUrl(theirs?.output), command('').join(' '));
    }
  });

  await context.test('promtool finds it healthy and ready', async () => {
    for (const what of ['healthy', 'ready']) {
      const { exitCode, output } = await realTool('promtool', ['check', what, `--url=${ours.url}`]);
      assert.equal(exitCode, 0, output);
    }
  });

  await context.test('promtool pushes metrics', async () => {
    const file = join(testDirectory(context), 'pushed.prom');
    writeFileSync(file, '# TYPE pushed gauge\npushed{a="b"} 17\n');
    const push = ['push', 'metrics', '--label=job=pushing', `${ours.url}/api/v1/write`, file];
    const { exitCode, output } = await realTool('promtool', push);
    assert.equal(exitCode, 0, output);
    const { data } = await api(ours.url, 'query', { query: 'pushed' });
    const [sample] = (data as { result: { metric: unknown; value: [number, string] }[] }).result;
    assert.deepEqual(sample?.metric, { __name__: 'pushed', a: 'b', job: 'pushing' });
    assert.equal(sample?.value[1], '17');
  });

  await context.test('its own metrics please promtool and have the names that dashboards use', async () => {
    const body = await (await fetch(`${ours.url}/metrics`)).text();
    const { exitCode, output } = await realTool('promtool', ['check', 'metrics'], body);
    const lint = output.split('\n').filter((line) => line !== '' && !knownLint.test(line));
    assert.deepEqual(lint, []);
    assert.ok(exitCode === 0 || exitCode === 3, `exit code ${exitCode}`);
    const names = [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
    ];
    names.push('process_open_fds', 'prometheus_build_info', 'prometheus_http_requests_total');
    names.push('prometheus_http_request_duration_seconds_bucket', 'prometheus_tsdb_head_series');
    names.push('prometheus_tsdb_head_samples_appended_total', 'prometheus_config_last_reload_successful');
    for (const name of names) assert.match(body, new RegExp(`^${name}[{ ]`, 'm'));
  });

  await context.test('Grafana: a form POST, 1+1 as a test, buildinfo, labels of a selector', async () => {
    const post = async (path: string, form: Record<string, string>): Promise<[number, unknown]> => {
      const body = new URLSearchParams(form);
      const response = await fetch(`${ours.url}/api/v1/${path}`, { method: 'POST', body });
      return [response.status, await response.json()];
    };
    const time = String(endSeconds);
    assert.deepEqual(await post('query', { query: '1+1', time }), [
      200,
      { status: 'success', data: { resultType: 'scalar', result: [endSeconds, '2'] } },
    ]);
    const range = { query: 'up', start: String(endSeconds - 60), end: time, step: '15' };
    assert.equal((await post('query_range', range))[0], 200);
    const [status, labels] = await post('labels', { 'match[]': 'up', start: range.start, end: time });
    assert.deepEqual([status, labels], [200, { status: 'success', data: ['__name__', 'instance', 'job'] }]);
    const [, series] = await post('series', { 'match[]': 'up', start: range.start, end: time });
    assert.equal((series as { data: unknown[] }).data.length, 1);
    const build = (await api(ours.url, 'status/buildinfo')).data as Record<string, string>;
    assert.match(build['version'] ?? '', /^\d+\.\d+\.\d+/);
    assert.ok(!('features' in build), 'or Grafana takes it for another product');
    const rules = (await api(ours.url, 'rules')).data;
    assert.deepEqual(rules, { groups: [] });
    assert.equal((await api(ours.url, 'metadata', { metric: 'go_goroutines' })).status, 'success');
  });
});
