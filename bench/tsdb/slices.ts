/**
 * How long the thread is held in one go while 200 k series x 2 x 2 h are sealed, compacted and exported through their
 * stores: in one shard, and in 128. A second loop takes its turn whenever the thread is free and notes how long it had to
 * wait, by this thread's CPU (on a busy machine the clock says little), less what the garbage collector took, which is a
 * figure of its own. A scrape every four minutes, since it is series that make long slices.
 */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { Figure } from '../figure.ts';
import { DataSet } from '../workload/data_set.ts';
import { answer, childArguments, fromChild, isChild } from './support/child.ts';
import { atMost } from './support/goal.ts';
import { chosenSeries, countText } from './support/size.ts';
import { stopwatch } from './support/stopwatch.ts';
import { BenchStore, inFolder, shardCount, windowMs, windowStartBefore } from './support/store.ts';

const sliceMaxMs = 20;
const seriesGoal = 200_000;
const intervalMs = 240_000;
const windows = 2;
const exportedAtOnce = 10_000;

export default async function* slices(): AsyncGenerator<Figure> {
  const series = chosenSeries(seriesGoal);
  for (const shards of [1, shardCount]) yield* fromChild<Figure>(import.meta.filename, [series, shards]);
}

interface Slice {
  readonly beganMs: number;
  readonly spentMs: number;
  readonly threadMs: number;
}

class Watch {
  readonly #pauses: PerformanceEntry[] = [];

  constructor() {
    new PerformanceObserver((list) => {
      for (const pause of list.getEntries()) this.#pauses.push(pause);
    }).observe({ entryTypes: ['gc'] });
  }

  async *measure(what: string, work: () => Promise<unknown>): AsyncGenerator<Figure> {
    const taken: Slice[] = [];
    const run = { isOver: false };
    const watching = this.#watch(run, taken);
    const spent = stopwatch();
    await work();
    const { threadMs } = spent();
    run.isOver = true;
    await watching;
    // The collector's pauses are told of a turn later.
    await turn();
    const longest = taken.reduce((most, slice) => Math.max(most, this.#withoutPauses(slice)), 0);
    yield atMost(sliceMaxMs, { figure: `longest slice, ${what}`, value: longest, unit: 'ms' });
    const pauses = this.#pauses.filter(({ startTime }) => startTime >= (taken[0]?.beganMs ?? 0));
    const pauseMs = pauses.reduce((most, { duration }) => Math.max(most, duration), 0);
    yield { figure: '  longest pause for the collector', value: pauseMs, unit: 'ms' };
    yield { figure: "  all of it, by this thread's CPU", value: threadMs, unit: 'ms' };
  }

  async #watch(run: { readonly isOver: boolean }, taken: Slice[]): Promise<void> {
    while (!run.isOver) {
      const beganMs = performance.now();
      const spent = stopwatch();
      await turn();
      taken.push({ beganMs, ...spent() });
    }
  }

  #withoutPauses({ beganMs, spentMs, threadMs }: Slice): number {
    const endMs = beganMs + spentMs;
    const within = this.#pauses.filter(({ startTime }) => startTime >= beganMs && startTime < endMs);
    const pausedMs = within.reduce((sum, { duration }) => sum + duration, 0);
    return Math.max(0, Math.min(threadMs, spentMs) - pausedMs);
  }
}

async function* measure(path: string, series: number, shards: number): AsyncGenerator<Figure> {
  const set = new DataSet({ series, startMs: windowStartBefore((windows + 1) * windowMs), intervalMs });
  const store = await BenchStore.open(path, shards);
  const watch = new Watch();
  const of = `${countText(series)} series in ${shards} shards`;
  const sealAll = async (): Promise<void> => {
    for (const shard of store.shards) await shard.sealNow();
  };
  for (let window = 1; window <= windows; window++) {
    for (let k = 0; k < windowMs / intervalMs; k++) await store.appendRound(set);
    yield* watch.measure(`sealing window ${window}, ${of}`, sealAll);
  }
  yield* watch.measure(`maintenance, ${of}`, () => store.directory.maintain());
  yield* watch.measure(`export, ${of}`, async () => {
    for (const shard of store.shards) for await (const _ of shard.export(exportedAtOnce));
  });
  await store.close();
}

if (isChild(import.meta.filename)) {
  const [series = 0, shards = 0] = childArguments.map(Number);
  await answer(inFolder((path) => measure(path, series, shards)));
}
