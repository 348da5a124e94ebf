/**
 * Opening a store of 128 shards with 5 M samples that are only in its log: 10 k series x 500 scrapes, after it was closed
 * and after SIGKILL, when the engine has a log of its own to replay. The writer and every opening are processes of
 * their own.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Figure } from '../figure.ts';
import { DataSet } from '../workload/data_set.ts';
import { answer, childArguments, isChild, resultOf } from './support/child.ts';
import { atMost } from './support/goal.ts';
import { chosenSeries } from './support/size.ts';
import { BenchStore, inFolder, windowStartBefore } from './support/store.ts';

const goalMs = 1500;
const series = chosenSeries(10_000);
const rounds = 500;
const openings = 3;

interface Opened {
  readonly spentMs: number;
  readonly samples: number;
}

export default async function* reopen(): AsyncGenerator<Figure> {
  for (const end of ['close', 'SIGKILL']) yield* inFolder((path) => reopenAfter(path, end));
}

async function* reopenAfter(path: string, end: string): AsyncGenerator<Figure> {
  const written = await write(path, end);
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < openings; k++) {
    const opened = await resultOf<Opened>(import.meta.filename, ['open', path]);
    if (opened.samples !== written) throw new Error(`${opened.samples} of ${written} samples are there`);
    if (k === 0 && end === 'SIGKILL')
      yield atMost(goalMs, { figure: 'first opening after SIGKILL', value: opened.spentMs, unit: 'ms' });
    least = Math.min(least, opened.spentMs);
  }
  const figure = `opening with ${(written / 1e6).toFixed(1)} M unsealed samples after ${end}, best of ${openings}`;
  yield atMost(goalMs, { figure, value: least, unit: 'ms' });
}

/** Writes in a process that ends so; how many samples. */
async function write(path: string, end: string): Promise<number> {
  const child = fork(import.meta.filename, ['write', path, end]);
  const exit = once(child, 'exit');
  const [samples] = (await once(child, 'message')) as [number];
  if (end === 'SIGKILL') child.kill('SIGKILL');
  await exit;
  return samples;
}

async function* writeAll(path: string, end: string): AsyncGenerator<number> {
  const set = new DataSet({ series, startMs: windowStartBefore(rounds * 15_000) });
  const store = await BenchStore.open(path);
  let samples = 0;
  for (let k = 0; k < rounds; k++) samples += (await store.appendRound(set)).samples;
  if (end === 'close') await store.close();
  yield samples;
  // Waits for its end.
  if (end === 'SIGKILL') await new Promise<void>((resolve) => process.once('disconnect', resolve));
}

async function* open(path: string): AsyncGenerator<Opened> {
  const beganMs = performance.now();
  const store = await BenchStore.open(path);
  const spentMs = performance.now() - beganMs;
  const samples = store.shards.reduce((sum, shard) => sum + shard.stats().samples, 0);
  await store.close();
  yield { spentMs, samples };
}

if (isChild(import.meta.filename)) {
  const [task = '', path = '', end = ''] = childArguments;
  await answer(task === 'write' ? writeAll(path, end) : open(path));
}
