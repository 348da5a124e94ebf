/**
 * Two million series within 24 h, 100 k of them active at once: pods restart all the time. Resident memory after each hour
 * of data must follow the active series, not those that were ever seen. A scrape a minute, since it is series that count
 * here; the store is maintained every five minutes of data, as a node does it. The store's clock is the data's.
 *
 * TORCHRING_BENCH_HOURS makes it shorter.
 */
import type { Figure } from '../figure.ts';
import { usageOf } from '../peers/process.ts';
import { DataSet } from '../workload/data_set.ts';
import { answer, fromChild, isChild, residentBytes } from './support/child.ts';
import { chosenSeries } from './support/size.ts';
import { BenchStore, inFolder, windowStartBefore } from './support/store.ts';

const hours = Number(process.env['TORCHRING_BENCH_HOURS'] ?? 24);
const activeSeries = chosenSeries(100_000);
const hourMs = 3_600_000;
const intervalMs = 60_000;
const maintainRounds = 5;
/** About seven in ten series belong to pods; so often replaced, two million are seen in a day. */
const podLifeMs = 54 * 60_000;
/** After so many hours windows are sealed regularly: what comes later should add nothing. */
const settledHours = 6;

export default async function* churn(): AsyncGenerator<Figure> {
  yield* fromChild<Figure>(import.meta.filename, []);
}

async function* measure(path: string): AsyncGenerator<Figure> {
  const startMs = windowStartBefore(hours * hourMs);
  const set = new DataSet({ series: activeSeries, startMs, intervalMs, podLifeMs });
  const store = await BenchStore.open(path);
  const before = residentBytes();
  let settledBytes = 0;
  for (let hour = 1; hour <= hours; hour++) {
    let longestMs = 0;
    for (let k = 1; k <= hourMs / intervalMs; k++) {
      await store.appendRound(set);
      if (k % maintainRounds > 0) continue;
      const beganMs = performance.now();
      await store.directory.maintain();
      longestMs = Math.max(longestMs, performance.now() - beganMs);
    }
    const withGarbage = usageOf(process.pid).residentBytes - before;
    // Making two million label sets leaves garbage of its own, which is no matter of the store.
    const bytes = residentBytes() - before;
    if (hour === settledHours) settledBytes = bytes;
    const seen = `${(set.seriesSeen / 1e6).toFixed(2)} M seen`;
    yield { figure: `resident growth after ${hour} h, ${seen}`, value: bytes / 1e6, unit: 'MB' };
    yield { figure: '  before collection', value: withGarbage / 1e6, unit: 'MB' };
    const inHead = store.shards.reduce((sum, shard) => sum + shard.stats().series, 0);
    yield { figure: `  series, as the store counts them, after ${hour} h`, value: inHead, unit: 'series' };
    yield { figure: `  longest maintenance in hour ${hour}`, value: longestMs, unit: 'ms' };
    if (hour === hours && hours > settledHours) {
      const value = bytes / settledBytes;
      yield { figure: `growth after ${hour} h by that after ${settledHours} h`, value, unit: 'x' };
    }
  }
  await store.close();
}

if (isChild(import.meta.filename)) await answer(inFolder(measure));
