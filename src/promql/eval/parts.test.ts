import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import { Labels, type SeriesColumns } from '../../model/index.ts';
import { evaluatePartial } from '../distribute/partial.ts';
import { Engine } from '../engine.ts';
import { MemoryLimitError } from '../errors.ts';
import { GivenStorage } from '../testing/storage.ts';
import type { SampleStats, Storage } from '../types.ts';

const limits = { samplesMax: 1e6, timeoutMs: 60_000, lookbackMs: 60_000 };
const engine = new Engine({ limits, clock: systemClock });
const never = new AbortController().signal;
const rounds = 100;
const range = { startMs: 0, endMs: (rounds - 1) * 15_000, stepMs: 15_000 };

const series: readonly SeriesColumns[] = Array.from({ length: 12 }, (_, i) => ({
  labels: Labels.fromRecord({ __name__: 'm', i: `${i}`, g: `${i % 3}` }),
  timestamps: Float64Array.from({ length: rounds }, (_, at) => at * 15_000),
  values: Float64Array.from({ length: rounds }, (_, at) => at * (i + 1)),
}));

class PartedStorage implements Storage {
  readonly whole: GivenStorage = new GivenStorage(series);
  readonly pieces: readonly GivenStorage[] = [2, 0, 1].map(
    (rest) => new GivenStorage(series.filter((_, i) => i % 3 === rest)),
  );
  select: Storage['select'] = (request) => this.whole.select(request);
  parts = (): readonly Storage[] => this.pieces;
}

interface Ran {
  readonly storage: PartedStorage;
  readonly samples: SampleStats;
}

async function run(expr: string, asked: typeof range = range, memoryMax?: number): Promise<Ran> {
  const storage = new PartedStorage();
  const own = memoryMax === undefined ? {} : { limits: { memoryMax } };
  const { samples } = await evaluatePartial(engine, expr, asked, storage, never, own);
  return { storage, samples };
}

const isRead = ({ requests }: GivenStorage): boolean => requests.length > 0;

test('what passes by is read part by part, once each, and counted as if it were read at once', async () => {
  const texts = [
    'sum by (g) (rate(m[5m]))',
    'topk(2, m)',
    'count_values("v", m)',
    'max((avg_over_time(m[1m])))',
  ];
  for (const text of texts) {
    const { storage, samples } = await run(text);
    assert.ok(!isRead(storage.whole), text);
    assert.deepEqual(
      storage.pieces.map(({ requests }) => requests.length),
      [1, 1, 1],
      text,
    );
    const whole = await evaluatePartial(engine, text, range, new GivenStorage(series), never);
    assert.deepEqual({ ...samples, workMs: 0 }, { ...whole.samples, workMs: 0 }, text);
  }
});

test('an instant, what keeps its columns, and what is of one moment are read at once', async () => {
  const texts = [
    'quantile(0.5, m)',
    'sum(m / m)',
    'topk(scalar(sum(m)), m)',
    'sum(max_over_time(rate(m[1m])[5m:1m]))',
  ];
  for (const text of texts) assert.ok(isRead((await run(text)).storage.whole), text);
  assert.ok(isRead((await run('sum(m)', { ...range, endMs: 0 })).storage.whole));
});

test('the memory of one part at a time counts', async () => {
  const ofPart = 4 * (rounds * 16 + 200);
  await run('sum(rate(m[5m]))', range, 2 * ofPart);
  await assert.rejects(run('sum(rate(m[5m]))', range, ofPart / 2), MemoryLimitError);
});
