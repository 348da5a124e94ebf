/**
 * One shard's figures: samples appended per second, bytes per sample in memory and on disk, replay rate. The load is
 * that of scrapes: every batch brings one sample of each series of a target, values are counters with some noise.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Registry } from 'prom-client';
import { seededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { Labels, type WriteBatch } from '../../src/model/index.ts';
import { openStoreDirectory, type StoreOptions } from '../../src/tsdb/index.ts';
import type { Figure } from '../figure.ts';

const targets = 20;
const seriesPerTarget = 500;
const scrapes = 100;
const intervalMs = 15_000;
const samples = targets * seriesPerTarget * scrapes;

function seriesOf(target: number): Labels[] {
  return Array.from({ length: seriesPerTarget }, (_, i) =>
    Labels.fromRecord({
      __name__: `node_metric_${i % 100}_seconds_total`,
      instance: `host-${target}:9100`,
      job: 'node',
      device: `device-${Math.floor(i / 100)}`,
    }),
  );
}

async function folderBytes(path: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(path)).map(async (name) => (await stat(join(path, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

// The collector on demand, so that garbage is not counted as memory held.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memoryBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

export default async function* append(): AsyncGenerator<Figure> {
  const path = await mkdtemp(join(tmpdir(), 'torchring-bench-'));
  const options = (): StoreOptions => ({
    retentionMs: 15 * 86_400_000,
    fsync: 'os',
    log: silentLogger,
    registry: new Registry(),
  });
  try {
    yield* appendAndReplay(path, options);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function* appendAndReplay(path: string, options: () => StoreOptions): AsyncGenerator<Figure> {
  const random = seededRandom(1);
  const series = Array.from({ length: targets }, (_, target) => seriesOf(target));
  const refs = Uint32Array.from({ length: seriesPerTarget }, (_, i) => i);
  const counters = new Float64Array(seriesPerTarget);
  const startMs = systemClock.nowMs() - scrapes * intervalMs;
  const directory = await openStoreDirectory(path, options());
  const shard = await directory.openShard(1);
  const memoryBefore = memoryBytes();
  let spentMs = 0;
  for (let scrape = 0; scrape < scrapes; scrape++) {
    const nowMs = startMs + scrape * intervalMs;
    const batches = series.map((labels): WriteBatch => {
      for (let i = 0; i < counters.length; i++)
        counters[i] = (counters[i] as number) + random.below(1000) / 8;
      const timestamps = new Float64Array(seriesPerTarget).fill(nowMs);
      return { series: labels, refs, timestamps, values: counters.slice() };
    });
    const beganMs = systemClock.monotonicMs();
    await Promise.all(batches.map((batch) => shard.append(batch, { epoch: 1, nowMs })));
    spentMs += systemClock.monotonicMs() - beganMs;
  }
  yield { figure: 'append to one shard', value: (samples / spentMs) * 1000, unit: 'samples/s' };
  const memory = memoryBytes() - memoryBefore;
  yield { figure: 'memory, labels and index included', value: memory / samples, unit: 'bytes/sample' };
  yield { figure: 'log before compression', value: shard.stats().logBytes / samples, unit: 'bytes/sample' };
  await directory.close();
  yield { figure: 'log on disk', value: (await folderBytes(path)) / samples, unit: 'bytes/sample' };

  const again = await openStoreDirectory(path, options());
  const beganMs = systemClock.monotonicMs();
  await again.openShard(1);
  yield {
    figure: 'replay',
    value: (samples / (systemClock.monotonicMs() - beganMs)) * 1000,
    unit: 'samples/s',
  };
  await again.close();
}
