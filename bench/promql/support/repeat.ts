/** Running a query often enough for a median. */
import { median } from '../../tsdb/support/goal.ts';
import type { BenchQuery } from './queries.ts';

export interface Run {
  /** Of the answer. */
  readonly bytes: number;
}

export interface Timed {
  readonly query: string;
  readonly medianMs: number;
  /** Of one run, in the mean: of all threads. */
  readonly cpuMs: number;
  readonly bytes: number;
}

const runsLeast = 3;
const runsMost = 9;
const enoughMs = 4_000;
const warmUps = 2;

/** `cpuSeconds` is that of the process that computes. */
export async function repeat(
  { name }: Pick<BenchQuery, 'name'>,
  run: () => Promise<Run>,
  cpuSeconds: () => number,
): Promise<Timed> {
  let bytes = 0;
  for (let i = 0; i < warmUps; i++) ({ bytes } = await run());
  const spent: number[] = [];
  const cpuBefore = cpuSeconds();
  const beganMs = performance.now();
  while (spent.length < runsLeast || (spent.length < runsMost && performance.now() - beganMs < enoughMs)) {
    const startMs = performance.now();
    await run();
    spent.push(performance.now() - startMs);
  }
  const cpuMs = ((cpuSeconds() - cpuBefore) * 1000) / spent.length;
  return { query: name, medianMs: median(spent), cpuMs, bytes };
}
