/**
 * An in-memory Storage for scripts.
 */
import {
  type FloatHistogram,
  type Labels,
  matchesAll,
  type SeriesColumns,
  setStaleNaN,
} from '../../src/model/index.ts';
import type { SelectRequest, Storage } from '../../src/promql/index.ts';
import type { LoadCommand } from './script.ts';
import type { Point } from './series_line.ts';

interface StoredSeries {
  readonly labels: Labels;
  readonly points: Map<number, Point>;
}

export class MemoryStorage implements Storage {
  readonly #series = new Map<string, StoredSeries>();

  load(command: LoadCommand): void {
    for (const { labels, points } of command.series) {
      const key = labels.key();
      const stored = this.#series.get(key) ?? { labels, points: new Map<number, Point>() };
      this.#series.set(key, stored);
      for (const [index, point] of points.entries()) {
        if (point.kind !== 'none') stored.points.set(index * command.stepMs, point);
      }
    }
  }

  async select(request: SelectRequest): Promise<readonly SeriesColumns[]> {
    const found: SeriesColumns[] = [];
    for (const { labels, points } of this.#series.values()) {
      if (!matchesAll(request.matchers, labels)) continue;
      const columns = columnsOf(labels, points, request.fromMs, request.toMs);
      if (columns.timestamps.length > 0) found.push(columns);
    }
    return found.sort((a, b) => a.labels.compare(b.labels));
  }
}

function columnsOf(labels: Labels, points: Map<number, Point>, fromMs: number, toMs: number): SeriesColumns {
  const times = [...points.keys()].filter((at) => at >= fromMs && at <= toMs).sort((a, b) => a - b);
  const timestamps = Float64Array.from(times);
  const values = new Float64Array(times.length);
  const histograms: (FloatHistogram | null)[] = [];
  for (const [i, at] of times.entries()) {
    const point = points.get(at);
    histograms.push(point?.kind === 'histogram' ? point.histogram : null);
    if (point?.kind === 'float') values[i] = point.value;
    else if (point?.kind === 'stale') setStaleNaN(values, i);
  }
  if (histograms.every((histogram) => histogram === null)) return { labels, timestamps, values };
  return { labels, timestamps, values, histograms };
}
