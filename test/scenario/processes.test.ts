/** The main job with node processes on loopback, then what else a running cluster lives through: writes, growth, restarts. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { LabelsBuilder, type WriteBatch, WriteBatchBuilder } from '../../src/model/index.ts';
import { encodeRemoteWrite } from '../../src/remote/index.ts';
import { cluster as clusterView, query, until } from './api.ts';
import { runMainJob, type ScenarioNode } from './main_job.ts';
import { ProcessCluster } from './process_cluster.ts';

const nodesMax = 5;
const seriesPerWrite = 40;
const samplesPerSeries = 50;
const moveMs = 45_000;

let cluster: ProcessCluster;
let hasFailed = false;

before(async () => {
  cluster = await ProcessCluster.start(nodesMax);
});

after(async () => {
  if (hasFailed) process.stderr.write(`${cluster.logs()}\n`);
  await cluster.close();
});

/** Runs a step of the story; the logs are shown at the end when it fails. */
function step(title: string, run: (context: TestContext) => Promise<void>): void {
  test(title, async (context) => {
    if (hasFailed) {
      context.skip('an earlier step failed');
      return;
    }
    try {
      await run(context);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  });
}

/** What one sender pushes: series of many shards with a sample a second up to `endMs`. */
function pushed(sender: string, endMs: number): WriteBatch {
  const builder = new WriteBatchBuilder();
  for (let series = 0; series < seriesPerWrite; series++) {
    const labels = new LabelsBuilder()
      .set('__name__', 'pushed_total')
      .set('job', 'push')
      .set('instance', `${sender}-${series}`)
      .labels();
    for (let i = 0; i < samplesPerSeries; i++) {
      builder.add(labels, endMs - (samplesPerSeries - 1 - i) * 1000, i);
    }
  }
  return builder.finish();
}

async function remoteWrite(node: ScenarioNode, batch: WriteBatch): Promise<number> {
  const response = await fetch(`${node.url}/api/v1/write`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    },
    body: encodeRemoteWrite(batch),
  });
  await response.text();
  return response.status;
}

const pushedExpr = 'sum(count_over_time(pushed_total[1h]))';
let pushedAtSeconds = 0;
let pushedCount = 0;

/** Undefined when the node says itself that it can't answer yet, or not completely. */
async function countAt(node: ScenarioNode): Promise<number | undefined> {
  const answer = await query(node.url, pushedExpr, pushedAtSeconds);
  if (answer.errorType === 'unavailable') return undefined;
  assert.equal(answer.status, 'success', answer.error);
  if (answer.warnings !== undefined) return undefined;
  return Number(answer.data.result[0]?.value[1] ?? '0');
}

/** Waits until every node answers without a warning; an answer that lacks data must say so at any time. */
async function completeEverywhere(nodes: readonly ScenarioNode[]): Promise<void> {
  await until('an answer without warning at every node', moveMs, async () => {
    const counts = await Promise.all(nodes.map(countAt));
    const answered = counts.filter((count) => count !== undefined);
    for (const count of answered) assert.equal(count, pushedCount);
    return answered.length === nodes.length ? true : undefined;
  });
}

step('three nodes do the whole main job', async (context) => {
  await runMainJob(cluster, (text) => context.diagnostic(text));
});

step('what is written to any node is queryable at every node', async () => {
  const endMs = Date.now();
  const { nodes } = cluster;
  for (const node of nodes) {
    const batch = pushed(node.id, endMs);
    assert.equal(await remoteWrite(node, batch), 204);
    pushedCount += batch.refs.length;
  }
  pushedAtSeconds = Math.ceil(endMs / 1000) + 1;
  for (const node of nodes) assert.equal(await countAt(node), pushedCount);
  // A sender that lost the acknowledgement repeats itself: what is older than the newest is out of order, as in Prometheus.
  const [first, second] = nodes;
  assert.ok(first && second);
  assert.equal(await remoteWrite(second, pushed(first.id, endMs)), 400);
  for (const node of nodes) assert.equal(await countAt(node), pushedCount);
});

step('two more nodes take their share, and nothing is lost on the way', async () => {
  for (let i = cluster.nodes.length; i < nodesMax; i++) cluster.addNode();
  const { nodes } = cluster;
  const first = nodes[0];
  assert.ok(first);
  await until('a fair share for everybody', moveMs, async () => {
    assert.equal((await countAt(first)) ?? pushedCount, pushedCount);
    const { members } = await clusterView(first.url);
    const total = members.reduce((sum, { shards }) => sum + shards, 0);
    const most = Math.ceil((total * 1.1) / nodesMax);
    const isFair = members.every(({ state, shards }) => state === 'alive' && shards > 0 && shards <= most);
    return members.length === nodesMax && isFair ? true : undefined;
  });
  await completeEverywhere(nodes);
});

step('all nodes are restarted and have their data', async () => {
  const codes = await Promise.all(cluster.nodes.map((node) => node.stop()));
  assert.deepEqual(codes, Array(nodesMax).fill(0), 'every node ends in order');
  for (const node of cluster.nodes) await node.start();
  await completeEverywhere(cluster.nodes);
});
