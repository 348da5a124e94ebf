/**
 * The shard log: 5 M samples of 10 k series of 100 targets, a record per target and scrape, on LevelDB on a real disk.
 * Encoding a record, its size, replaying all (decoding alone, and with the engine), and truncating half of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { ByteWriter, seededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { Labels } from '../../src/model/index.ts';
import type { StoreEngine } from '../../src/tsdb/engine.ts';
import { GroupCommit } from '../../src/tsdb/group_commit.ts';
import { openLevelEngine } from '../../src/tsdb/level_engine.ts';
import { kindRange, LogKeyKind } from '../../src/tsdb/log/keys.ts';
import { logMetrics } from '../../src/tsdb/log/metrics.ts';
import {
  encodeSamples,
  type NewSeries,
  type RecordSink,
  type SampleParts,
} from '../../src/tsdb/log/record.ts';
import { ShardLog } from '../../src/tsdb/log/shard_log.ts';
import { tsdbMetrics } from '../../src/tsdb/metrics.ts';
import { ReopenableEngine } from '../../src/tsdb/reopenable_engine.ts';
import type { Figure } from '../figure.ts';

const targets = 100;
const targetSeries = 100;
const scrapes = 500;
const samples = targets * targetSeries * scrapes;
const rounds = 3;

function labelsOf(id: number): Labels {
  const target = Math.floor((id - 1) / targetSeries);
  return Labels.fromRecord({
    __name__: `node_metric_${id % targetSeries}_total`,
    instance: `host-${target}:9100`,
    job: 'node',
    region: `region-${target % 4}`,
  });
}

/** The parts of one record, changed in place from scrape to scrape. */
class Scrapes {
  readonly #values = new Float64Array(targetSeries);
  readonly #ids = new Uint32Array(targetSeries);
  readonly #times = new Float64Array(targetSeries);
  readonly #random = seededRandom(1);

  parts(target: number, scrape: number): SampleParts {
    const newSeries: NewSeries[] = [];
    for (let i = 0; i < targetSeries; i++) {
      const id = target * targetSeries + i + 1;
      this.#ids[i] = id;
      this.#times[i] = scrape * 15_000 + target * 37;
      this.#values[i] = this.#random.below(1_000_000) / 8;
      if (scrape === 0) newSeries.push({ id, labels: labelsOf(id) });
    }
    const columns = { ids: this.#ids, times: this.#times, values: this.#values };
    return { epoch: 1, newSeries, count: targetSeries, ...columns };
  }
}

class CountingSink implements RecordSink {
  series = 0;
  samplesSeen = 0;
  define(): void {
    this.series++;
  }
  samples(_epoch: number, { count }: { readonly count: number }): void {
    this.samplesSeen += count;
  }
  exemplar(): void {}
  metadata(): void {}
  deletion(): void {}
}

/** Hands out entries that are in memory, so that nothing but the replay is measured. */
function preloaded(
  engine: StoreEngine,
  entries: readonly (readonly [Uint8Array, Uint8Array])[],
): StoreEngine {
  return Object.assign(Object.create(engine) as StoreEngine, {
    get: (key: Uint8Array) => engine.get(key),
    entries: async function* (range: Parameters<StoreEngine['entries']>[0]) {
      if (range.from[2] === LogKeyKind.Record) yield* entries;
    },
  });
}

export default async function* log(): AsyncGenerator<Figure> {
  const path = await mkdtemp(join(tmpdir(), 'torchring-bench-'));
  const registry = new Registry();
  const shared = tsdbMetrics(registry);
  const metrics = logMetrics(registry, shared);
  const engine = await ReopenableEngine.open(path, openLevelEngine);
  const deps = { engine, path, fsync: 'os' as const, clock: systemClock, log: silentLogger, metrics: shared };
  const commit = new GroupCommit(deps);
  const logDeps = { commit, metrics, log: silentLogger };
  try {
    yield* appending(new ShardLog(1, logDeps));
    const entries: (readonly [Uint8Array, Uint8Array])[] = [];
    for await (const entry of engine.entries(kindRange(1, LogKeyKind.Record))) entries.push(entry);
    let decodeMs = Number.POSITIVE_INFINITY;
    let replayMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      decodeMs = Math.min(decodeMs, await replaying(new ShardLog(1, logDeps), preloaded(engine, entries)));
      replayMs = Math.min(replayMs, await replaying(new ShardLog(1, logDeps), engine));
    }
    const decode = { figure: 'replay of 5 M samples, decoding alone', value: decodeMs, unit: 'ms' };
    yield { ...decode, peer: 'goal', peerValue: 600 };
    yield { figure: 'replay of 5 M samples, read from LevelDB', value: replayMs, unit: 'ms' };
    const last = new ShardLog(1, logDeps);
    await last.replay(engine, new CountingSink());
    const live = Array.from({ length: targets * targetSeries }, (_, i) => ({
      id: i + 1,
      labels: labelsOf(i + 1),
    }));
    const startedMs = systemClock.monotonicMs();
    await last.truncate(last.lastSequence / 2, (scrapes / 2) * 15_000, live, []);
    yield {
      figure: 'truncating half, 10 k definitions',
      value: systemClock.monotonicMs() - startedMs,
      unit: 'ms',
    };
  } finally {
    await commit.close();
    await engine.close();
    await rm(path, { recursive: true, force: true });
  }
}

async function* appending(shardLog: ShardLog): AsyncGenerator<Figure> {
  const made = new Scrapes();
  const writer = new ByteWriter(64 * 1024);
  let encodeMs = 0;
  let bytes = 0;
  for (let scrape = 0; scrape < scrapes; scrape++) {
    let written: Promise<void> | undefined;
    for (let target = 0; target < targets; target++) {
      const parts = made.parts(target, scrape);
      const startedMs = systemClock.monotonicMs();
      writer.reset();
      encodeSamples(writer, parts);
      encodeMs += systemClock.monotonicMs() - startedMs;
      bytes += writer.length;
      written = shardLog.append(1, scrape * 15_000 + target * 37, writer);
    }
    await written;
  }
  yield { figure: 'encoding', value: samples / (encodeMs / 1000), unit: 'samples/s' };
  const size = { figure: 'records before compression', value: bytes / samples, unit: 'bytes/sample' };
  yield { ...size, peer: 'goal', peerValue: 10.5 };
  yield { figure: 'the same with keys and frames', value: shardLog.bytes / samples, unit: 'bytes/sample' };
}

async function replaying(shardLog: ShardLog, engine: StoreEngine): Promise<number> {
  const sink = new CountingSink();
  const startedMs = systemClock.monotonicMs();
  await shardLog.replay(engine, sink);
  const tookMs = systemClock.monotonicMs() - startedMs;
  if (sink.samplesSeen !== samples || sink.series !== targets * targetSeries)
    throw new Error(`${sink.samplesSeen} samples of ${sink.series} series were replayed`);
  return tookMs;
}
