/**
 * Resident memory per active series after 2 h of scrapes of 200 k series spread over 128 shards, log, labels, index and
 * chunks included; and what 128 empty shards add. Each in a process of its own, first as a node runs, with the garbage
 * that it happens to have, then with garbage collected on demand. The series' labels and columns, which a scrape loop
 * keeps, are there before the measurement begins.
 */
import type { Figure } from '../figure.ts';
import { DataSet } from '../workload/data_set.ts';
import { answer, childArguments, fromChild, isChild, residentBytes } from './support/child.ts';
import { atMost } from './support/goal.ts';
import { chosenSeries, countText } from './support/size.ts';
import { BenchStore, inFolder, shardCount, windowMs, windowStartBefore } from './support/store.ts';

const bytesPerSeriesMax = 1200;
const emptyBytesMax = 10e6;
const seriesGoal = 200_000;
/** One scrape less than a window has, as jitter must not lead into the next. */
const rounds = windowMs / 15_000 - 1;

export default async function* memory(): AsyncGenerator<Figure> {
  const series = chosenSeries(seriesGoal);
  for (const exposesGc of [false, true]) {
    yield* fromChild<Figure>(import.meta.filename, [series], { exposesGc });
    yield* fromChild<Figure>(import.meta.filename, [0], { exposesGc });
  }
}

function mark(): string {
  return globalThis.gc === undefined ? 'garbage included' : 'without garbage';
}

async function* measureFull(path: string, series: number): AsyncGenerator<Figure> {
  const set = new DataSet({ series, startMs: windowStartBefore(2 * windowMs) });
  const store = await BenchStore.open(path);
  // One scrape more than is appended, so that the columns are there.
  for (const scrape of set.round()) store.batch(scrape);
  const before = residentBytes();
  let samples = 0;
  let spentMs = 0;
  for (let k = 0; k < rounds; k++) {
    const round = await store.appendRound(set);
    samples += round.samples;
    spentMs += round.spentMs;
  }
  const value = (residentBytes() - before) / set.seriesCount;
  const of = `${countText(series)} series x 2 h`;
  yield atMost(bytesPerSeriesMax, { figure: `resident per series, ${of}, ${mark()}`, value, unit: 'bytes' });
  yield { figure: `  appended meanwhile, ${of}`, value: (samples / spentMs) * 1000, unit: 'samples/s' };
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const perSeries = (bytes: number): number => bytes / set.seriesCount;
  yield { figure: `  of all V8's heap, labels included`, value: perSeries(heapUsed), unit: 'bytes/series' };
  yield { figure: '  of all array buffers', value: perSeries(arrayBuffers), unit: 'bytes/series' };
  yield { figure: '  of all external', value: perSeries(external), unit: 'bytes/series' };
  await store.close();
}

async function* measureEmpty(path: string): AsyncGenerator<Figure> {
  const store = await BenchStore.open(path, 1);
  const before = residentBytes();
  for (let shard = 1; shard <= shardCount; shard++) await store.directory.openShard(shard);
  const value = (residentBytes() - before) / 1e6;
  yield atMost(emptyBytesMax / 1e6, { figure: `128 empty shards, ${mark()}`, value, unit: 'MB' });
  await store.close();
}

if (isChild(import.meta.filename)) {
  const series = Number(childArguments[0]);
  await answer(inFolder((path) => (series === 0 ? measureEmpty(path) : measureFull(path, series))));
}
