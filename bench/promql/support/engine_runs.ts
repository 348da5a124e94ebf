/**
 * Our engine without HTTP, in a process of its own: over series that lie in memory as columns, and over a store of 128 shards
 * with the data in its head. A run is parsing, evaluating and the result's JSON, as a node does it.
 */
import { AssertionError } from 'node:assert';
import { systemClock } from '../../../src/base/index.ts';
import { matchesAll, type SeriesColumns } from '../../../src/model/index.ts';
import { Engine, resultBlocks, type SelectRequest, type Storage } from '../../../src/promql/index.ts';
import { answer, childArguments, isChild } from '../../tsdb/support/child.ts';
import { BenchStore, inFolder } from '../../tsdb/support/store.ts';
import type { ScrapedTarget } from '../../workload/data_set.ts';
import { QuerySet } from '../../workload/query_set.ts';
import { type BenchQuery, chosenQueries, rangeMs } from './queries.ts';
import { type Run, repeat, type Timed } from './repeat.ts';

export type EngineOver = 'memory' | 'store';

export interface EngineLoad {
  readonly targets: number;
  readonly startMs: number;
  readonly rounds: number;
  readonly endMs: number;
}

const limits = { samplesMax: 50_000_000, timeoutMs: 120_000, lookbackMs: 300_000 };

/** The first index whose time is not below `atMs`. */
function firstAt(times: Float64Array, atMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Hands out views of the columns: selecting costs next to nothing. */
class MemoryStorage implements Storage {
  readonly #series: readonly SeriesColumns[];

  constructor(series: readonly SeriesColumns[]) {
    this.#series = series.toSorted((a, b) => a.labels.compare(b.labels));
  }

  async select({ matchers, fromMs, toMs }: SelectRequest): Promise<readonly SeriesColumns[]> {
    const found: SeriesColumns[] = [];
    for (const { labels, timestamps, values } of this.#series) {
      if (!matchesAll(matchers, labels)) continue;
      const from = firstAt(timestamps, fromMs);
      const to = firstAt(timestamps, toMs + 1);
      if (to > from) {
        const part = { timestamps: timestamps.subarray(from, to), values: values.subarray(from, to) };
        found.push({ labels, ...part });
      }
    }
    return found;
  }
}

function inMemory({ targets, startMs, rounds }: EngineLoad): Storage {
  const set = new QuerySet({ targets, startMs });
  const columns = new Map<ScrapedTarget, { times: Float64Array; values: Float64Array[] }>();
  for (const target of set.targets) {
    const values = target.series.map(() => new Float64Array(rounds));
    columns.set(target, { times: new Float64Array(rounds), values });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { target, timeMs, values } of set.round()) {
      const column = columns.get(target);
      if (column === undefined) throw new AssertionError({ message: 'a scrape of an unknown target' });
      column.times[round] = timeMs;
      for (const [i, one] of column.values.entries()) one[round] = values[i] as number;
    }
  }
  const series: SeriesColumns[] = [];
  for (const [{ series: labels }, { times, values }] of columns) {
    for (const [i, one] of labels.entries()) {
      series.push({ labels: one, timestamps: times, values: values[i] as Float64Array });
    }
  }
  return new MemoryStorage(series);
}

/** As a worker reads its shards. */
async function inStore(load: EngineLoad, path: string): Promise<{ storage: Storage; store: BenchStore }> {
  const set = new QuerySet(load);
  const store = await BenchStore.open(path);
  for (let round = 0; round < load.rounds; round++) await store.appendRound(set);
  const storage: Storage = {
    async select({ matchers, fromMs, toMs, newestAt }) {
      const { shards } = store;
      const parts = await Promise.all(shards.map((shard) => shard.select(matchers, fromMs, toMs, newestAt)));
      return parts.flat().sort((a, b) => a.labels.compare(b.labels));
    },
  };
  return { storage, store };
}

async function* measure(over: EngineOver, load: EngineLoad): AsyncGenerator<Timed> {
  if (over === 'memory') yield* runs(inMemory(load), load);
  else {
    yield* inFolder(async function* (path) {
      const { storage, store } = await inStore(load, path);
      yield* runs(storage, load);
      await store.close();
    });
  }
}

async function* runs(storage: Storage, { endMs }: EngineLoad): AsyncGenerator<Timed> {
  const engine = new Engine({ limits, clock: systemClock });
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  for (const query of chosenQueries())
    yield repeat(query, () => once(engine, storage, query, endMs), cpuSeconds);
}

async function once(engine: Engine, storage: Storage, query: BenchQuery, endMs: number): Promise<Run> {
  const instant = query.stepMs === undefined;
  const range = { startMs: instant ? endMs : endMs - rangeMs, endMs, stepMs: query.stepMs ?? 1, instant };
  const result = await engine.evaluate(query.text, range, { storage }, new AbortController().signal);
  let bytes = 0;
  for (const block of resultBlocks(result, instant)) bytes += block.length;
  return { bytes };
}

if (isChild(import.meta.filename)) {
  const [over = 'memory', load = '{}'] = childArguments;
  await answer(measure(over as EngineOver, JSON.parse(load) as EngineLoad));
}
