/**
 * The same samples, one a request, in a random order of times, to a real Prometheus and to a node of ours with one shard:
 * each is accepted or refused by both, for the same reason, and in the end both have the same samples.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/index.ts';
import { Labels, WriteBatchBuilder } from '../../src/model/index.ts';
import { encodeRemoteWrite } from '../../src/remote/index.ts';
import { api } from './compare.ts';
import { freePorts, skipWithoutPeers, startCluster, startReal, testDirectory } from './programs.ts';

const seed = Number(process.env['TORCHRING_PEERS_SEED'] ?? 1);
const requests = 600;
const minuteMs = 60_000;
/** Most samples come near the newest, some in the two hours before, a few further off or in the future. */
const agesMs: readonly (readonly [upToShare: number, fromMs: number, toMs: number])[] = [
  [0.6, -3 * minuteMs, 10 * minuteMs],
  [0.9, -130 * minuteMs, 0],
  [1, -400 * minuteMs, 30 * minuteMs],
];

const reasons = [/out of order sample/, /out of bounds/, /too old sample/, /duplicate sample for timestamp/];

/** The status, and which of the reasons the text names. */
async function write(url: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    body,
    headers: {
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'x-prometheus-remote-write-version': '0.1.0',
    },
  });
  const text = await response.text();
  return `${response.status} ${reasons.find((reason) => reason.test(text))?.source ?? ''}`;
}

async function stored(url: string, atSeconds: number): Promise<unknown> {
  const { data, error } = await api(url, 'query', {
    query: '{job="verdicts"}[12h]',
    time: String(atSeconds),
  });
  assert.equal(error, undefined);
  const { result } = data as { result: { metric: Record<string, string>; values: unknown }[] };
  return result.map(({ metric, values }) => [metric['__name__'], values]).sort();
}

for (const windowMinutes of [0, 30]) {
  const title = `samples are judged as Prometheus judges them, out-of-order window of ${windowMinutes} minutes`;
  test(title, { skip: skipWithoutPeers, timeout: 120_000 }, async (context) => {
    const directory = testDirectory(context);
    const config = join(directory, 'prometheus.yml');
    writeFileSync(config, `storage: {tsdb: {out_of_order_time_window: ${windowMinutes}m}}\n`);
    const [port = 0] = await freePorts(1);
    const real = await startReal(context, 'prometheus', port, [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'real')}`,
      '--web.enable-remote-write-receiver',
    ]);
    const [ours] = await startCluster(context, 1, config, ['--cluster.shards=1']);
    assert.ok(ours);
    const random = seededRandom(seed);
    const nowMs = Date.now();
    // Time goes on from four hours ago to now, so that windows are sealed on the way.
    const startMs = nowMs - 240 * minuteMs;
    for (let i = 0; i < requests; i++) {
      const presentMs = startMs + ((nowMs - startMs) * i) / requests;
      const share = random.below(1000) / 1000;
      const [, fromMs, toMs] = agesMs.find(([upTo]) => share < upTo) ?? [0, 0, 0];
      const timeMs = Math.round((presentMs + fromMs + random.below(toMs - fromMs)) / 15_000) * 15_000;
      const builder = new WriteBatchBuilder();
      const name = `verdict_${random.below(4)}`;
      // Of two values for one time that both take late Prometheus serves the one or the other; ours is always the first.
      const value = windowMinutes > 0 ? (timeMs / 15_000) % 7 : random.below(2);
      builder.add(Labels.fromRecord({ __name__: name, job: 'verdicts' }), timeMs, value);
      const body = encodeRemoteWrite(builder.finish());
      const expected = await write(real.url, body);
      const got = await write(ours.url, body);
      const age = Math.round((timeMs - presentMs) / minuteMs);
      assert.equal(got, expected, `request ${i}: ${name} ${age} minutes from the present (seed ${seed})`);
    }
    const atSeconds = nowMs / 1000 + 3600;
    assert.deepEqual(await stored(ours.url, atSeconds), await stored(real.url, atSeconds));
  });
}
