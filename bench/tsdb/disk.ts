/**
 * Bytes per sample on disk after sealing, index included: 20 k series x 4 h, whole windows, in a store of 128 shards that
 * has been closed; and what VictoriaMetrics takes for the same data, where it is present, after a stop and after a
 * merge of everything (the smaller one is compared with). The size of its folder is that of the store, log and the
 * engine's leftovers included.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { peersDirectory } from '../../src/base/testing/peer.ts';
import type { Figure } from '../figure.ts';
import { measurePeer } from '../peers/measure.ts';
import { victoriaMetrics } from '../peers/peer.ts';
import { bytesBelow } from '../peers/process.ts';
import { recordRequests } from '../peers/requests.ts';
import { DataSet, type DataSetOptions } from '../workload/data_set.ts';
import { answer, childArguments, isChild, resultOf } from './support/child.ts';
import { chosenSeries } from './support/size.ts';
import { BenchStore, inFolder, windowMs, windowStartBefore } from './support/store.ts';

const series = chosenSeries(20_000);
const windows = 2;
const rounds = (windows * windowMs) / 15_000;

interface Written {
  readonly samples: number;
}

export default async function* disk(): AsyncGenerator<Figure> {
  for (const jitterMs of [6, 0]) {
    const startMs = windowStartBefore((windows + 1) * windowMs);
    const options = { series, startMs, jitterMs };
    const of = jitterMs === 0 ? 'exact timestamps' : `timestamps off by 0-${jitterMs} ms`;
    const peerValue = await victoriaBytes(options);
    yield* inFolder(async function* (path): AsyncGenerator<Figure> {
      const written = await resultOf<Written>(import.meta.filename, [path, JSON.stringify(options)]);
      const value = (await bytesBelow(path)) / written.samples;
      const figure = `on disk, ${of}`;
      const peer = peerValue === undefined ? {} : { peer: victoriaMetrics.name, peerValue };
      yield { figure, value, unit: 'bytes/sample', ...peer };
    });
  }
}

async function* write(path: string, options: DataSetOptions): AsyncGenerator<Written> {
  const set = new DataSet(options);
  const store = await BenchStore.open(path);
  let samples = 0;
  for (let k = 0; k < rounds; k++) samples += (await store.appendRound(set)).samples;
  await store.sealAll();
  await store.close();
  yield { samples };
}

/** The least that VictoriaMetrics takes; undefined when it is not there. */
async function victoriaBytes(options: DataSetOptions): Promise<number | undefined> {
  if (peersDirectory === '' || !existsSync(join(peersDirectory, victoriaMetrics.program))) return undefined;
  let least: number | undefined;
  const measuring = inFolder(async function* (root): AsyncGenerator<number> {
    const set = new DataSet(options);
    const path = join(root, 'requests');
    const recorded = await recordRequests(path, set, rounds);
    const load = { ...recorded, path, series: set.seriesCount, targets: set.targets.length };
    for await (const { figure, value } of measurePeer(victoriaMetrics, load)) {
      if (/: disk .*index included$/.test(figure)) yield value;
    }
  });
  for await (const bytes of measuring) least = Math.min(least ?? bytes, bytes);
  return least;
}

if (isChild(import.meta.filename)) {
  const [path = '', options = '{}'] = childArguments;
  await answer(write(path, JSON.parse(options) as DataSetOptions));
}
