import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { ChannelCredentials } from '@grpc/grpc-js';
import { Registry } from 'prom-client';
import {
  EnvelopeSchema,
  ExecuteChunkSchema,
  ExecuteRequestSchema,
  WriteRequestSchema,
  WriteResponseSchema,
} from '../../proto/gen/torchring/v1/node_pb.ts';
import { ProposeRequestSchema } from '../../proto/gen/torchring/v1/raft_pb.ts';
import { CodedError, type Logger, seededRandom, silentLogger, systemClock } from '../base/index.ts';
import { type ClusterHooks, type ClusterNode, startCluster } from './cluster_node.ts';
import { TransportError, transportErrorCodes } from './errors.ts';
import type { ClusterOptions } from './options.ts';
import { ClientPool } from './transport/client.ts';

const folder = await mkdtemp(join(tmpdir(), 'torchring-cluster-'));
const running = new Set<ClusterNode>();
after(async () => {
  await Promise.all([...running].map((node) => node.stop()));
  await rm(folder, { recursive: true });
});

/** A log that keeps what was said, for tests of what an operator reads. */
function recordingLog(): { log: Logger; lines: string[]; said: (pattern: RegExp) => Promise<void> } {
  const lines: string[] = [];
  const waiting = new Map<RegExp, () => void>();
  const record = (fields: object, message?: string): void => {
    const line = `${message} ${JSON.stringify(fields)}`;
    lines.push(line);
    for (const [pattern, resolve] of waiting) if (pattern.test(line)) resolve();
  };
  const log = { debug: () => {}, info: record, warn: record, error: record } as unknown as Logger;
  const said = (pattern: RegExp): Promise<void> => new Promise((resolve) => waiting.set(pattern, resolve));
  return { log, lines, said };
}

let started = 0;
async function start(options: Partial<ClusterOptions>, log: Logger = silentLogger): Promise<ClusterNode> {
  const nodeId = options.nodeId ?? `n${started}`;
  const node = await startCluster(
    {
      nodeId,
      clusterName: 'test',
      secret: 'sesame',
      listenAddress: '127.0.0.1:0',
      httpAddress: '',
      alertmanagerAddress: '',
      zone: '',
      version: '1',
      configHash: '',
      join: [],
      expect: 1,
      shards: 32,
      // Twice the usual pace: the tests wait in real time.
      gossip: { probeIntervalMs: 500, probeTimeoutMs: 250 },
      dataPath: join(folder, nodeId),
      ...options,
    },
    { clock: systemClock, random: seededRandom(Date.now() + started++), log, registry: new Registry() },
  );
  running.add(node);
  return node;
}
async function stop(node: ClusterNode): Promise<void> {
  running.delete(node);
  await node.stop();
}

