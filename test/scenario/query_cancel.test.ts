/** A heavy query that nobody waits for any more stops at every node that works on it, not only at the one that was asked. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type PeerNode, startCluster, testDirectory } from '../peers/programs.ts';
import { randomData, requestsOf } from '../peers/promql/data.ts';
import { until } from './api.ts';

const nodeCount = 3;
const deadlineMs = 60_000;
/** What the query makes each node use, and what a node that rests may use within the window. */
const busySeconds = 0.5;
const windowMs = 1000;
const idleSeconds = 0.2;

const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 40 * 60_000;
/** Sorts windows of 3,600 values at 8,000 steps for each of twelve series, many times: tens of seconds at each node. */
const heavy = {
  query: Array.from(
    { length: 30 },
    (_, i) => `sum(quantile_over_time(0.${i + 10}, (queue * 2)[1h:1s]))`,
  ).join(' + '),
  ...{ start: String(startMs / 1000 + 400), end: String(startMs / 1000 + 1200), step: '0.1' },
};

async function cpuSeconds({ url }: PeerNode): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = /^process_cpu_seconds_total (\S+)/m.exec(text)?.[1];
  assert.ok(found !== undefined, 'the node counts its processor time');
  return Number(found);
}

/** All have used processors since `before`. */
async function allWork(nodes: readonly PeerNode[], before: readonly number[]): Promise<void> {
  await until('work at every node', deadlineMs, async () => {
    const now = await Promise.all(nodes.map(cpuSeconds));
    return now.every((cpu, i) => cpu - (before[i] as number) > busySeconds) ? true : undefined;
  });
}

/** None uses more for a while than a node that has nothing to do. */
async function allRest(nodes: readonly PeerNode[]): Promise<void> {
  await until('rest at every node', deadlineMs, async () => {
    const before = await Promise.all(nodes.map(cpuSeconds));
    await new Promise((resolve) => setTimeout(resolve, windowMs));
    const after = await Promise.all(nodes.map(cpuSeconds));
    return after.every((cpu, i) => cpu - (before[i] as number) < idleSeconds) ? true : undefined;
  });
}

test('a query that its client gives up, or that runs out of time, stops at all nodes', async (context) => {
  const config = join(testDirectory(context), 'prometheus.yml');
  writeFileSync(config, 'global: {}\n');
  const nodes = await startCluster(context, nodeCount, config, [
    '--workers=2',
    '--query.max-samples=1000000000',
  ]);
  const [asked] = nodes;
  assert.ok(asked !== undefined);
  for (const body of requestsOf(randomData(7, startMs), startMs)) {
    const headers = { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' };
    const { status } = await fetch(`${asked.url}/api/v1/write`, { method: 'POST', body, headers });
    assert.equal(status, 204);
  }
  const ask = (more: Record<string, string>, signal?: AbortSignal): Promise<Response> =>
    fetch(`${asked.url}/api/v1/query_range`, {
      ...{ method: 'POST', body: new URLSearchParams({ ...heavy, ...more }) },
      ...(signal === undefined ? {} : { signal }),
    });
  const used = (): Promise<number[]> => Promise.all(nodes.map(cpuSeconds));
  const abort = new AbortController();
  await allRest(nodes);
  const atFirst = await used();
  const given = ask({}, abort.signal).then(
    (response) => response.text(),
    () => 'given up',
  );
  await allWork(nodes, atFirst);
  abort.abort();
  assert.equal(await given, 'given up');
  await allRest(nodes);
  const atSecond = await used();
  const late = ask({ timeout: '4s' });
  await allWork(nodes, atSecond);
  assert.equal((await late).status, 503);
  await allRest(nodes);
});
