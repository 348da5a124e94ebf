import assert from 'node:assert/strict';
import test from 'node:test';
import { Registry } from 'prom-client';
import { LocalWorkers, type WorkerMessage } from '../actors/index.ts';
import { alertmanagerConfig } from '../alertmanager/testing/config.ts';
import { type Clock, CodedError } from '../base/index.ts';
import type { KeyedEntry, Member } from '../cluster/index.ts';
import { TestInbox, VirtualClock } from '../runtime/testing/index.ts';
import { type AlertmanagerParts, NodeAlertmanagerBackend } from './alertmanager_backend.ts';
import { type ClusterParts, NodeBackend } from './prometheus_backend.ts';
import { NodeRemoteBackend } from './remote_backend.ts';
import { Reports } from './reports.ts';
import { SilenceStore } from './silence_store.ts';

const signal = new AbortController().signal;

/** The cluster's memory of silences. */
function silenceWorld(): { clock: VirtualClock; store: SilenceStore; proposals: () => number } {
  const clock = new VirtualClock();
  const entries = new Map<string, KeyedEntry>();
  let proposals = 0;
  const store = new SilenceStore(
    {
      silences: { get: (key) => entries.get(key), entries: () => entries.values() },
      propose: async (command) => {
        proposals++;
        if (command.kind === 'setSilence') entries.set(command.entry.key, command.entry);
      },
    },
    clock,
  );
  return { clock, store, proposals: () => proposals };
}

function silence(clock: Clock): object {
  const [startsAt, endsAt] = [0, 60_000].map((inMs) => new Date(clock.nowMs() + inMs).toISOString());
  const matchers = [{ name: 'a', value: 'b', isRegex: false, isEqual: true }];
  return { matchers, startsAt, endsAt, createdBy: 'me', comment: '' };
}

function alertmanager(store: SilenceStore, clock: Clock): NodeAlertmanagerBackend {
  const parts: AlertmanagerParts = {
    cluster: { leader: () => 'a', members: () => [] },
    alerts: { isConfigured: true, post: async () => undefined, view: async () => [] },
    silences: store,
    config: () => ({ ...alertmanagerConfig(), shownYaml: '' }),
  };
  const deps = { parts: () => parts, clusterName: 'c', clock, startedAtMs: 0, reload: async () => undefined };
  return new NodeAlertmanagerBackend(deps);
}

test('a silence ends when it is expired; to expire it again is well and changes nothing', async () => {
  const { clock, store, proposals } = silenceWorld();
  const backend = alertmanager(store, clock);
  const { silenceID } = await backend.postSilence(silence(clock));
  clock.advance(10);
  await backend.expireSilence(silenceID);
  assert.equal(((await backend.silence(silenceID)) as { status: { state: string } }).status.state, 'expired');
  const before = proposals();
  await backend.expireSilence(silenceID);
  assert.equal(proposals(), before);
  await assert.rejects(backend.expireSilence('unknown'), { code: 'silence_not_found' });
});

test('a filter that is no matcher is told so', async () => {
  const { clock, store } = silenceWorld();
  const backend = alertmanager(store, clock);
  await assert.rejects(backend.silences(['=~(']), { code: 'bad_matcher' });
  await assert.rejects(backend.silences(['a=~"("']), { code: 'bad_matcher' });
  const query = { active: true, silenced: true, inhibited: true, unprocessed: true, muted: true };
  await assert.rejects(backend.alerts({ ...query, filter: ['a=~"("'], receiverMatchers: [] }), {
    code: 'bad_matcher',
  });
  await backend.postSilence(silence(clock));
  assert.equal(((await backend.silences(['a="b"'])) as unknown[]).length, 1);
});

function prometheus(reports: Partial<ClusterParts['reports']>): NodeBackend {
  const parts = {
    reports: { here: async () => [], everywhere: async () => ({ items: [], warnings: [] }), ...reports },
    cluster: { nodeId: 'n', member: () => undefined },
    externalUrl: 'http://me.example:9090',
    scrapePools: () => ['p', 'q'],
    ruleGroups: () => ['f.yml;g', 'f.yml;h'],
  } as unknown as ClusterParts;
  return new NodeBackend({ parts: () => parts } as unknown as ConstructorParameters<typeof NodeBackend>[0]);
}

const dataOf = (answer: { data: Uint8Array }): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(answer.data)) as Record<string, unknown>;