/** Resolves when `holds`, asked again whenever a hook of the node is called. */
function when(node: ClusterNode, holds: () => boolean, withinMs = 15_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not within ${withinMs} ms: ${holds}`)), withinMs);
    const check = (): void => {
      if (!holds()) return;
      clearTimeout(timer);
      queueMicrotask(() => unsubscribe());
      resolve();
    };
    const hooks: ClusterHooks = {
      onMembers: check,
      onTable: check,
      onLeader: check,
      onLeading: check,
      onEntries: check,
    };
    const unsubscribe = node.subscribe(hooks);
    check();
  });
}

const owners = (node: ClusterNode): string[] =>
  [...new Set(node.table()?.shards.map(({ owner }) => owner))].sort();
const payload = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a node without seeds is a group of one with a table at once, and after a restart the same', async () => {
  const node = await start({ nodeId: 'solo' });
  await when(node, () => node.isLeader() && node.readyForService, 2_000);
  await node.propose({
    kind: 'recordNotification',
    entry: { key: 'k', payload: payload('v'), expiresAtMs: 1 },
  });
  const before = { group: node.group()?.groupId, term: node.term() };
  await stop(node);
  const again = await start({ nodeId: 'solo' });
  await when(again, () => again.isLeader() && again.readyForService, 2_000);
  assert.equal(again.group()?.groupId, before.group);
  assert.ok(again.term() > before.term);
  assert.deepEqual(again.notifications.get('k')?.payload, payload('v'));
  assert.deepEqual(owners(again), ['solo']);
  await stop(again);
});

test('three nodes form one group; calls pass; the death of one re-places its shards in time; it comes back', async () => {
  const a = await start({ nodeId: 'a', expect: 3 });
  const seed = { expect: 3, join: [a.advertiseAddress] };
  const b = await start({ nodeId: 'b', ...seed });
  const c = await start({ nodeId: 'c', ...seed });
  const nodes = [a, b, c];
  await Promise.all(
    nodes.map((node) => when(node, () => owners(node).length === 3 && node.leader() !== undefined)),
  );
  assert.equal(new Set(nodes.map((node) => node.group()?.groupId)).size, 1);
  assert.deepEqual(a.group()?.voters, ['a', 'b', 'c']);
  assert.equal(nodes.filter((node) => node.isLeader()).length, 1);
  assert.deepEqual(b.table(), a.table());

  // A proposal from each node is applied there when it resolves.
  for (const node of nodes) {
    const entry = { key: node.nodeId, payload: payload(node.nodeId), expiresAtMs: Date.now() + 60_000 };
    await node.propose({ kind: 'recordNotification', entry });
    assert.deepEqual(node.notifications.get(node.nodeId)?.payload, payload(node.nodeId));
  }

  await callsPass(a, b);

  const leader = nodes.find((node) => node.isLeader()) ?? a;
  const rest = nodes.filter((node) => node !== leader);
  const { dataPath, address } = { dataPath: join(folder, leader.nodeId), address: leader.advertiseAddress };
  const killedMs = performance.now();
  await stop(leader);
  const others = rest.map(({ nodeId }) => nodeId);
  await Promise.all(
    rest.map((node) =>
      when(node, () => owners(node).join() === others.join() && node.leader() !== undefined, 12_000),
    ),
  );
  const tookMs = performance.now() - killedMs;
  assert.ok(tookMs < 10_000, `a new table after ${Math.round(tookMs)} ms`);
  const survivor = rest[0] ?? a;
  assert.ok(
    survivor.table()?.shards.some(({ holders }) => holders.includes(leader.nodeId)),
    'who died still holds data',
  );

  const back = await start({
    nodeId: leader.nodeId,
    listenAddress: address,
    dataPath,
    expect: 3,
    join: [survivor.advertiseAddress],
  });
  await when(back, () => owners(back).length === 3 && back.leader() !== undefined);
  assert.deepEqual(back.notifications.get('b')?.payload, payload('b'));
  await Promise.all([back, ...rest].map(stop));
});

async function callsPass(a: ClusterNode, b: ClusterNode): Promise<void> {
  const options = { deadlineMs: 10_000 };
  await assert.rejects(
    a.client('b').deliver(create(EnvelopeSchema), options),
    (error) => error instanceof TransportError && error.code === transportErrorCodes.notServed,
  );
  const cancelled = Promise.withResolvers<void>();
  b.handle({
    deliver: async (envelope, { from }) =>
      create(EnvelopeSchema, { from: b.nodeId, payload: payload(`${from} ${envelope.kind}`) }),
    write: async ({ shard }) => {
      if (shard === 7) throw new CodedError('SHARD_MOVED', 'shard 7 moved to c');
      return create(WriteResponseSchema, { appended: shard });
    },
    async *execute(request, { signal }) {
      signal.addEventListener('abort', () => cancelled.resolve());
      for (let i = 0; i < 1_000; i++) yield create(ExecuteChunkSchema, { payload: request.payload });
    },
  });
  const answer = await a.client('b').deliver(create(EnvelopeSchema, { kind: 'hello' }), options);
  assert.equal(new TextDecoder().decode(answer.payload), 'a hello');
  assert.equal((await a.client('b').write(create(WriteRequestSchema, { shard: 5 }), options)).appended, 5);
  await assert.rejects(
    a.client('b').write(create(WriteRequestSchema, { shard: 7 }), options),
    (error) =>
      error instanceof TransportError && error.code === 'SHARD_MOVED' && /moved to c/.test(error.message),
  );
  const request = create(ExecuteRequestSchema, { kind: 'select', payload: new Uint8Array(100_000) });
  let chunks = 0;
  for await (const { payload: bytes } of a.client('b').execute(request, options)) {
    assert.equal(bytes.length, 100_000);
    chunks++;
  }
  assert.equal(chunks, 1_000);
  for await (const _ of a.client('b').execute(request, options)) break;
  const abort = new AbortController();
  const drained = (async () => {
    for await (const _ of a.client('b').execute(request, { ...options, signal: abort.signal })) abort.abort();
  })();
  await assert.rejects(drained, TransportError);
  // The server learns that the caller went away.
  await cancelled.promise;
  const pool = new ClientPool(
    {
      identity: { clusterName: 'test', secret: 'sesame', nodeId: 'x' },
      credentials: ChannelCredentials.createInsecure(),
      serverName: undefined,
    },
    { clock: systemClock, log: silentLogger },
  );
  const garbage = create(ProposeRequestSchema, { command: new Uint8Array([1, 99]) });
  for (const node of [a, b]) {
    await assert.rejects(
      pool.call(node.advertiseAddress, 'propose', garbage, options),
      /kind 99 is not known/,
      'what not every node can read never enters the log',
    );
  }
  pool.close();
  await assert.rejects(
    a.client('nobody').write(create(WriteRequestSchema), options),
    (error) => error instanceof TransportError && error.code === transportErrorCodes.unknownNode,
  );
}

test('a wrong secret or cluster name is refused, with one line on each side', async () => {
  const host = recordingLog();
  const a = await start({ nodeId: 'host' }, host.log);
  for (const wrong of [{ secret: 'open' }, { clusterName: 'other' }]) {
    const guest = recordingLog();
    const why = 'secret' in wrong ? /cluster secret differs/ : /caller belongs to cluster other/;
    const refused = guest.said(why);
    const dataPath = join(folder, `guest-${started}`);
    const b = await start({ nodeId: 'guest', join: [a.advertiseAddress], ...wrong, dataPath }, guest.log);
    await refused;
    assert.equal(
      guest.lines.filter((line) => /a peer refused this node/.test(line) && why.test(line)).length,
      1,
    );
    assert.equal(host.lines.filter((line) => /refused a call/.test(line) && why.test(line)).length, 1);
    assert.equal(a.members().length, 1);
    assert.equal(b.group(), undefined);
    await stop(b);
  }
  await stop(a);
});

test('a node that leaves is no failure: its shards are placed anew at once', async () => {
  const a = await start({ nodeId: 'stay' });
  await when(a, () => a.readyForService);
  const b = await start({ nodeId: 'go', join: [a.advertiseAddress] });
  await when(a, () => owners(a).length === 2);
  await when(b, () => owners(b).length === 2);
  assert.equal(b.group()?.mayVote, false, 'who comes later learns and does not vote');
  running.delete(b);
  await b.leave();
  await when(a, () => owners(a).length === 1, 3_000);
  assert.equal(a.member('go')?.state, 'left');
  await stop(a);
});
