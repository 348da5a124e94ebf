/**
 * Resident memory per active series after 2 h of scrapes of 200 k series spread over 128 shards, log, labels, index and
 * chunks included; and what 128 empty shards add. Each in a process of its own that runs as a node does: with its flags,
 * with the garbage that it happens to have, and with a few scrapes under way at a time, since those of a node are spread
 * over the interval. Then the same with garbage collected, and with all targets scraped at one instant, which is the
 * worst for the collector. The series' labels and columns, which a scrape loop keeps, are there before the measurement
 * begins.
 */
import type { Figure } from '../figure.ts';
import { type Usage, usageOf } from '../peers/process.ts';
import { DataSet } from '../workload/data_set.ts';
import {
  answer,
  childArguments,
  collectGarbage,
  fromChild,
  isChild,
  residentBytes,
} from './support/child.ts';
import { atMost } from './support/goal.ts';
import { chosenSeries, countText } from './support/size.ts';
import { BenchStore, inFolder, shardCount, windowMs, windowStartBefore } from './support/store.ts';

const bytesPerSeriesMax = 1200;
const emptyBytesMax = 10e6;
const seriesGoal = 200_000;
const fewAtOnce = 8;
/** One scrape less than a window has, as jitter must not lead into the next. */
const rounds = windowMs / 15_000 - 1;

export default async function* memory(): AsyncGenerator<Figure> {
  const series = chosenSeries(seriesGoal);
  for (const atOnceMax of [fewAtOnce, series])
    yield* fromChild<Figure>(import.meta.filename, [series, atOnceMax]);
  yield* fromChild<Figure>(import.meta.filename, [0]);
}

function* residentFigures(before: Usage, mark: string, series: number): Generator<Figure> {
  const now = usageOf(process.pid);
  const perSeries = (what: keyof Usage): number => (now[what] - before[what]) / series;
  const figure = `resident per series, ${mark}`;
  yield atMost(bytesPerSeriesMax, { figure, value: perSeries('residentBytes'), unit: 'bytes' });
  yield { figure: '  of it in no file', value: perSeries('anonymousBytes'), unit: 'bytes' };
  yield { figure: '  of it pages of files', value: perSeries('fileBytes'), unit: 'bytes' };
  const { heapUsed, heapTotal, arrayBuffers } = process.memoryUsage();
  yield { figure: '  all array buffers', value: arrayBuffers / series, unit: 'bytes' };
  yield { figure: `  V8's heap, labels included`, value: heapTotal / series, unit: 'bytes' };
  yield { figure: '  of it in use', value: heapUsed / series, unit: 'bytes' };
}

async function* measureFull(path: string, series: number, atOnceMax: number): AsyncGenerator<Figure> {
  const set = new DataSet({ series, startMs: windowStartBefore(2 * windowMs) });
  const store = await BenchStore.open(path);
  // One scrape more than is appended, so that the columns are there.
  for (const scrape of set.round()) store.batch(scrape);
  collectGarbage();
  const before = usageOf(process.pid);
  let samples = 0;
  let threadMs = 0;
  for (let k = 0; k < rounds; k++) {
    const round = await store.appendRound(set, atOnceMax);
    samples += round.samples;
    threadMs += round.threadMs;
  }
  const atOnce = atOnceMax < set.targets.length ? `${atOnceMax} targets` : 'all targets';
  const of = `${countText(series)} series x 2 h, ${atOnce} at once`;
  yield* residentFigures(before, `${of}, garbage included`, set.seriesCount);
  yield {
    figure: "  appended meanwhile, by this thread's CPU",
    value: (samples / threadMs) * 1000,
    unit: 'samples/s',
  };
  collectGarbage();
  yield* residentFigures(before, `${of}, without garbage`, set.seriesCount);
  await store.close();
}

async function* measureEmpty(path: string): AsyncGenerator<Figure> {
  const store = await BenchStore.open(path, 1);
  const before = residentBytes();
  for (let shard = 1; shard <= shardCount; shard++) await store.directory.openShard(shard);
  const withGarbage = usageOf(process.pid).residentBytes - before;
  yield atMost(emptyBytesMax / 1e6, {
    figure: '128 empty shards, garbage included',
    value: withGarbage / 1e6,
    unit: 'MB',
  });
  const value = (residentBytes() - before) / 1e6;
  yield atMost(emptyBytesMax / 1e6, { figure: '128 empty shards, without garbage', value, unit: 'MB' });
  await store.close();
}

if (isChild(import.meta.filename)) {
  const [series = 0, atOnceMax = 0] = childArguments.map(Number);
  await answer(
    inFolder((path) => (series === 0 ? measureEmpty(path) : measureFull(path, series, atOnceMax))),
  );
}