test('targets that were dropped are counted by pool, and not at all when only active ones are asked for', async () => {
  const scrapeUrl = 'http://localhost:7/metrics';
  const target = { scrapePool: 'q', labels: { instance: 'i' }, scrapeUrl, node: 'n' };
  const backend = prometheus({
    here: async () => [{ scrapePool: 'p' }, { scrapePool: 'p' }],
    everywhere: async () => ({ items: [target], warnings: ['w'] }),
  });
  const any = await backend.targets({ state: 'any' }, signal);
  assert.deepEqual(dataOf(any)['droppedTargetCounts'], { p: 2, q: 0 });
  assert.deepEqual(any.warnings, ['w']);
  const active = dataOf(await backend.targets({ state: 'active' }, signal));
  assert.equal(active['droppedTargetCounts'], null);
  assert.deepEqual(active['droppedTargets'], []);
  const [first] = active['activeTargets'] as { globalUrl: string }[];
  assert.equal(first?.globalUrl, 'http://me.example:7/metrics');
  const dropped = dataOf(await backend.targets({ state: 'dropped', scrapePool: 'p' }, signal));
  assert.equal((dropped['activeTargets'] as unknown[]).length, 0);
  assert.equal((dropped['droppedTargets'] as unknown[]).length, 2);
});

test('a rule group that no node tells of is named', async () => {
  const group = (name: string): object => ({ file: 'f.yml', name, rules: [] });
  const all = { ruleNames: [], ruleGroups: [], files: [], excludeAlerts: false, match: [] };
  const half = prometheus({ everywhere: async () => ({ items: [group('g')], warnings: [] }) });
  const warning = 'incomplete answer: nobody runs rule group f.yml;h at present';
  assert.deepEqual((await half.rules(all, signal)).warnings, [warning]);
  assert.deepEqual((await half.alerts(signal)).warnings, [warning]);
  const whole = prometheus({ everywhere: async () => ({ items: [group('g'), group('h')], warnings: [] }) });
  assert.deepEqual((await whole.rules(all, signal)).warnings, []);
});

test('metadata: a limit of 0 is none, one metric from several targets is told once', async () => {
  const item = { metric: 'm', type: 'counter', help: 'h', unit: '' };
  const items = [item, item, { ...item, help: 'other' }, { ...item, metric: 'n' }];
  const backend = prometheus({ everywhere: async () => ({ items, warnings: [] }) });
  assert.deepEqual(Object.keys(dataOf(await backend.metadata({}, signal))), ['m', 'n']);
  assert.deepEqual(Object.keys(dataOf(await backend.metadata({ limit: 1 }, signal))), ['m']);
  assert.deepEqual(Object.keys(dataOf(await backend.metadata({ limit: 0 }, signal))), []);
  assert.equal((dataOf(await backend.metadata({ limitPerMetric: 1 }, signal))['m'] as unknown[]).length, 1);
});

test('a report over all nodes names the node that did not answer and the worker that is away', async () => {
  const workers = new LocalWorkers({ shards: 4, stores: 2, workers: 2 });
  const inbox = new TestInbox<WorkerMessage>('/w');
  workers.set(0, inbox);
  const members = ['a', 'b', 'c'].map(
    (id) => ({ state: id === 'c' ? 'dead' : 'alive', meta: { id } }) as unknown as Member,
  );
  const client = (): never => {
    throw new CodedError('transport_unavailable', 'refused');
  };
  const reports = new Reports({ nodeId: 'a', members: () => members, client }, workers, {
    views: async () => [],
  });
  const broken = await reports.everywhere('targets', signal);
  assert.equal(broken.warnings.length, 2);
  assert.match(broken.warnings.join('\n'), /node a did not answer .*starting/);
  assert.match(broken.warnings.join('\n'), /node b did not answer .*refused/);
  workers.set(1, inbox);
  const whole = reports.everywhere('targets', signal);
  await new Promise((resolve) => setImmediate(resolve));
  for (const message of inbox.takeAll()) {
    if (message.type === 'report') message.replyTo.ok(new TextEncoder().encode('[{"x":1}]'));
  }
  assert.deepEqual((await whole).items, [{ x: 1 }, { x: 1 }]);
  await assert.rejects(reports.local('nonsense', new Uint8Array(0)), { code: 'unknown_report' });
});

test('remote write that no worker takes is to be sent again', async () => {
  const workers = new LocalWorkers({ shards: 4, stores: 1, workers: 1 });
  const backend = new NodeRemoteBackend({
    workers,
    features: [],
    limits: { readSamplesMax: 0, readsMax: 1, frameBytesMax: 1, lookbackMs: 1 },
    config: () => undefined,
    clock: new VirtualClock(),
    registry: new Registry(),
  });
  assert.equal((await backend.write(new Uint8Array(1), 1)).status, 503);
});
