/**
 * Torchring's storage engine under the load that its peers get: the recorded requests are decoded as a node decodes them
 * and appended to 128 shards of one store, in a process of its own. It has no HTTP, which its peers' figures include.
 * Then everything is sealed, the store closed, and opened again by another process.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WriteBatch } from '../../src/model/index.ts';
import { decodeRemoteWrite } from '../../src/remote/index.ts';
import type { ShardStore } from '../../src/tsdb/index.ts';
import type { Figure } from '../figure.ts';
import { answer, childArguments, fromChild, isChild, resultOf } from '../tsdb/support/child.ts';
import { sealAll, sealedMark } from '../tsdb/support/sealing.ts';
import { BenchStore } from '../tsdb/support/store.ts';
import { type Load, memoryRows } from './measure.ts';
import type { Measured } from './peer.ts';
import { bytesBelow, usageOf } from './process.ts';
import { readRequests } from './requests.ts';

type Row = Pick<Figure, 'figure' | 'value' | 'unit'>;

const requestBytesMax = 64 << 20;
const epoch = 1;

/** What the engine takes for the load; its folder is gone afterwards. */
export async function* measureTorchring(load: Load): AsyncGenerator<Row> {
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

async function* feed(directory: string, load: Load): AsyncGenerator<Measured> {
  const idle = usageOf(process.pid);
  const store = await BenchStore.open(directory);
  const beganMs = performance.now();
  const router = new Router(store.shards);
  for await (const body of readRequests(load.path)) {
    const { batch } = decodeRemoteWrite(body, { sizeMax: requestBytesMax });
    await router.append(batch, load.lastTimeMs);
  }
  const seconds = (performance.now() - beganMs) / 1000;
  yield { what: 'taken in, without HTTP', value: load.samples / seconds, unit: 'samples/s' };
  yield* memoryRows(idle, usageOf(process.pid), load);
  await sealAll(store);
  const mark = sealedMark(store);
  await store.close();
  const cpuSeconds = usageOf(process.pid).cpuSeconds - idle.cpuSeconds;
  yield {
    what: `CPU, sealing included${mark}`,
    value: cpuSeconds / (load.samples / 1e6),
    unit: 's/million samples',
  };
}

/** Takes batches apart by target: each goes to a shard as a whole. */
class Router {
  readonly #shards: readonly ShardStore[];
  readonly #places = new Map<string, number>();

  constructor(shards: readonly ShardStore[]) {
    this.#shards = shards;
  }

  async append(batch: WriteBatch, nowMs: number): Promise<void> {
    const work: Promise<{ appended: number; firstError?: string }>[] = [];
    let from = 0;
    while (from < batch.series.length) {
      const instance = batch.series[from]?.get('instance') as string;
      let to = from + 1;
      while (batch.series[to]?.get('instance') === instance) to++;
      work.push(this.#shard(instance).append(part(batch, from, to), { epoch, nowMs }));
      from = to;
    }
    const outcomes = await Promise.all(work);
    const appended = outcomes.reduce((sum, outcome) => sum + outcome.appended, 0);
    const firstError = outcomes.find((outcome) => outcome.firstError !== undefined)?.firstError;
    if (appended !== batch.refs.length) throw new Error(`${appended} of ${batch.refs.length}: ${firstError}`);
  }

  #shard(instance: string): ShardStore {
    let place = this.#places.get(instance);
    if (place === undefined) {
      place = this.#places.size % this.#shards.length;
      this.#places.set(instance, place);
    }
    return this.#shards[place] as ShardStore;
  }
}

/** Series `from` to `to` with their samples; the recorded requests have one sample of each, in the same order. */
function part({ series, timestamps, values }: WriteBatch, from: number, to: number): WriteBatch {
  const some = series.slice(from, to);
  const columns = { timestamps: timestamps.slice(from, to), values: values.slice(from, to) };
  return { series: some, refs: Uint32Array.from(some, (_, i) => i), ...columns };
}

async function* open(directory: string, load: Load): AsyncGenerator<Measured> {
  const beganMs = performance.now();
  const store = await BenchStore.open(directory);
  yield { what: 'ready again after a stop, without a node', value: performance.now() - beganMs, unit: 'ms' };
  const samples = store.shards.reduce((sum, shard) => sum + shard.stats().samples, 0);
  if (samples !== load.samples) throw new Error(`${samples} of ${load.samples} samples are there`);
  await store.close();
}

if (isChild(import.meta.filename)) {
  const [task = '', directory = '', load = '{}'] = childArguments;
  const run = task === 'feed' ? feed : open;
  await answer(run(directory, JSON.parse(load) as Load));
}
