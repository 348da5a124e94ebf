/**
 * Appending by the bytes in which an exposition names its series: each is found in the table of its target, as scrapes and
 * remote writes do, then the batch is appended with the references that the store has left there. Log and group commit
 * are included, reading numbers out of text is not.
 */
import { ByteTable } from '../../src/model/index.ts';
import type { Figure } from '../figure.ts';
import type { ScrapeBatch } from '../workload/batches.ts';
import { DataSet, type Scrape, type ScrapedTarget } from '../workload/data_set.ts';
import { answer, fromChild, isChild } from './support/child.ts';
import { atLeast, median } from './support/goal.ts';
import { chosenSeries } from './support/size.ts';
import { stopwatch } from './support/stopwatch.ts';
import { BenchStore, inFolder, windowStartBefore } from './support/store.ts';

const goal = 1.5e6;
const series = chosenSeries(20_000);
const warmUpRounds = 20;
const rounds = 100;
const tableSeed = 12_345;
const epoch = 1;

/** The names of a target's series, one behind the other. */
interface Names {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly table: ByteTable;
}

export default async function* byBytes(): AsyncGenerator<Figure> {
  yield* fromChild<Figure>(import.meta.filename, []);
}

function namesOf({ series: labels }: ScrapedTarget): Names {
  const texts = labels.map((set) => Buffer.from(set.toString()));
  const bytes = new Uint8Array(Buffer.concat(texts));
  const table = new ByteTable(tableSeed);
  const ends = new Uint32Array(texts.length);
  let end = 0;
  for (const [i, text] of texts.entries()) {
    table.add(bytes, end, end + text.length);
    end += text.length;
    ends[i] = end;
  }
  return { bytes, ends, table };
}

/** Writes the place of each named series into the batch's column. */
function look({ bytes, ends, table }: Names, refs: Uint32Array): void {
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i] as number;
    const place = table.find(bytes, start, end);
    if (place < 0) throw new Error(`series ${i} is not in the table`);
    refs[i] = place;
    start = end;
  }
}

async function* measure(path: string): AsyncGenerator<Figure> {
  const set = new DataSet({ series, startMs: windowStartBefore((warmUpRounds + rounds) * 15_000) });
  const store = await BenchStore.open(path);
  const names = new Map<ScrapedTarget, Names>(set.targets.map((target) => [target, namesOf(target)]));
  const appendNamed = async (scrape: Scrape, batch: ScrapeBatch): Promise<void> => {
    look(names.get(scrape.target) as Names, batch.refs);
    const { appended } = await store.shardOf(scrape).append(batch, { epoch, nowMs: set.nowMs });
    if (appended !== batch.refs.length) throw new Error(`${appended} samples were taken`);
  };
  const rates: number[] = [];
  let steadyMs = 0;
  for (let k = 0; k < warmUpRounds + rounds; k++) {
    const scrapes = Array.from(set.round(), (scrape) => ({ scrape, batch: store.batch(scrape) }));
    const spent = stopwatch();
    await Promise.all(scrapes.map(({ scrape, batch }) => appendNamed(scrape, batch)));
    const { spentMs, threadMs } = spent();
    rates.push((set.seriesCount / spentMs) * 1000);
    if (k >= warmUpRounds) steadyMs += threadMs;
  }
  await store.close();
  const steady = rates.slice(warmUpRounds);
  const best = Math.max(...steady);
  yield atLeast(goal, { figure: 'by raw bytes, best round', value: best, unit: 'samples/s' });
  const perCpu = ((set.seriesCount * rounds) / steadyMs) * 1000;
  yield atLeast(goal, { figure: "by raw bytes, by this thread's CPU", value: perCpu, unit: 'samples/s' });
  yield { figure: 'by raw bytes, median round', value: median(steady), unit: 'samples/s' };
}

if (isChild(import.meta.filename)) await answer(inFolder(measure));
