/**
 * What aggregations cost in the engine alone: 10 k series x 100 steps of random gauges in ten groups, all in memory. The
 * plain selector is measured beside them, since each of them pays for it. CPU of the thread, the best of the rounds.
 */
import { seededRandom, systemClock } from '../../src/base/index.ts';
import { Labels, type SeriesColumns } from '../../src/model/index.ts';
import { Engine, type Storage } from '../../src/promql/index.ts';
import type { Figure } from '../figure.ts';

const seriesCount = 10_000;
const steps = 100;
const stepMs = 15_000;
const rounds = 15;
const queries = [
  'm',
  'sum by (l) (m)',
  'avg(m)',
  'max by (l) (m)',
  'stddev(m)',
  'topk(10, m)',
  'quantile(0.9, m)',
  'count_values("v", m > bool 0.5)',
];

function gauges(): SeriesColumns[] {
  const random = seededRandom(7);
  const timestamps = Float64Array.from({ length: steps }, (_, i) => i * stepMs);
  return Array.from({ length: seriesCount }, (_, i) => ({
    labels: Labels.fromRecord({ __name__: 'm', instance: `i${String(i).padStart(5, '0')}`, l: `l${i % 10}` }),
    timestamps,
    values: Float64Array.from({ length: steps }, () => random.next()),
  }));
}

export default async function* aggregate(): AsyncGenerator<Figure> {
  const series = gauges();
  const storage: Storage = { select: () => Promise.resolve(series) };
  const limits = { samplesMax: 50_000_000, timeoutMs: 120_000, lookbackMs: 300_000 };
  const engine = new Engine({ limits, clock: systemClock });
  const range = { startMs: 0, endMs: (steps - 1) * stepMs, stepMs, instant: false };
  const signal = new AbortController().signal;
  for (const query of queries) {
    let bestMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      const before = process.threadCpuUsage();
      await engine.evaluate(query, range, { storage }, signal);
      const { user, system } = process.threadCpuUsage(before);
      bestMs = Math.min(bestMs, (user + system) / 1000);
    }
    yield { figure: query, value: bestMs, unit: 'ms' };
  }
}
