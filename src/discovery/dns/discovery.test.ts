import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { DnsSdConfig } from '../config/basic.ts';
import { DnsError } from '../errors.ts';
import { type Answered, type DnsTestServer, startDnsServer, type Zone } from '../testing/dns_server.ts';
import { RunningDiscovery } from '../testing/running.ts';
import { createDnsDiscovery } from './discovery.ts';
import { decodeAnswers, decodeHeader, encodeQuery } from './message.ts';
import { candidateNames, parseResolvConf } from './resolv_conf.ts';

interface World {
  readonly server: DnsTestServer;
  readonly running: RunningDiscovery;
}

async function start(
  context: TestContext,
  config: Partial<DnsSdConfig>,
  zone: Zone,
  resolvConf = 'nameserver 127.0.0.1\n',
): Promise<World> {
  const server = await startDnsServer(zone);
  context.after(() => server.close());
  const directory = await mkdtemp(join(tmpdir(), 'torchring-dns-sd-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const configFile = join(directory, 'resolv.conf');
  await writeFile(configFile, resolvConf);
  const all: DnsSdConfig = {
    mechanism: 'dns',
    names: ['svc.example'],
    type: 'A',
    port: 80,
    refreshIntervalMs: 30_000,
    ...config,
  };
  const running = new RunningDiscovery(context, (deps) =>
    createDnsDiscovery(all, deps, { configFile, port: server.port }),
  );
  return { server, running };
}

const v4 = (...bytes: number[]): Answered => ({ type: 'A', bytes });

test('each type of record gives its address and its labels, rooted where Prometheus leaves the dot', async (context) => {
  const v6 = Buffer.from('20010db8000000000000000000000001', 'hex');
  const mapped = Buffer.from('00000000000000000000ffff01020304', 'hex');
  const cases: [Partial<DnsSdConfig>, Answered[], Record<string, string>[]][] = [
    [
      { type: 'A' },
      [{ type: 'CNAME', target: 'other.example.' }, v4(10, 0, 0, 1), v4(10, 0, 0, 2)],
      [{ __address__: '10.0.0.1:80' }, { __address__: '10.0.0.2:80' }],
    ],
    [
      { type: 'AAAA' },
      [
        { type: 'AAAA', bytes: [...v6] },
        { type: 'AAAA', bytes: [...mapped] },
      ],
      [{ __address__: '[2001:db8::1]:80' }, { __address__: '1.2.3.4:80' }],
    ],
    [
      { type: 'SRV', port: 0 },
      [{ type: 'SRV', target: 'db-1.example.', port: 5432 }],
      [
        {
          __address__: 'db-1.example:5432',
          __meta_dns_srv_record_target: 'db-1.example.',
          __meta_dns_srv_record_port: '5432',
        },
      ],
    ],
    [
      { type: 'MX', port: 25 },
      [{ type: 'MX', target: 'mail.example.' }],
      [{ __address__: 'mail.example:25', __meta_dns_mx_record_target: 'mail.example.' }],
    ],
    [
      { type: 'NS', port: 53 },
      [{ type: 'NS', target: 'ns.exa mple.' }],
      [{ __address__: 'ns.exa\\ mple:53', __meta_dns_ns_record_target: 'ns.exa\\ mple.' }],
    ],
  ];
  for (const [config, records, expected] of cases) {
    const { running } = await start(context, config, ({ name }) =>
      name === 'svc.example.' ? { records } : undefined,
    );
    const targets = await running.next();
    assert.deepEqual(
      targets,
      expected.map((labels) => ({ ...labels, __meta_dns_name: 'svc.example' })),
    );
  }
});

test('the search list is tried in the order that the number of dots asks for', async (context) => {
  const { server, running } = await start(
    context,
    { names: ['short', 'a.b.c', 'full.'] },
    ({ name }) => (name === 'short.two.test.' ? { records: [v4(1, 1, 1, 1)] } : { code: 3 }),
    '# comment\nnameserver 127.0.0.1\nsearch one.test two.test.\noptions timeout:1 ndots:2\n',
  );
  assert.deepEqual(
    (await running.next()).map(({ __address__ }) => __address__),
    ['1.1.1.1:80'],
  );
  const asked = (start: string): string[] =>
    server.questions.map(({ name }) => name).filter((name) => name.startsWith(start));
  assert.deepEqual(asked('short'), ['short.one.test.', 'short.two.test.']);
  assert.deepEqual(asked('a.b.c'), ['a.b.c.', 'a.b.c.one.test.', 'a.b.c.two.test.']);
  assert.deepEqual(asked('full'), ['full.']);
});

test('a name that does not exist has no targets; one that is not known keeps those it had', async (context) => {
  const good: Zone = ({ name }) => ({ records: [v4(1, 1, 1, name.startsWith('a') ? 1 : 2)] });
  const { server, running } = await start(context, { names: ['a', 'b'] }, good);
  const addresses = async (): Promise<unknown[]> =>
    (await running.next()).map(({ __address__ }) => __address__);
  assert.deepEqual(await addresses(), ['1.1.1.1:80', '1.1.1.2:80']);
  server.zone = ({ name }) =>
    name.startsWith('a') ? { code: 2 } : good({ name, type: 1, transport: 'udp' });
  await running.refresh();
  assert.deepEqual(await addresses(), ['1.1.1.1:80', '1.1.1.2:80']);
  server.zone = ({ name }) => (name.startsWith('a') ? { code: 3 } : { code: 0 });
  await running.refresh();
  assert.deepEqual(await addresses(), []);
  assert.equal(await running.value('prometheus_sd_dns_lookups_total'), 6);
  assert.equal(await running.value('prometheus_sd_dns_lookup_failures_total'), 1);
});

test('the next server is asked when one fails, and a silent one is given up', async (context) => {
  const { server, running } = await start(
    context,
    {},
    () =>
      server.questions.length === 1
        ? { code: 5 }
        : server.questions.length === 2
          ? undefined
          : { records: [v4(9, 9, 9, 9)] },
    'nameserver 127.0.0.1\nnameserver 127.0.0.1\nnameserver 127.0.0.1\n',
  );
  while (server.questions.length < 2) await new Promise((resolve) => setImmediate(resolve));
  running.ring();
  assert.deepEqual(
    (await running.next()).map(({ __address__ }) => __address__),
    ['9.9.9.9:80'],
  );
});

test('what does not fit into a datagram is asked for again by TCP', async (context) => {
  const many = Array.from({ length: 3000 }, (_, i) => v4(10, 0, i >> 8, i & 255));
  const { server, running } = await start(context, {}, ({ transport }) =>
    transport === 'udp' ? { isTruncated: true } : { records: many },
  );
  assert.equal((await running.next()).length, 3000);
  assert.deepEqual(
    server.questions.map(({ transport }) => transport),
    ['udp', 'tcp'],
  );
});

test('answers that are not DNS are failures, one to another question is passed over', async (context) => {
  const raws: ((query: Buffer) => Buffer)[] = [
    (query) =>
      Buffer.concat([query.subarray(0, 2), Buffer.from('8180000100010000', 'hex'), Buffer.alloc(40, 0xc0)]),
    (query) =>
      Buffer.concat([query.subarray(0, 2), Buffer.from('81800001ffff00000000', 'hex'), query.subarray(12)]),
  ];
  const { running } = await start(context, { names: ['a'] }, () => ({
    raw: (query) => (raws.pop() as (typeof raws)[0])(query),
  }));
  assert.deepEqual(await running.next(), []);
  await running.refresh();
  assert.deepEqual(await running.next(), []);
  assert.equal(await running.value('prometheus_sd_dns_lookup_failures_total'), 2);
});

test('a name beyond what DNS takes is refused before anything is sent', () => {
  for (const name of ['', 'a..b', `${'a'.repeat(64)}.b`, 'a.'.repeat(130)]) {
    assert.throws(() => encodeQuery(1, name, 'A', true), DnsError, name);
  }
  assert.equal(encodeQuery(1, 'a\\.b\\065.', 'A', false).toString('latin1', 12, 18), '\x04a.bA\0');
});

test('resolv.conf is read as the resolver library reads it', () => {
  assert.deepEqual(parseResolvConf('; x\nnameserver ::1\ndomain a\nsearch b c\noptions ndots:99'), {
    servers: ['::1'],
    search: ['b', 'c'],
    dotsMin: 15,
  });
  assert.deepEqual(candidateNames('a.b', { servers: [], search: ['s'], dotsMin: 1 }), ['a.b.', 'a.b.s.']);
});

test('no bytes make reading an answer hang or throw anything but a DNS error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(40), (bytes, records) => {
      const message = Buffer.concat([
        Buffer.from('00018180000100', 'hex'),
        Buffer.from([records, 0, 0, 0, 0]),
        bytes,
      ]);
      decodeHeader(message);
      try {
        decodeAnswers(message);
      } catch (error) {
        assert.ok(error instanceof DnsError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
