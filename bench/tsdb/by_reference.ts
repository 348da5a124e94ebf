/**
 * Appending to 128 shards of one store in the steady state: scrapes whose series the store knows by reference, log and
 * group commit included. A round is one scrape of each target, all at once; the store's time of a round counts, making
 * the data does not. Best and median of the
 * rounds, and what one core would do that is left alone, by the CPU that this thread used.
 */
import type { Figure } from '../figure.ts';
import { DataSet } from '../workload/data_set.ts';
import { answer, childArguments, fromChild, isChild } from './support/child.ts';
import { atLeast, median } from './support/goal.ts';
import { chosenSeries, countText } from './support/size.ts';
import { BenchStore, inFolder, windowStartBefore } from './support/store.ts';

const goal = 4e6;
const warmUpRounds = 20;
const rounds = 100;
const durationMs = (warmUpRounds + rounds) * 15_000;
const sizes = [20_000, 100_000];

export default async function* byReference(): AsyncGenerator<Figure> {
  for (const series of new Set(sizes.map(chosenSeries)))
    yield* fromChild<Figure>(import.meta.filename, [series]);
}

async function* measure(path: string, series: number): AsyncGenerator<Figure> {
  const set = new DataSet({ series, startMs: windowStartBefore(durationMs) });
  const store = await BenchStore.open(path);
  const of = `${countText(series)} series, 128 shards`;
  const first = await store.appendRound(set);
  yield { figure: `first scrapes, ${of}`, value: (first.samples / first.spentMs) * 1000, unit: 'samples/s' };
  for (let k = 1; k < warmUpRounds; k++) await store.appendRound(set);
  const rates: number[] = [];
  let samples = 0;
  let threadMs = 0;
  const cpu = process.cpuUsage();
  for (let k = 0; k < rounds; k++) {
    const round = await store.appendRound(set);
    rates.push((round.samples / round.spentMs) * 1000);
    samples += round.samples;
    threadMs += round.threadMs;
  }
  const used = process.cpuUsage(cpu);
  const best = Math.max(...rates);
  yield atLeast(goal, { figure: `by reference, best round, ${of}`, value: best, unit: 'samples/s' });
  yield { figure: `by reference, median round, ${of}`, value: median(rates), unit: 'samples/s' };
  const perThread = (samples / threadMs) * 1000;
  yield atLeast(goal, {
    figure: `by reference, by this thread's CPU, ${of}`,
    value: perThread,
    unit: 'samples/s',
  });
  const seconds = (used.user + used.system) / 1e6;
  yield {
    figure: `CPU of all threads, data made included, ${of}`,
    value: seconds / (samples / 1e6),
    unit: 's/million samples',
  };
  await store.close();
}

if (isChild(import.meta.filename)) {
  await answer(inFolder((path) => measure(path, Number(childArguments[0]))));
}
