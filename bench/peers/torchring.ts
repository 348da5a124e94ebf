/**
 * Torchring's storage engine alone under the load that its peers get: the same scrapes, appended by reference to 128 shards
 * of one store as scrape loops do, in a process of its own. It has neither HTTP nor requests to decode, which the peers'
 * figures include (a node of ours, in peer.ts, has both); making the data is in its CPU, some 0.03 s per million
 * samples. Then everything is sealed, the store closed, and opened again by another process.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../figure.ts';
import { answer, childArguments, fromChild, isChild, resultOf } from '../tsdb/support/child.ts';
import { BenchStore } from '../tsdb/support/store.ts';
import { DataSet, type DataSetOptions } from '../workload/data_set.ts';
import { memoryRows } from './measure.ts';
import type { Measured } from './peer.ts';
import { bytesBelow, usageOf } from './process.ts';

type Row = Pick<Figure, 'figure' | 'value' | 'unit'>;

/** What the engine is fed with. */
export interface EngineLoad {
  readonly data: DataSetOptions;
  readonly rounds: number;
  readonly samples: number;
}

/** What the engine takes for the load; its folder is gone afterwards. */
export async function* measureTorchring(load: EngineLoad): AsyncGenerator<Row> {
  const root = await mkdtemp(join(tmpdir(), 'torchring-bench-peer-'));
  const directory = join(root, 'data');
  const row = ({ what, value, unit }: Measured): Row => ({
    figure: `Torchring engine: ${what}`,
    value,
    unit,
  });
  try {
    const file = import.meta.filename;
    const fed = fromChild<Measured>(file, ['feed', directory, JSON.stringify(load)]);
    for await (const measured of fed) yield row(measured);
    const bytes = await bytesBelow(directory);
    yield row({
      what: 'disk after a stop, index included',
      value: bytes / load.samples,
      unit: 'bytes/sample',
    });
    yield row(await resultOf<Measured>(file, ['open', directory, JSON.stringify(load)]));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function* feed(directory: string, { data, rounds, samples }: EngineLoad): AsyncGenerator<Measured> {
  const set = new DataSet(data);
  const store = await BenchStore.open(directory);
  // A scrape loop has labels and columns whatever the store does.
  for (const target of set.targets)
    store.batch({ target, timeMs: 0, values: new Float64Array(target.series.length) });
  const idle = usageOf(process.pid);
  let spentMs = 0;
  for (let k = 0; k < rounds; k++) spentMs += (await store.appendRound(set)).spentMs;
  yield { what: 'taken in by reference', value: (samples / spentMs) * 1000, unit: 'samples/s' };
  yield* memoryRows(idle, usageOf(process.pid), { series: set.seriesCount, samples });
  await store.sealAll();
  await store.close();
  const cpuSeconds = usageOf(process.pid).cpuSeconds - idle.cpuSeconds;
  yield {
    what: 'CPU, sealing included',
    value: cpuSeconds / (samples / 1e6),
    unit: 's/million samples',
  };
}

async function* open(directory: string, load: EngineLoad): AsyncGenerator<Measured> {
  const beganMs = performance.now();
  const store = await BenchStore.open(directory);
  yield { what: 'opened again after a stop', value: performance.now() - beganMs, unit: 'ms' };
  const samples = store.shards.reduce((sum, shard) => sum + shard.stats().samples, 0);
  if (samples !== load.samples) throw new Error(`${samples} of ${load.samples} samples are there`);
  await store.close();
}

if (isChild(import.meta.filename)) {
  const [task = '', directory = '', load = '{}'] = childArguments;
  const run = task === 'feed' ? feed : open;
  await answer(run(directory, JSON.parse(load) as EngineLoad));
}
