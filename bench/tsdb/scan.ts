/**
 * Reading sealed windows with warm caches, from one shard: 10 k series x 2 h, as a query over everything of a window
 * asks for, and a scan of all of them over 6 h, in which decoding outweighs the rest. Samples that come back are counted,
 * so that nothing is lazily left undone. Best of several runs.
 */
import { Matcher, MatchType } from '../../src/model/index.ts';
import type { Figure } from '../figure.ts';
import { DataSet } from '../workload/data_set.ts';
import { answer, fromChild, isChild } from './support/child.ts';
import { atLeast, atMost } from './support/goal.ts';
import { chosenSeries, countText } from './support/size.ts';
import { type Spent, stopwatch } from './support/stopwatch.ts';
import { BenchStore, inFolder, windowMs, windowStartBefore } from './support/store.ts';

const series = chosenSeries(10_000);
const windows = 3;
const runs = 7;
const selectMaxMs = 60;
const scanGoal = 100e6;

export default async function* scan(): AsyncGenerator<Figure> {
  yield* fromChild<Figure>(import.meta.filename, []);
}

interface Read extends Spent {
  readonly samples: number;
}

async function read(
  store: BenchStore,
  matchers: readonly Matcher[],
  from: number,
  to: number,
): Promise<Read> {
  const spent = stopwatch();
  const columns = (await store.shards[0]?.select(matchers, from, to)) ?? [];
  const { spentMs, threadMs } = spent();
  return { spentMs, threadMs, samples: columns.reduce((sum, { timestamps }) => sum + timestamps.length, 0) };
}

/** The fastest run, and the CPU of a run in the mean: the kernel counts it in steps too coarse for one. */
async function best(run: () => Promise<Read>): Promise<Read> {
  const reads: Read[] = [];
  for (let k = 0; k < runs; k++) reads.push(await run());
  const threadMs = reads.reduce((sum, read) => sum + read.threadMs, 0) / runs;
  const least = reads.reduce((a, b) => (b.spentMs < a.spentMs ? b : a));
  return { ...least, threadMs };
}

async function* measure(path: string): AsyncGenerator<Figure> {
  const startMs = windowStartBefore((windows + 1) * windowMs);
  const set = new DataSet({ series, startMs });
  let store = await BenchStore.open(path, 1);
  for (let k = 0; k < (windows * windowMs) / set.intervalMs; k++) await store.appendRound(set);
  await store.sealAll();
  await store.close();
  store = await BenchStore.open(path, 1);
  const all = [Matcher.create(MatchType.NotEqual, '__name__', '')];
  const cold = await read(store, all, startMs, startMs + windowMs - 1);
  yield { figure: `${countText(series)} series x 2 h, first time`, value: cold.spentMs, unit: 'ms' };
  const two = await best(() => read(store, all, startMs, startMs + windowMs - 1));
  yield atMost(selectMaxMs, {
    figure: `${countText(series)} series x 2 h, warm`,
    value: two.spentMs,
    unit: 'ms',
  });
  const six = await best(() => read(store, all, startMs, startMs + windows * windowMs - 1));
  const rate = (six.samples / six.spentMs) * 1000;
  const perCpu = (six.samples / six.threadMs) * 1000;
  yield { figure: 'samples of the scan', value: six.samples, unit: 'samples' };
  yield atLeast(scanGoal, { figure: 'scan, warm', value: rate, unit: 'samples/s' });
  yield atLeast(scanGoal, { figure: "scan, by this thread's CPU", value: perCpu, unit: 'samples/s' });
  const one = [Matcher.create(MatchType.Equal, '__name__', 'node_cpu_seconds_total')];
  const metric = await best(() => read(store, one, startMs, startMs + windowMs - 1));
  yield { figure: 'one metric x 2 h, warm', value: metric.spentMs, unit: 'ms' };
  await store.close();
}

if (isChild(import.meta.filename)) await answer(inFolder(measure));
