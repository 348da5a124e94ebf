/**
 * Sealed windows: 10 k series of a node exporter's kind (counters, gauges with noise, gauges that hardly move), 2 h at
 * 15 s, each scrape a few ms late, over LevelDB on a real disk. Sealing, the longest time it held the thread, bytes
 * per sample with the index, selecting everything with cold and with warm caches and
 * before as much of the head, one metric of a hundred, and joining windows.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { Labels, Matcher, MatchType } from '../../src/model/index.ts';
import { openLevelEngine } from '../../src/tsdb/level_engine.ts';
import { ByteCache } from '../../src/tsdb/window/byte_cache.ts';
import { compareMetricFirst } from '../../src/tsdb/window/order.ts';
import type { Overlay } from '../../src/tsdb/window/select_windows.ts';
import { WindowSet, type WindowSetDeps } from '../../src/tsdb/window/window_set.ts';
import type { SealSeries } from '../../src/tsdb/window/window_writer.ts';
import type { Figure } from '../figure.ts';

const seriesCount = 10_000;
const metrics = 100;
const scrapes = 480;
/** How late a scrape is at most. */
const jitterMs = 6;
const samples = seriesCount * scrapes;
const rounds = 7;

function makeSeries(): SealSeries[] {
  const random = seededRandom(1);
  const scrapeTimes = Array.from({ length: seriesCount / metrics }, (_target, target) =>
    Float64Array.from(
      { length: scrapes },
      (_zero, t) => t * 15_000 + ((target * 37) % 5000) + random.below(jitterMs),
    ),
  );
  const series = Array.from({ length: seriesCount }, (_, i): SealSeries => {
    const target = Math.floor(i / metrics);
    const metric = i % metrics;
    const values = new Float64Array(scrapes);
    const times = scrapeTimes[target] as Float64Array;
    let value = random.below(1_000_000);
    for (let t = 0; t < scrapes; t++) {
      if (metric % 3 === 0) value += random.below(1000);
      else if (metric % 3 === 1) value = random.below(1000) / 8;
      else if (random.below(50) === 0) value += 1;
      values[t] = value;
    }
    const labels = Labels.fromRecord({
      __name__: `node_metric_${metric}_total`,
      instance: `host-${target}:9100`,
      job: 'node',
      region: `region-${target % 4}`,
    });
    return { labels, times, values, count: scrapes };
  });
  return series.sort((a, b) => compareMetricFirst(a.labels, b.labels));
}

export default async function* window(): AsyncGenerator<Figure> {
  const path = await mkdtemp(join(tmpdir(), 'torchring-bench-'));
  const engine = await openLevelEngine(path);
  let resumedMs = systemClock.monotonicMs();
  let longestMs = 0;
  const deps = (): WindowSetDeps => ({
    engine,
    cache: new ByteCache(256 * 1024 * 1024),
    clock: systemClock,
    log: silentLogger,
    breathe: async () => {
      longestMs = Math.max(longestMs, systemClock.monotonicMs() - resumedMs);
      await new Promise<void>((resolve) => setImmediate(resolve));
      resumedMs = systemClock.monotonicMs();
    },
  });
  try {
    const series = makeSeries();
    const set = await WindowSet.open(1, deps());
    const beganMs = systemClock.monotonicMs();
    resumedMs = beganMs;
    await set.seal({ startMs: 0, epoch: 1, series });
    const spentMs = systemClock.monotonicMs() - beganMs;
    yield { figure: 'sealing', value: (samples / spentMs) * 1000, unit: 'samples/s' };
    yield { figure: 'longest slice of sealing, disk included', value: longestMs, unit: 'ms' };
    yield { figure: 'pages and index', value: set.bytes / samples, unit: 'bytes/sample' };
    const indexBytes = set.windows().reduce((sum, header) => sum + header.indexBytes, 0);
    yield { figure: 'index', value: indexBytes / seriesCount, unit: 'bytes/series' };
    yield* selections(await WindowSet.open(1, deps()));
    yield* compactions(set, series);
  } finally {
    await engine.close();
    await rm(path, { recursive: true, force: true });
  }
}

async function* selections(set: WindowSet): AsyncGenerator<Figure> {
  const all = [Matcher.create(MatchType.Equal, 'job', 'node')];
  const one = [Matcher.create(MatchType.Equal, '__name__', 'node_metric_42_total')];
  const cold = await selectMs(set, all);
  yield { figure: '10 k series x 2 h, cold', value: cold, unit: 'ms' };
  const warm = await best(() => selectMs(set, all));
  yield {
    figure: '10 k series x 2 h, warm, best of 7',
    value: warm,
    unit: 'ms',
    peer: 'goal',
    peerValue: 60,
  };
  const head = await set.select(all, 0, 7_200_000);
  const columns = head.map((one) => ({ ...one, timestamps: one.timestamps.map((ms) => ms + 7_200_000) }));
  yield {
    figure: '10 k series x 2 h before 2 h of the head, warm',
    value: await best(() => selectMs(set, all, [{ epoch: 1, columns }])),
    unit: 'ms',
  };
  yield {
    figure: '100 series of one metric x 2 h, warm',
    value: await best(() => selectMs(set, one)),
    unit: 'ms',
  };
}

/** The same samples again, half an interval later, joined with the first. */
async function* compactions(set: WindowSet, series: readonly SealSeries[]): AsyncGenerator<Figure> {
  const later = series.map((one) => ({ ...one, times: one.times.map((timeMs) => timeMs + 7_000) }));
  await set.seal({ startMs: 0, epoch: 1, series: later.map(clipped) });
  const beganMs = systemClock.monotonicMs();
  await set.compact(0);
  const spentMs = systemClock.monotonicMs() - beganMs;
  yield { figure: 'joining two windows', value: (2 * samples * 1000) / spentMs, unit: 'samples/s' };
}

/** Without what lies behind the window. */
function clipped(one: SealSeries): SealSeries {
  let count = one.count;
  while (count > 0 && (one.times[count - 1] as number) >= 7_200_000) count--;
  return { ...one, count };
}

async function selectMs(
  set: WindowSet,
  matchers: readonly Matcher[],
  overlays: readonly Overlay[] = [],
): Promise<number> {
  const beganMs = systemClock.monotonicMs();
  await set.select(matchers, 0, 7_200_000, overlays);
  return systemClock.monotonicMs() - beganMs;
}

async function best(measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) least = Math.min(least, await measure());
  return least;
}
