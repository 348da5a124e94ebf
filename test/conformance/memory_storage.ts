/**
 * An in-memory Storage for scripts.
 */
import { type Labels, matchesAll, type SeriesColumns, setStaleNaN } from '../../src/model/index.ts';
import type { SelectRequest, Storage } from '../../src/promql/index.ts';
import { thinned } from '../../src/promql/testing/thinned.ts';
import { customBucketSeries } from './custom_buckets.ts';
import type { LoadCommand } from './script.ts';
import type { Point } from './series_line.ts';
import { storedHistograms } from './stored_hints.ts';

interface StoredSeries {
  readonly labels: Labels;
  readonly points: Map<number, Point>;
  readonly startTimes: Map<number, number>;
}

export class MemoryStorage implements Storage {
  readonly #series = new Map<string, StoredSeries>();
  readonly #columns = new Map<string, SeriesColumns>();

  load(command: LoadCommand): void {
    const { series, stepMs, customBuckets } = command;
    for (const line of customBuckets ? [...series, ...customBucketSeries(series)] : series) {
      const key = line.labels.key();
      const stored = this.#series.get(key) ?? {
        labels: line.labels,
        points: new Map(),
        startTimes: new Map(),
      };
      this.#series.set(key, stored);
      this.#columns.delete(key);
      for (const [index, point] of line.points.entries()) {
        if (point.kind === 'none') continue;
        stored.points.set(index * stepMs, point);
        const offset = line.startOffsets?.[index] ?? Number.NaN;
        if (!Number.isNaN(offset)) stored.startTimes.set(index * stepMs, index * stepMs + offset);
      }
    }
  }

  async select(request: SelectRequest): Promise<readonly SeriesColumns[]> {
    const found: SeriesColumns[] = [];
    for (const [key, stored] of this.#series) {
      if (!matchesAll(request.matchers, stored.labels)) continue;
      const all = this.#columns.get(key) ?? columnsOf(stored);
      this.#columns.set(key, all);
      const columns = between(all, request.fromMs, request.toMs);
      if (columns.timestamps.length > 0) found.push(thinned(columns, request.newestAt));
    }
    return found.sort((a, b) => a.labels.compare(b.labels));
  }
}

function columnsOf({ labels, points, startTimes }: StoredSeries): SeriesColumns {
  const ascending = [...points].sort(([a], [b]) => a - b);
  const timestamps = Float64Array.from(ascending, ([at]) => at);
  const values = new Float64Array(ascending.length);
  for (const [i, [, point]] of ascending.entries()) {
    if (point.kind === 'float') values[i] = point.value;
    else if (point.kind === 'stale') setStaleNaN(values, i);
  }
  const hasHistograms = ascending.some(([, point]) => point.kind === 'histogram');
  return {
    labels,
    timestamps,
    values,
    ...(hasHistograms ? { histograms: storedHistograms(ascending) } : {}),
    ...(startTimes.size > 0 ? { startTimes: timestamps.map((at) => startTimes.get(at) ?? 0) } : {}),
  };
}

function between(columns: SeriesColumns, fromMs: number, toMs: number): SeriesColumns {
  const { labels, timestamps, values, histograms, startTimes } = columns;
  const from = timestamps.findIndex((at) => at >= fromMs);
  const beyond = timestamps.findIndex((at) => at > toMs);
  const first = from < 0 ? timestamps.length : from;
  const end = Math.max(first, beyond < 0 ? timestamps.length : beyond);
  return {
    labels,
    timestamps: timestamps.slice(first, end),
    values: values.slice(first, end),
    ...(histograms === undefined ? {} : { histograms: histograms.slice(first, end) }),
    ...(startTimes === undefined ? {} : { startTimes: startTimes.slice(first, end) }),
  };
}
