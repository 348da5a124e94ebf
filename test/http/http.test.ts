/** A node as HTTP clients meet it: administration, big answers, live notifications. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Labels, WriteBatchBuilder } from '../../src/model/index.ts';
import { encodeRemoteWrite } from '../../src/remote/index.ts';
import { type HttpNode, startNode } from './node.ts';
import { startProbing } from './probe_thread.ts';

const testTimeoutMs = 120_000;

interface Json {
  readonly status: string;
  readonly data: unknown;
  readonly error?: string;
}

async function write(node: HttpNode, build: (batch: WriteBatchBuilder) => void): Promise<void> {
  const batch = new WriteBatchBuilder();
  build(batch);
  const response = await fetch(`${node.url}/api/v1/write`, {
    method: 'POST',
    body: encodeRemoteWrite(batch.finish()),
    headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
  });
  assert.equal(response.status, 204, await response.text());
}

async function json(node: HttpNode, path: string, init?: RequestInit): Promise<Json> {
  const response = await fetch(`${node.url}/api/v1/${path}`, init);
  return (await response.json()) as Json;
}

const labels = (name: string, i: number): Labels =>
  Labels.fromRecord({ __name__: name, job: `job-${i % 7}`, instance: `host-${i}`, path: `/a/${i}` });

test('deletions hold at once, and a node starts from a snapshot', {
  timeout: testTimeoutMs,
}, async (context) => {
  const node = await startNode(context, ['--web.enable-admin-api']);
  const nowMs = Date.now();
  await write(node, (batch) => {
    for (let i = 0; i < 50; i++) batch.add(labels(i % 2 === 0 ? 'kept' : 'gone', i), nowMs, i);
  });
  const names = async (at: HttpNode): Promise<unknown> => (await json(at, 'label/__name__/values')).data;
  assert.deepEqual(await names(node), ['gone', 'kept']);
  const deleted = await fetch(`${node.url}/api/v1/admin/tsdb/delete_series?match[]=gone`, { method: 'POST' });
  assert.equal(deleted.status, 204);
  assert.deepEqual(await names(node), ['kept']);
  const cleaned = await fetch(`${node.url}/api/v1/admin/tsdb/clean_tombstones`, { method: 'POST' });
  assert.equal(cleaned.status, 204);
  const taken = await json(node, 'admin/tsdb/snapshot', { method: 'POST' });
  const { name } = taken.data as { name: string };
  // What comes later is not in it.
  await write(node, (batch) => batch.add(labels('later', 1), nowMs, 1));
  await node.stop();
  const copy = await startNode(context, [], join(node.data, 'snapshots', name));
  assert.deepEqual(await names(copy), ['kept']);
  assert.equal(((await json(copy, 'series?match[]=kept')).data as unknown[]).length, 25);
  await write(copy, (batch) => batch.add(labels('kept', 0), nowMs + 1000, 1));
});

test('counts of what is in memory are those of the data', { timeout: testTimeoutMs }, async (context) => {
  const node = await startNode(context);
  const nowMs = Date.now();
  await write(node, (batch) => {
    for (let i = 0; i < 30; i++) batch.add(labels(i < 20 ? 'many' : 'few', i), nowMs - 1000 + i, 1);
  });
  assert.deepEqual((await json(node, 'status/tsdb?limit=2')).data, {
    headStats: {
      numSeries: 30,
      // 2 names, 7 jobs, 30 instances, 30 paths
      numLabelPairs: 69,
      chunkCount: 30,
      minTime: nowMs - 1000,
      maxTime: nowMs - 971,
    },
    seriesCountByMetricName: [
      { name: 'many', value: 20 },
      { name: 'few', value: 10 },
    ],
    labelValueCountByLabelName: [
      { name: 'instance', value: 30 },
      { name: 'path', value: 30 },
    ],
    memoryInBytesByLabelName: [
      { name: 'instance', value: 200 },
      { name: 'path', value: 140 },
    ],
    seriesCountByLabelValuePair: [
      { name: '__name__=many', value: 20 },
      { name: '__name__=few', value: 10 },
    ],
  });
  const limited = (await json(node, 'series?match[]=many&limit=3')) as Json & { warnings: string[] };
  assert.equal((limited.data as unknown[]).length, 3);
  assert.deepEqual(limited.warnings, ['results truncated due to limit']);
});

const probeMsMax = 100;

test('big answers come whole in every encoding, and no health probe waits for them', {
  timeout: testTimeoutMs,
}, async (context) => {
  const node = await startNode(context);
  const startMs = Date.now() - 600_000;
  for (let part = 0; part < 10; part++) {
    await write(node, (batch) => {
      for (let i = 0; i < 300; i++) {
        for (let k = 0; k < 40; k++) batch.add(labels('m', part * 300 + i), startMs + k * 15_000, i + k / 7);
      }
    });
  }
  const probing = startProbing(node.port);
  const range = `start=${startMs / 1000}&end=${startMs / 1000 + 600}&step=1`;
  const query = `query_range?query=${encodeURIComponent('m * 1.000001')}&${range}`;
  const texts = new Map<string, string>();
  for (const encoding of ['identity', 'gzip', 'deflate', 'zstd']) {
    const response = await fetch(`${node.url}/api/v1/${query}`, { headers: { 'accept-encoding': encoding } });
    assert.equal(response.headers.get('content-encoding'), encoding === 'identity' ? null : encoding);
    const text = await response.text();
    texts.set(encoding, text);
    assert.equal(text, texts.get('identity'), encoding);
  }
  const probes = await probing.stop();
  const size = texts.get('identity')?.length ?? 0;
  assert.ok(size > 20_000_000, `${size} bytes`);
  const worst = Math.max(...probes);
  assert.ok(worst < probeMsMax, `of ${probes.length} probes one took ${worst} ms`);
});
