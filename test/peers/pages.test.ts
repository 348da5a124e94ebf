/**
 * A real Prometheus sends its alerts to a real Alertmanager and to every node of a cluster of ours, which runs the same
 * configuration: both page the same, and amtool works with either.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../scenario/api.ts';
import {
  freePorts,
  realTool,
  skipWithoutPeers,
  startClusterWithAlertmanager,
  startReal,
  testDirectory,
} from './programs.ts';

const testTimeoutMs = 240_000;

interface Payload {
  readonly status: string;
  readonly groupKey: string;
  readonly alerts: readonly Record<string, unknown>[];
  readonly [field: string]: unknown;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** A payload without the places and times that differ between two Alertmanagers. */
function comparable({ externalURL: _url, alerts, ...rest }: Payload): unknown {
  return { ...rest, alerts: alerts.map(({ startsAt: _from, endsAt: _to, ...alert }) => alert) };
}

const inOrder = (payloads: readonly Payload[]): unknown[] =>
  [...payloads].sort((a, b) => (a.groupKey < b.groupKey ? -1 : 1)).map(comparable);

const rules = `groups:
- name: pages
  rules:
  - {alert: High, expr: level > 1, labels: {severity: page}, annotations: {summary: '{{ $labels.name }} at {{ $value }}'}}
  - {alert: Low, expr: level > 0, labels: {severity: ticket}}
`;

test('a cluster pages what a real Alertmanager pages', {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const directory = testDirectory(context);
  const received = new Map<string, Payload[]>([
    ['/ours', []],
    ['/real', []],
  ]);
  let level = 0;
  const peer = createServer((request, response) => {
    if (request.url === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(`level{name="a"} ${level}\nlevel{name="b"} ${level * 2}\n`);
      return;
    }
    void bodyOf(request).then((body) => {
      received.get(request.url ?? '')?.push(JSON.parse(body) as Payload);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(peer, 'listening');
  context.after(() => {
    peer.close();
    peer.closeAllConnections();
  });
  const { port: peerPort } = peer.address() as { port: number };
  const alertmanagerConfig = (hook: string): string => `route:
  receiver: hook
  group_by: [alertname]
  group_wait: 4s
  group_interval: 5s
  repeat_interval: 4h
inhibit_rules: [{source_matchers: [severity="page"], target_matchers: [severity="ticket"], equal: [name]}]
receivers: [{name: hook, webhook_configs: [{url: "http://127.0.0.1:${peerPort}${hook}"}]}]
`;
  const fileOf = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const nothing = fileOf('nothing.yml', 'global: {}\n');
  const { alertmanagers } = await startClusterWithAlertmanager(
    context,
    3,
    nothing,
    fileOf('ours.yml', alertmanagerConfig('/ours')),
  );
  const [prometheusPort, alertmanagerPort] = (await freePorts(2)) as [number, number];
  const alertmanager = await startReal(context, 'alertmanager', alertmanagerPort, [
    `--config.file=${fileOf('real.yml', alertmanagerConfig('/real'))}`,
    `--storage.path=${directory}/alertmanager`,
    '--cluster.listen-address=',
  ]);
  fileOf('rules.yml', rules);
  const targets = JSON.stringify([alertmanager.address, ...alertmanagers]);
  const config = fileOf(
    'prometheus.yml',
    `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ${targets}}]}]}
scrape_configs: [{job_name: levels, static_configs: [{targets: ["127.0.0.1:${peerPort}"]}]}]
`,
  );
  await startReal(context, 'prometheus', prometheusPort, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/tsdb`,
    '--rules.alert.resend-delay=1s',
  ]);
  const untilPages = (count: number): Promise<true> =>
    until(`${count} pages by each`, 60_000, async () =>
      [...received.values()].every((pages) => pages.length >= count) ? true : undefined,
    ).catch((error: unknown) => assert.fail(`${error}: ${JSON.stringify([...received])}`));

  await context.test('firing and resolved, grouped and inhibited alike, once each', async () => {
    level = 1;
    await untilPages(2);
    level = 0;
    await untilPages(4);
    const [ours, real] = [received.get('/ours') ?? [], received.get('/real') ?? []];
    for (const status of ['firing', 'resolved']) {
      const of = (pages: readonly Payload[]): unknown[] =>
        inOrder(pages.filter((page) => page.status === status));
      assert.deepEqual(of(ours), of(real));
    }
    assert.equal(ours.length, real.length);
  });

  await context.test('amtool', async () => {
    const run = async (address: string, ...command: string[]): Promise<string> => {
      const { output, exitCode } = await realTool('amtool', [
        `--alertmanager.url=http://${address}`,
        ...command,
      ]);
      assert.equal(exitCode, 0, output);
      return output
        .replaceAll(/^Warning: amtool version .*\n/gm, '')
        .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
        .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)/g, 'TIME')
        .replaceAll(/ {2,}/g, '  ');
    };
    const commands = [
      ['alert', 'add', 'byhand', 'node=a', 'severity=page', '--annotation=summary=hello'],
      ['alert', 'query', 'byhand'],
      ['alert', 'query', '--output=json', 'node=~"a|b"'],
      ['silence', 'add', '--author=me', '--comment=why', '--duration=1h', 'alertname=byhand', 'node=~a|b'],
      ['silence', 'query'],
      ['silence', 'query', '--output=json'],
      ['alert', 'query', '--silenced', 'byhand'],
      ['alert', 'query', 'byhand'],
      ['config', 'routes', 'show'],
      ['config', 'routes', 'test', 'alertname=byhand'],
    ];
    const [ours] = alertmanagers;
    assert.ok(ours);
    for (const command of commands) {
      assert.equal(
        await run(ours, ...command),
        await run(alertmanager.address, ...command),
        command.join(' '),
      );
    }
    const silences = await run(ours, 'silence', 'query', '--quiet');
    assert.match(silences, /ID/);
    for (const address of alertmanagers.slice(1)) {
      // Each node follows the leader's log on its own.
      await until(`${address} knows the silence`, 10_000, async () => {
        const json = ['silence', 'query', '--output=json'];
        return (await run(address, ...json)) === (await run(ours, ...json)) ? true : undefined;
      });
    }
  });
});
